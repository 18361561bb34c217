"""README.md: every command starts, every Python block runs, and the page stays short."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line.split("#")[0].strip() for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
SCRIPTS = [text for language, text in BLOCKS if language == "python"]
NETWORK = """
import torch
module, inputs = torch.nn.GRU(3, 8), torch.randn(20, 5, 3)
readout, silence, task_loss = torch.nn.Linear(8, 2), torch.zeros(3), torch.zeros(())
states, labels = torch.randn(6, 8).tanh(), torch.tensor([0, 1, 0, 1, 0, 1])
"""
"""What the library's example assumes: a network with its readout and task loss, sequences, and states with labels."""


def run(folder, *command):
    binaries = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": binaries, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_is_short_and_its_first_commands_are_make_and_make_test():
    assert len(PAGE.splitlines()) <= 110
    assert COMMANDS[:2] == ["make", "make test"]
    assert {line.split()[0] for line in COMMANDS} == {"make", "snakemake", "slowpoints"}


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make")])
def test_a_target_of_make_is_there(command):
    assert "pip install" in run(ROOT, *command.split(), "-n", "VENV=/nowhere/.venv")


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("snakemake")])
def test_a_run_is_planned(project, command):
    assert "train_networks" in run(project.folder, sys.executable, "-m", *command.split(), "-n")


def test_the_status_is_shown(project):
    (command,) = (command for command in COMMANDS if command.startswith("slowpoints"))
    assert "0 of 24 networks trained" in run(project.folder, sys.executable, "-m", *command.split())


def test_tables_are_read_as_the_page_does(finished):
    script = SCRIPTS[0].replace("results/default/", "results/test/") + "print(len(networks))"
    assert run(finished.folder, sys.executable, "-W", "error", "-c", script).split() == ["4"]


def test_slow_points_are_found_as_the_page_does(tmp_path):
    run(tmp_path, sys.executable, "-W", "error", "-c", NETWORK + SCRIPTS[1])
    assert (tmp_path / "points.png").stat().st_size > 1000
