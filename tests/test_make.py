"""Arguments that `make` passes on: names of configurations, the study of a report, unusual paths of Python."""

import os
import shutil
import subprocess
import sys

import pytest
from places import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")

NAMES = (
    "my study.yaml",
    'it\'s a "study".yaml',
    "$HOME $(shell echo no) $$ `id`.yaml",
    "(a) & b; #c * ?.yaml",
    "Übung.yaml",
)
TARGETS = ("all", "unlock", "report")


@pytest.fixture
def make(tmp_path):
    """`make`, with a Snakemake that only records its arguments, and with this Python, which summarises nothing."""
    programs = {
        "snakemake": f'for argument; do echo "$argument"; done > "{tmp_path}/said"',
        "python": f'case "$*" in *summary*) echo "$@";; *) exec "{sys.executable}" "$@";; esac',
    }
    (tmp_path / "bin").mkdir()
    for name, line in programs.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)

    def run(*arguments, **variables):
        installed = ("-o", "setup", "-o", f"{tmp_path}/.installed")
        command = ["make", "-s", "-C", ROOT, f"VENV={tmp_path}", *installed, *arguments]
        environment = {**os.environ, "PYTHONPATH": "", **variables}
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
        said = tmp_path / "said"
        return done, said.read_text(encoding="utf-8").splitlines() if said.exists() else None

    return run


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_configuration_stays_whole(make, tmp_path, name, target):
    config = tmp_path / name
    config.write_text("study: mine\n")
    done, said = make(target, f"CONFIG={config}")
    assert done.returncode == 0, done.stderr
    assert said[said.index("--configfile") + 1] == str(config)
    assert said.count(str(config)) == 1


def test_it_may_come_from_the_environment(make, tmp_path):
    name = str(tmp_path / "a $b.yaml")
    _, said = make("unlock", CONFIG=name)
    assert name in said


def test_the_report_is_of_the_study_that_the_configuration_names(make, tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("study: my-study\n")
    _, said = make("report", f"CONFIG={config}")
    assert said[said.index("--report") + 1] == "results/my-study/report.html"


def test_all_ends_with_the_report_and_what_came_out(make, tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("study: my-study\n")
    done, said = make("all", f"CONFIG={config}")
    assert said[said.index("--report") + 1] == "results/my-study/report.html"
    assert done.stdout.splitlines()[-1] == "-m slowpoints summary --brief results/my-study"


def test_a_configuration_without_a_study_is_refused_by_key(make, tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("seeds: 2\n")
    done, said = make("report", f"CONFIG={config}")
    assert done.returncode
    assert f"{config}: study is missing" in done.stderr
    assert said is None


def test_a_report_of_what_is_no_configuration_names_the_file_and_starts_nothing(make, tmp_path):
    done, said = make("report", f"CONFIG={tmp_path}/not there.yaml")
    assert done.returncode != 0
    assert said is None
    assert f"{tmp_path}/not there.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_environment_with_a_space_is_refused_by_name():
    done = subprocess.run(
        ["make", "-C", ROOT, "--dry-run", "setup", "VENV=two words"], capture_output=True, encoding="utf-8"
    )
    assert done.returncode != 0
    assert 'VENV is "two words"; it must be a path without spaces' in done.stderr


@pytest.mark.parametrize("python", ["/my programs/python3", "python3"])
def test_the_python_may_lie_below_a_folder_with_a_space(tmp_path, python):
    done = subprocess.run(
        ["make", "-C", ROOT, "--dry-run", "--always-make", "setup", f"PYTHON={python}"],
        capture_output=True,
        encoding="utf-8",
    )
    assert f'"{python}" -m venv .venv' in done.stdout


@pytest.mark.parametrize(
    ("uv", "installer"), [("/my programs/uv", '"/my programs/uv" pip install'), ("", ".venv/bin/pip install")]
)
def test_uv_installs_with_the_same_hashes_where_it_is_found(uv, installer):
    done = subprocess.run(
        ["make", "-C", ROOT, "--dry-run", "--always-make", "setup", f"UV={uv}"], capture_output=True, encoding="utf-8"
    )
    installs = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len(installs) == 3
    assert all(line.startswith(installer) for line in installs)
    assert "--no-deps --require-hashes -r hashes.lock" in installs[0]
