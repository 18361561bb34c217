"""Groups of jobs: few enough resources for a small node, and every figure in one of two jobs."""

import re
import sys

import pytest
from places import ROOT

from slowpoints.plots.figures import FIGURES

PLAN = str(ROOT / "tests/workflow/asked_by_groups.py")
CORES, MB, MINUTES = 2, 4000, 60


@pytest.mark.parametrize("config", ["config/test.yaml", "config/config.yaml"])
def test_no_group_asks_for_more_than_two_cores_and_four_gigabytes(project, config):
    plan = project.snakemake("-n", "--profile", "slurm", "--configfile", config, under=(sys.executable, PLAN))
    asked = [line.split()[1:] for line in plan.splitlines() if line.startswith("group ")]
    assert {name for name, *_ in asked} == {"measure", "trained", "study"}
    for name, *numbers, _ in asked:
        assert all(0 < int(n) <= most for n, most in zip(numbers, (CORES, MB, MINUTES), strict=True)), (name, numbers)
    figures = {name: re.findall(r"plot_(\w+)", rules) for name, *_, rules in asked if name != "measure"}
    waiting = {name for name, figure in FIGURES.items() if figure.tuned or {"formation", "claims"} & {*figure.tables}}
    assert figures == {"trained": sorted({*FIGURES} - waiting), "study": sorted(waiting)}  # each group is one job
    assert sum(name in figures for name, *_ in asked) == 2
