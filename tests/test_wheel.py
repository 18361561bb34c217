"""The library installed by `pip install .`, outside the repository."""

import os
import re
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from places import ROOT

from slowpoints.core.digests import library_digest
from slowpoints.core.headers import safetensors_facts
from slowpoints.networks.units import unit_file

SCRIPT = """
import sys
from pathlib import Path

import torch

import slowpoints
from slowpoints.explorer.page import write_page
from slowpoints.networks.units import units

assert Path(slowpoints.__file__).is_relative_to(sys.prefix), slowpoints.__file__
for name in slowpoints.__all__:
    getattr(slowpoints, name)
torch.manual_seed(0)
module = torch.nn.LSTM(3, 8)
points = slowpoints.slow_points_of(module, slowpoints.states_of(module, torch.randn(20, 10, 3)))
points.unique(1e-3).to_parquet("points.parquet")
points.plot().savefig("points.png")
write_page("empty", {}, "explorer.html")
print(" ".join(units()), points)
"""

EXAMPLE = re.search(r"```python\n(.*?)```", (ROOT / "docs/library.md").read_text(), re.DOTALL)[1]
CHECKS = """
assert choice.table["weight"].tolist()[:2] == [0, 10], choice.table
assert list(tables)[:2] == ["before", "control"], tables
assert all(half_life(tables[name]) > 10 for name in ("before", "control")), tables
assert all(0 < memory_score(table) <= 1 for table in tables.values()), tables
penalty = RelaxationPenalty(choice.module["rnn"], silence)
value = penalty(states_of(choice.module["rnn"], trials(3, delay=1)[0])[0])
value.backward()
again = RelaxationPenalty(choice.module["rnn"], silence)
again.load_state_dict(penalty.state_dict())
assert value > 0 and torch.equal(again(torch.zeros(3, 16)), value), value
"""


def run(*command: str | Path, folder: Path) -> str:
    """Output of a command in a folder outside the project, without the project on the path."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The interpreter of a fresh environment with the wheel, and with the dependencies of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("src", "scripts", "config"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source, folder=folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, folder=folder)
    packages = run(python, "-c", "import site; print(site.getsitepackages()[0])", folder=folder).strip()
    Path(packages, "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return python


@pytest.mark.long
def test_the_library_works_from_a_wheel(installed, tmp_path):
    output = run(installed, "-c", SCRIPT, folder=tmp_path)
    assert output.startswith("brc gru gru-after lru lstm mingru nbrc rg-lru rnn slstm ugrnn 200 slow points: ")
    assert {path.name for path in tmp_path.iterdir()} == {"points.parquet", "points.png", "explorer.html"}


@pytest.mark.long
def test_the_example_of_the_library_page_runs_from_a_wheel(installed, tmp_path):
    """Retention, half-life, memory score, the penalty and the choice of its weight."""
    output = run(installed, "-c", EXAMPLE + CHECKS, folder=tmp_path)
    assert "'before': (" in output
    assert {path.name for path in tmp_path.iterdir()} == {"points.png", "retention.png"}


@pytest.fixture
def command(installed, tmp_path):
    """The installed command, in an empty folder."""

    def call(*arguments):
        return run(installed.parent / "slowpoints", *arguments, folder=tmp_path)

    return call


SHORT = "study: mine\ndatasets: [short]\npresets: {short: {base: digits-tiny, seeds: 1, training: {steps: 20}}}\n"


@pytest.mark.long
def test_a_cell_trains_from_a_wheel_and_status_sees_it(command, tmp_path):
    """With the same code as in a checkout, so that the workflow continues from these networks."""
    (tmp_path / "mine.yaml").write_text(SHORT)
    command("train", "short", "gru", "vocu", "--config", "mine.yaml")
    weights = tmp_path / "results/networks/short/gru/vocu/trained/0-0/weights.safetensors"
    code = library_digest(ROOT / "scripts/train_networks.py", unit_file("gru"))
    assert safetensors_facts(weights)["code_digest"] == code
    assert command("name", "--configfile", "mine.yaml") == "mine\n"
    rows = [line.split() for line in command("status", "--configfile", "mine.yaml").splitlines()]
    assert rows[0][:2] == ["study", "mine,"]
    assert "short gru vocu 0-0 trained" in [" ".join(row[:5]) for row in rows]
    assert " ".join(rows[-1]).startswith("1 of 4 networks trained")


@pytest.mark.long
def test_status_of_the_default_study_works_from_a_wheel(installed, tmp_path):
    output = run(installed, "-m", "slowpoints", "status", folder=tmp_path)
    assert "0 of 24 networks trained" in output


@pytest.mark.slow
def test_a_finished_study_is_summed_up_from_a_wheel(command, finished, tmp_path):
    shutil.copytree(finished.folder / "results/test/tables", tmp_path / "results/test/tables")
    output = command("summary", "results/test")
    for part in ("### Networks (test images)", "### Claims, pooled", "| digits-tiny/gru/vocu | 2 |"):
        assert part in output
