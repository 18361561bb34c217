"""Copies of the project in which Snakemake really runs."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
from places import ROOT

PARTS = ("Snakefile", "workflow", "config", "scripts", "src", "slurm", "environment.yml")
LOG = "driver.log"
TIMED = re.compile(r"/cost\.json$|/costs\.csv$|/figures/control\.")


def kill(run: subprocess.Popen) -> None:
    """Kills a run with all its jobs, like a power cut; returns when all have ended."""
    processes = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    run.wait(300)
    psutil.wait_procs(processes, timeout=60)


class Project:
    """A copy of the project in a folder of its own: a fresh one, or of another copy with all that was made there."""

    def __init__(self, folder: Path, of: Path | None = None):
        self.folder = folder
        if of is not None:
            shutil.copytree(of, folder)
            return
        folder.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                # With byte code, and the kernels that Numba compiled: each copy for itself would take seconds.
                half_written = ("*.pyc.*", "*.tmp.*")
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns(*half_written, "*.egg-info"))
            else:
                shutil.copy2(source, folder / part)

    def start(self, *arguments: str, output=subprocess.PIPE, under=(), **variables: str) -> subprocess.Popen:
        """Snakemake, started, maybe under another command and with environment variables of its own."""
        command = [*under, sys.executable, "-m", "snakemake", *arguments]
        environment = {**os.environ, "PYTHONPATH": "", **variables}  # scripts must find the library by themselves
        return subprocess.Popen(
            command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT, text=True, env=environment
        )

    def snakemake(self, *arguments: str, fails: bool = False, minutes: float = 10, **options) -> str:
        """Output of a run, which must succeed, or fail if `fails`, within the given minutes."""
        with self.start(*arguments, **options) as run:
            try:
                output, _ = run.communicate(timeout=60 * minutes)
            except BaseException:
                run.kill()
                raise
        assert (run.returncode != 0) == fails, output
        return output

    def run(self, *arguments: str) -> None:
        """Snakemake, whose output is kept as `log`."""
        output = self.snakemake(*arguments)
        (self.folder / LOG).write_text(output)

    @property
    def log(self) -> str:
        """What `run` printed."""
        return (self.folder / LOG).read_text()

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
        """Files under results/, by relative path."""
        results = self.folder / "results"
        return {str(path.relative_to(results)) for path in results.rglob("*") if path.is_file()}

    def digests(self) -> dict[str, str]:
        """SHA-256 of each file under results/ that holds no seconds, which are measured."""
        results = self.folder / "results"
        files = [file for file in sorted(self.files()) if not TIMED.search(file)]
        return {file: hashlib.sha256((results / file).read_bytes()).hexdigest() for file in files}
