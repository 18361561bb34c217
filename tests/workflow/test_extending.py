"""The README's promise: a unit is one class, a protocol one entry, and everything else follows, figures included."""

import ast
import os
import re
import subprocess
import sys

import pandas as pd
import pytest

pytestmark = pytest.mark.xdist_group("extended")  # so that one worker makes the grid, once

UNIT = '''"""The vanilla recurrent unit."""

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, tanh


class Vanilla(Unit):
    """h' = tanh(W x + U h + b) (Elman 1990)."""

    name = "vanilla"
    look = Look("vanilla unit", marker="D")
    blocks = (1,)
    parts = 1

    def step(self, drive, state, recurrent):
        (h,) = state
        return (tanh(drive[0].baddbmm(h, recurrent[0])),), ()
'''
PROTOCOL = """        Protocol("both", Look("both curricula", "#117733", "-."), vocabulary=True, delay=True),
"""
STUDY = """
study: extended
datasets: [digits-tiny]
architectures: [gru, vanilla]
protocols: [vocu, both]
modes: [control, slow_points]
"""
RUN = ("--cores", "2", "--configfile", "config/extended.yaml")


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy with a unit and a protocol more, in which the tiny grid has run before they came and with them."""
    from projects import Project

    project = Project(tmp_path_factory.mktemp("extended") / "project")
    project.snakemake("results/networks/digits-tiny/gru/vocu/trained/0-1/extrapolation.parquet", *TINY)
    (project.folder / "src/slowpoints/networks/units/vanilla.py").write_text(UNIT)
    registry = project.folder / "src/slowpoints/task/protocols.py"
    text, end = registry.read_text(), "    )\n}\n"
    assert text.count(end) == 1
    registry.write_text(text.replace(end, PROTOCOL + end))
    (project.folder / "config/extended.yaml").write_text(STUDY)
    return project


TINY = ("--cores", "2", "--configfile", "config/test.yaml")


def test_what_was_there_does_not_run_again(extended):
    assert extended.planned("results/networks/digits-tiny/gru/vocu/trained/0-1/extrapolation.parquet", *TINY) == {}


def test_the_grid_runs_with_them_to_its_figures(extended):
    extended.snakemake(*RUN)
    tables = extended.folder / "results/extended/tables"
    networks = pd.read_parquet(tables / "networks.parquet")
    cells = set(networks[["architecture", "protocol"]].itertuples(index=False, name=None))
    assert cells == {("gru", "vocu"), ("gru", "both"), ("vanilla", "vocu"), ("vanilla", "both")}
    assert networks["memory_score"].notna().all()
    claims = pd.read_parquet(tables / "claims.parquet")
    assert claims["scope"].str.contains("vocu - both").any()
    assert {path.suffix for path in (extended.folder / "results/extended/figures").iterdir()} == {".pdf", ".png"}


LEGEND = """
import pandas as pd
from slowpoints.networks.units import units
from slowpoints.plots.figures import FIGURES, draw
tables = {name: pd.read_parquet(f"results/extended/tables/{name}.parquet") for name in FIGURES["speed_vs_memory"]}
figure = draw("speed_vs_memory", tables, {name: unit.look for name, unit in units().items()})
print([text.get_text() for text in figure.legends[0].get_texts()])
"""


def test_figures_name_them_as_their_looks_say(extended):
    environment = {**os.environ, "PYTHONPATH": str(extended.folder / "src")}
    command = [sys.executable, "-c", LEGEND]
    shown = subprocess.run(command, cwd=extended.folder, env=environment, capture_output=True, text=True, check=True)
    assert {"vanilla unit", "both curricula"} <= set(ast.literal_eval(shown.stdout))


def test_the_configuration_knows_them_and_names_them_when_it_refuses(extended):
    output = extended.snakemake(*RUN, "-n", "--config", "architectures=[lstn]", fails=True)
    assert re.search(r"architectures\.0 is 'lstn'; allowed are gru, .*lstm, .*vanilla", output)
    output = extended.snakemake(*RUN, "-n", "--config", "protocols=[bath]", fails=True)
    assert re.search(r"protocols\.0 is 'bath'; allowed are vocu, decu, none, recu, vocu-shuffled, both", output)
