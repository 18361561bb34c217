"""docs/tutorial.md, followed step by step: a data set needs only configuration, a unit one class, a protocol one entry;
everything else follows, figures included, and no finished job runs again.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from places import ROOT
from projects import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tutorial")]  # so that one worker follows it, once

BLOCK = re.compile(r"(?:`([\w./]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A block of code: the file that it is the text of, if the line before names one; its language; itself."""
STUDY = ("--cores", "2", "--configfile", "config/stripes.yaml")


class Reader:
    """A reader who follows a page, in a copy of the project.

    Attributes:
        project: the copy.
        shown: each command of a shell, with what it printed.
    """

    def __init__(self, project: Project):
        self.project, self.shown = project, []
        search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": search, "PYTHONPATH": str(project.folder / "src")}

    def follow(self, page: str) -> None:
        """Follows each block of the page, in order."""
        for file, language, text in BLOCK.findall(page):
            if file:
                (self.project.folder / file).write_text(text)
            elif language == "sh":
                for command in text.splitlines():
                    self.shown.append((command, self.run("bash", "-c", command)))
            else:
                {"python": self.python, "diff": self.patch}[language](text)

    def python(self, text: str) -> None:
        self.run(sys.executable, "-W", "error", "-c", text)

    def patch(self, text: str) -> None:
        self.run("git", "apply", "-", given=text)

    def run(self, *command: str, given: str | None = None) -> str:
        """Output of a command, which must succeed."""
        done = subprocess.run(
            command,
            cwd=self.project.folder,
            env=self.environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def reader(tmp_path_factory) -> Reader:
    reader = Reader(Project(tmp_path_factory.mktemp("tutorial") / "project"))
    reader.follow((ROOT / "docs/tutorial.md").read_text())
    return reader


def test_what_was_there_does_not_run_again(reader):
    """Plans have one cell at first, one more for the protocol, two for the unit."""
    plans = [output for command, output in reader.shown if command.startswith("snakemake -n")]
    for rule in ("train_networks", "find_slow_points"):
        counts = [set(re.findall(rf"^{rule} +(\d+)$", plan, re.MULTILINE)) for plan in plans]
        assert counts == [{"1"}, {"1"}, {"2"}]
    assert ["prepare_dataset " in plan for plan in plans] == [True, False, False]


def test_the_grid_runs_to_its_figures(reader):
    tables = reader.project.folder / "results/stripes/tables"
    networks = pd.read_parquet(tables / "networks.parquet")
    cells = set(networks[["architecture", "protocol"]].itertuples(index=False, name=None))
    assert cells == {("gru", "vocu"), ("gru", "both"), ("leaky", "vocu"), ("leaky", "both")}
    assert networks["memory_score"].notna().all()
    claims = pd.read_parquet(tables / "claims.parquet")
    assert (claims["protocol"].eq("vocu") & claims["rival"].eq("both")).any()
    figures = (reader.project.folder / "results/stripes/figures").iterdir()
    assert {path.suffix for path in figures} == {".pdf", ".png", ".parquet"}
    assert "| stripes/leaky/both | 2 |" in reader.shown[-1][1]


LEGEND = """
import pandas as pd
from dataclasses import asdict
from slowpoints.core.looks import unit_looks
from slowpoints.networks.units import units
from slowpoints.plots.figures import FIGURES, data, draw
tables = {name: pd.read_parquet(f"results/stripes/tables/{name}.parquet") for name in FIGURES["speed_vs_memory"].tables}
with unit_looks({name: asdict(unit.look) for name, unit in units().items()}):
    figure = draw("speed_vs_memory", data("speed_vs_memory", tables))
print([text.get_text() for text in figure.legends[0].get_texts()])
"""


def test_figures_name_them_as_their_looks_say(reader):
    shown = reader.run(sys.executable, "-c", LEGEND)
    assert {"leaky unit", "both curricula"} <= set(ast.literal_eval(shown.splitlines()[-1]))


def test_the_configuration_knows_them_and_names_them_when_it_refuses(reader):
    output = reader.project.snakemake(*STUDY, "-n", "--config", "architectures=[lstn]", fails=True)
    assert re.search(r"architectures\.0 is 'lstn'; allowed are .*gru, .*leaky, .*lstm", output)
    output = reader.project.snakemake(*STUDY, "-n", "--config", "protocols=[bath]", fails=True)
    assert re.search(r"protocols\.0 is 'bath'; allowed are vocu, decu, none, recu, vocu-shuffled, both", output)
