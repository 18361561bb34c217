"""Real Snakemake runs, each in a copy of the project of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

PARTS = ("Snakefile", "workflow", "config", "scripts", "src", "slurm", "environment.yml")


class Project:
    """A copy of the project in a folder of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            else:
                shutil.copy2(source, folder / part)

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        """Output of a run, which must succeed, or fail where `fails`."""
        command = [sys.executable, "-m", "snakemake", *arguments]
        environment = {**os.environ, "PYTHONPATH": ""}  # scripts must find the library by themselves
        run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=600, env=environment)
        output = run.stdout + run.stderr
        assert (run.returncode != 0) == fails, output
        return output

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs of each rule that a dry run plans."""
        output = self.snakemake(*arguments, "-n")
        if "Nothing to be done" in output:
            return {}
        lines = output.split("Job stats:")[1].splitlines()[3:]
        jobs = {}
        for line in lines:
            if line.startswith("total"):
                break
            rule, count = line.split()
            jobs[rule] = int(count)
        return jobs

    def files(self) -> set[str]:
        """Files under results/, by their path there."""
        results = self.folder / "results"
        return {str(path.relative_to(results)) for path in results.rglob("*") if path.is_file()}


@pytest.fixture
def project(tmp_path) -> Project:
    """A fresh copy, nothing run yet."""
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """A copy in which config/test.yaml has run to its end; tests leave it as they find it."""
    project = Project(tmp_path_factory.mktemp("finished") / "project")
    project.log = project.snakemake("--cores", "2", "--configfile", "config/test.yaml")
    return project
