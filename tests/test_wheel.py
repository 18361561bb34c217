"""The library as `pip install .` gives it: whole, and away from the repository."""

import os
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from places import ROOT

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


def run(*command: str | Path, folder: Path) -> str:
    """What a command prints, in a folder that is not the project, nothing of which is on the path."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The interpreter of a fresh environment with the wheel; what it depends on is that of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source, folder=folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, folder=folder)
    packages = run(python, "-c", "import site; print(site.getsitepackages()[0])", folder=folder).strip()
    Path(packages, "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return python


def test_the_library_works_from_a_wheel(installed, tmp_path):
    output = run(installed, "-c", SCRIPT, folder=tmp_path)
    assert output.startswith("gru gru-after lstm mingru rnn ugrnn 200 slow points: ")
    assert {path.name for path in tmp_path.iterdir()} == {"points.parquet", "points.png", "explorer.html"}


def test_commands_work_from_a_wheel(installed, tmp_path):
    assert "train" in run(installed, "-m", "slowpoints", "--help", folder=tmp_path)
