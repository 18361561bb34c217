"""Faults: a run that is killed, out of space, forbidden or started twice leaves nothing half-written, and the same
command resumes it; irrelevant conditions change no byte."""

import contextlib
import os
import random
import shutil
import subprocess
import time

import psutil
import pytest
from projects import Project, kill

TEST = ("--cores", "2", "--configfile", "config/test.yaml")
KILLS = int(os.environ.get("KILLS", "20"))
LONGEST = 10.0  # seconds from the first job to a kill
CELL = "results/networks/digits-tiny/gru/vocu/trained/0-1"
TARGET = f"{CELL}/extrapolation.parquet"  # data set, training, a measure: half a minute

root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: file systems cannot be mounted")


def scripts(run):
    """Processes of a run that execute a rule's script."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(run.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                program, *arguments = process.cmdline() or [""]
                if "python" in program and any("/.snakemake/scripts/" in argument for argument in arguments):
                    found.append(process)
    return found


def kill_something(run, chance):
    """Kills a job, or the driver with all its jobs, like a power cut; returns which, when all have ended."""
    jobs = scripts(run)
    victim = chance.choice(["job", "driver"]) if jobs else "driver"
    if victim == "job":
        with contextlib.suppress(psutil.NoSuchProcess):
            chance.choice(jobs).kill()
        run.wait(300)
    else:
        kill(run)
    return victim


@pytest.mark.faults
def test_kills_at_random_moments_change_no_byte(finished, project):
    """The same command resumes after each kill; the study starts again if it finishes before all kills."""
    chance = random.Random(0)
    kills, ends = [], 0
    command = (*TEST, "--rerun-incomplete", "--config", "resume_minutes=0.01")
    while len(kills) < KILLS or not ends:
        with (project.folder / "driver.log").open("a") as log:
            run = project.start("all", *command, output=log)
        while chance.random() < 0.99 and run.poll() is None and not scripts(run):
            time.sleep(0.1)  # now and then it is killed while it plans
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(chance.uniform(0, LONGEST) if len(kills) < KILLS else 600)
        if run.poll() is None:
            kills.append(kill_something(run, chance))
        if run.returncode == 0:
            assert project.digests() == finished.digests()
            ends += 1
            if len(kills) < KILLS:
                shutil.rmtree(project.folder / "results")
        elif (project.folder / ".snakemake/locks").is_dir():
            project.snakemake("--unlock", *TEST)
    assert set(kills) == {"job", "driver"}


@pytest.mark.faults
def test_what_must_not_matter_changes_no_byte(finished, tmp_path):
    """Cores, order of jobs, hashes, time zone, language, and the name of the folder."""
    project = Project(tmp_path / "two words, Übung")
    order = ("results/test/figures/formation.pdf", "results/test/figures/regularisation.pdf")
    world = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati", "LC_ALL": "POSIX", "LANG": "tr_TR.UTF-8"}
    for target in (*order, "all"):
        project.snakemake(target, "--cores", "1", "--configfile", "config/test.yaml", **world)
    assert project.digests() == finished.digests()


@contextlib.contextmanager
def file_system(folder, size):
    """A file system in memory of limited size, mounted on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def whole(project, finished):
    """Whether results/ is the same as in an undisturbed run."""
    made, wanted = project.digests(), finished.digests()
    return all(wanted.get(file) == digest for file, digest in made.items())


@root
@pytest.mark.faults
def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_space(finished, project):
    results = project.folder / "results"
    images = sum(path.stat().st_size for path in (finished.folder / "results/datasets").rglob("*.parquet"))
    with file_system(results, images + 40_000):
        output = project.snakemake(TARGET, *TEST, fails=True)
        assert "No space left on device: 'results/networks/digits-tiny/gru/vocu/trained/0-1/" in output
        assert whole(project, finished)
        subprocess.run(["mount", "-o", "remount,size=100m", str(results)], check=True)
        project.snakemake(TARGET, *TEST)
        assert whole(project, finished)
        assert (project.folder / TARGET).is_file()


@root
@pytest.mark.faults
def test_results_that_may_only_be_read_are_named(finished, project):
    results = project.folder / "results"
    with file_system(results, 100_000_000):
        subprocess.run(["mount", "-o", "remount,ro", str(results)], check=True)
        output = project.snakemake(TARGET, *TEST, fails=True)
        assert "Read-only file system: " in output
        assert "results/datasets" in output
        assert not project.files()
        subprocess.run(["mount", "-o", "remount,rw", str(results)], check=True)
        project.snakemake(TARGET, *TEST)
        assert whole(project, finished)


@pytest.mark.faults
def test_results_that_one_may_not_write_are_named(finished, project):
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not here, and root may write everywhere without it")
    bound = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    results = project.folder / "results"
    results.mkdir(mode=0o555)
    output = project.snakemake(TARGET, *TEST, fails=True, under=bound)
    assert "Permission denied: " in output
    assert "results/datasets" in output
    assert not project.files()
    results.chmod(0o755)
    project.snakemake(TARGET, *TEST, under=bound)
    assert whole(project, finished)


@root
@pytest.mark.faults
def test_results_may_lie_on_another_file_system(finished, project, tmp_path):
    with file_system(tmp_path / "elsewhere", 100_000_000) as elsewhere:
        (project.folder / "results").symlink_to(elsewhere)
        project.snakemake(TARGET, *TEST)
        made = {str(path.relative_to(elsewhere)) for path in elsewhere.rglob("*") if path.is_file()}
        assert TARGET.removeprefix("results/") in made
        for file in made:
            assert (elsewhere / file).read_bytes() == (finished.folder / "results" / file).read_bytes(), file


@pytest.mark.faults
def test_a_second_driver_is_refused_and_disturbs_nothing(finished, project):
    with (project.folder / "first.log").open("w") as log, project.start(TARGET, *TEST, output=log) as first:
        deadline = time.monotonic() + 120
        while not (project.folder / "logs/prepare_dataset").is_dir():
            assert first.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        output = project.snakemake(TARGET, *TEST, "--rerun-incomplete", fails=True)
        assert first.poll() is None, "the first driver ended too soon for this test"
        assert "LockException" in output
        assert "--unlock" in output
    assert first.returncode == 0, (project.folder / "first.log").read_text()
    assert whole(project, finished)
