"""A node of two cores and 8 GB: tables and figures fit on it, and jobs that do not are named."""

import shutil
import signal
import subprocess
import time

import pytest
from projects import Project
from slurm.cluster import QUICK

pytestmark = pytest.mark.slurm

TEST = ("--configfile", "config/test.yaml")
FIGURES = ("task", "extrapolation", "state_space", "speed_vs_memory", "predictors", "relaxation", "spectrum")
TRAINED = [f"results/test/figures/{name}.pdf" for name in FIGURES]
"""All that the group `trained` makes hangs on these."""


@pytest.fixture
def undrawn(finished, tmp_path):
    """A finished run without its tables and figures."""
    project = Project(tmp_path / "project", of=finished.folder)
    shutil.rmtree(project.folder / "results/test")
    return project


def until(true, seconds):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(1)


def test_tables_and_figures_fit_onto_a_small_node(cluster, finished, undrawn):
    with cluster.small_node():
        undrawn.snakemake(*TRAINED, *QUICK, *TEST)
        (job,) = cluster.jobs(undrawn.folder)
    assert job["Comment"].startswith("rule_trained_")
    assert job["JobState"] == "COMPLETED"
    assert int(job["NumCPUs"]) <= 2
    assert 0 < int(job["MinMemoryNode"].removesuffix("M")) <= 4000
    made = undrawn.digests()
    assert len(made) > 30
    assert made.items() <= finished.digests().items()


def test_a_job_that_can_never_start_is_named(cluster, undrawn):
    """An option requests more cores than the node has; the driver waits, and reports why."""
    with cluster.small_node(), (undrawn.folder / "driver.log").open("w+") as log:
        run = undrawn.start(*TRAINED, *QUICK, "--cores", "4", *TEST, output=log)
        try:
            until(lambda: "cannot start as it is" in undrawn.log or run.poll() is not None, 240)
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(120)
        (job,) = cluster.jobs(undrawn.folder)
    assert f"SLURM job {job['JobId']} (rule_trained_" in undrawn.log
    assert "--set-resources" in undrawn.log
    left = subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=True)
    assert not left.stdout
