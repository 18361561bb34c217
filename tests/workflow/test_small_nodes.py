"""What groups of jobs ask a scheduler for at once: a small study fits onto a small node."""

import sys

import pytest
from places import ROOT

PLAN = str(ROOT / "tests/workflow/asked_by_groups.py")
CORES, MB, MINUTES = 2, 4000, 60


@pytest.mark.parametrize("config", ["config/test.yaml", "config/config.yaml"])
def test_no_group_asks_for_more_than_two_cores_and_four_gigabytes(project, config):
    said = project.snakemake("-n", "--profile", "slurm", "--configfile", config, under=(sys.executable, PLAN))
    asked = [line.split()[1:] for line in said.splitlines() if line.startswith("group ")]
    assert {name for name, *_ in asked} == {"measure", "trained", "study"}
    for name, *numbers in asked:
        assert all(0 < int(n) <= most for n, most in zip(numbers, (CORES, MB, MINUTES), strict=True)), (name, numbers)
