"""Failures on a cluster, provoked on a real SLURM: jobs are resubmitted and resume."""

import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from slurm.cluster import ONE_CELL, QUICK, check_cell

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

CELL = "results/networks/digits-tiny/gru/vocu/trained/0-1"
WEIGHTS = f"{CELL}/weights.safetensors"
LOG = "logs/train_networks/digits-tiny.gru.vocu.0-1.log"
LONG = """
study: long
datasets: [digits-tiny]
architectures: [gru]
protocols: [vocu]
modes: []
resume_minutes: 0.02
presets: {{digits-tiny: {{training: {{steps: {steps}}}}}}}
"""


def wait_for(what, seconds=180):
    """The first true answer of `what`."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.3)
    return answer


def long_run(project, *arguments, steps):
    """A driver that trains one cell for a while, and the configuration it runs."""
    (project.folder / "config/long.yaml").write_text(LONG.format(steps=steps))
    arguments = (WEIGHTS, *QUICK, "--configfile", "config/long.yaml", *arguments)
    with (project.folder / "driver.log").open("w") as output:
        return project.start(*arguments, output=output), arguments


def training_jobs(cluster, project):
    """All attempts of the training job so far."""
    return [job for job in cluster.jobs(project.folder) if "train_networks" in job["Comment"]]


def test_a_cancelled_training_job_comes_back_and_resumes(cluster, project):
    run, _ = long_run(project, steps=20_000)
    wait_for((project.folder / CELL / "resume.safetensors").exists)
    subprocess.run(["scancel", training_jobs(cluster, project)[0]["JobId"]], check=True)
    assert run.wait(timeout=400) == 0, (project.folder / "driver.log").read_text()
    assert re.search(r"resumed at step [1-9]", (project.folder / LOG).read_text())
    assert not (project.folder / CELL / "resume.safetensors").exists()


def test_a_job_over_its_time_limit_comes_back_with_more_and_resumes(cluster, project):
    run, _ = long_run(project, "--set-resources", "train_networks:runtime=attempt", steps=30_000)
    assert run.wait(timeout=500) == 0, (project.folder / "driver.log").read_text()
    tried = training_jobs(cluster, project)
    assert [job["JobState"] for job in tried[:2]] in (
        ["TIMEOUT", "COMPLETED"],
        ["TIMEOUT", "TIMEOUT"],
    )  # a slow machine
    assert tried[-1]["JobState"] == "COMPLETED"
    assert [job["TimeLimit"] for job in tried[:2]] == ["00:01:00", "00:02:00"]
    assert re.search(r"resumed at step [1-9]", (project.folder / LOG).read_text())


def running(cluster, project):
    """Numbers of the running jobs."""
    return [job["JobId"] for job in cluster.jobs(project.folder) if job["JobState"] == "RUNNING"]


def make_trouble(cluster, project, kind, seconds):
    """Cancels a job, or takes away the controller or the node for a while."""
    if kind == "cancel":
        for job in running(cluster, project)[:1]:
            subprocess.run(["scancel", job])
    elif kind == "controller":
        cluster.take_controller(seconds)
    else:
        cluster.take_node(kind, seconds)


def test_trouble_at_random_moments_changes_no_byte(cluster, finished, project):
    """Jobs are cancelled, the node is set down and drained, the controller killed, up to twice each in a cell's run."""
    chance, troubles = random.Random(0), 2 * ["DOWN", "cancel", "controller", "DRAIN"]
    log, end = project.folder / "driver.log", time.monotonic() + 900
    with log.open("w") as output:
        run = project.start(*ONE_CELL, "resume_minutes=0.01", "--retries", "5", output=output)
    try:
        while run.poll() is None and time.monotonic() < end:
            time.sleep(chance.uniform(0, 8))
            if troubles and running(cluster, project):
                make_trouble(cluster, project, troubles.pop(0), chance.uniform(1, 15))
    finally:
        run.kill()
        # A node that was set down no longer hears from SLURM what to end.
        subprocess.run(["pkill", "-KILL", "-f", str(project.folder)])
    assert run.wait() == 0, log.read_text()
    assert len(troubles) <= 4  # each kind was dealt
    check_cell(project, finished)


def test_a_killed_driver_started_again_repeats_no_finished_job(cluster, project):
    run, arguments = long_run(project, steps=20_000)
    images = project.folder / "results/datasets/digits-tiny/train.parquet"
    wait_for((project.folder / CELL / "resume.safetensors").exists)
    made = images.stat().st_mtime_ns
    run.send_signal(signal.SIGKILL)
    run.wait()
    name = re.search(r"SLURM run ID: (\S+)", (project.folder / "driver.log").read_text())[1]
    subprocess.run(["scancel", "--name", name], check=True)  # as docs/cluster.md says
    wait_for(lambda: not subprocess.run(["squeue", "-h"], capture_output=True, text=True).stdout)
    project.snakemake(*arguments, "--unlock")
    output = project.snakemake(*arguments)
    assert "rule prepare_dataset" not in output
    assert images.stat().st_mtime_ns == made
    assert re.search(r"resumed at step [1-9]", (project.folder / LOG).read_text())


def test_a_job_that_fails_for_good_names_its_log_and_others_finish(cluster, project):
    broken = project.folder / "broken"
    broken.mkdir()
    (broken / "train.parquet").write_bytes(b"PAR1 and no more")
    (broken / "test.parquet").write_bytes(b"PAR1 and no more")
    (project.folder / "config/broken.yaml").write_text(
        "study: broken\narchitectures: [gru]\nprotocols: [vocu]\nmodes: []\ndatasets: [broken, digits-tiny]\n"
        f"presets: {{broken: {{base: digits-tiny, source: {{kind: parquet, path: {broken}}}}}}}\n"
    )
    output = project.snakemake(*QUICK, "--configfile", "config/broken.yaml", "--retries", "1", fails=True)
    log = Path("logs/prepare_dataset/broken.log")
    assert str(log) in output
    assert "train.parquet" in (project.folder / log).read_text()
    assert (project.folder / WEIGHTS).exists()
    assert (project.folder / CELL / "extrapolation.parquet").exists()
    assert not (project.folder / "results/datasets/broken").exists()
