"""Progress of jobs: the contents of the file, when it is written, and when it is removed."""

import itertools
import json
import os
import subprocess
import sys
import threading

import pytest

from slowpoints.core import progress
from slowpoints.core.progress import (
    Progress,
    ProgressFile,
    process_start,
    progress_in,
    progress_path,
    read_progress,
    report_stage,
)

WHOLE = Progress(stage="descent")._asdict()


@pytest.fixture
def file(tmp_path):
    return progress_path(tmp_path / "logs/rule/digits.gru.0-7.log")


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances only when its single entry is increased."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_the_file_lies_beside_the_log(tmp_path):
    assert progress_path(tmp_path / "digits.gru.0-7.log") == tmp_path / "digits.gru.0-7.progress.json"


def test_stage_steps_and_accuracy_are_reported(file, clock):
    with progress_in(file):
        assert read_progress(file).stage == ""
        with report_stage("training", 30, done=10, unit="step") as stage:
            assert read_progress(file)[6:10] == ("training", "step", 10, 30)
            clock[0] += progress.WRITE_EVERY
            stage.update(accuracy={"report": 0.5, "null": 1})
            written = read_progress(file)
        assert (written.step, written.accuracy) == (11, {"report": 0.5, "null": 1.0})
        with report_stage("spectrum"):
            written = read_progress(file)
            assert (written.stage, written.step, written.steps, written.accuracy) == ("spectrum", 0, 0, {})
    assert not list(file.parent.iterdir())


def test_it_is_written_every_other_second_at_most(file, clock, monkeypatch):
    write, times = ProgressFile.write, []

    def timed(self, **changes):
        times.append(clock[0])
        write(self, **changes)

    monkeypatch.setattr(ProgressFile, "write", timed)
    with progress_in(file), report_stage("training", 1000) as stage:
        for _ in range(1000):
            clock[0] += 1 / 64
            stage.update()
    assert len(times) == 2 + 1000 // (64 * progress.WRITE_EVERY)  # and at the start of the job, and of the stage
    assert {later - when for when, later in itertools.pairwise(times[1:])} == {progress.WRITE_EVERY}


def test_the_pace_is_that_of_recent_steps_without_the_first(file, clock):
    """The first step takes 100 s, those after it 1 s each, and later 0.25 s."""
    with progress_in(file), report_stage("training", 10_000) as stage:
        clock[0] += 100
        stage.update()
        assert read_progress(file).seconds_per_step == 0  # not known yet
        for seconds in (1, 0.25):
            for _ in range(1000):
                clock[0] += seconds
                stage.update()
            assert read_progress(file).seconds_per_step == seconds


def test_the_pace_is_known_from_the_first_write_of_a_step(file, clock):
    with progress_in(file), report_stage("training", 100) as stage:
        while not read_progress(file).step:
            clock[0] += 0.125
            stage.update()
        assert read_progress(file)[8:12] == (16, 100, False, 0.125)


def test_a_stage_within_another_is_not_reported(file, clock):
    with progress_in(file), report_stage("formation", 5):
        with report_stage("deep search", 100) as inner:
            clock[0] += 60
            inner.update()
        assert read_progress(file)[6:10] == ("formation", "step", 0, 5)
    with progress_in(file), report_stage("accuracy"):  # the last one has ended
        assert read_progress(file).stage == "accuracy"


def test_a_stage_that_fails_is_over(file):
    with pytest.raises(ZeroDivisionError), report_stage("descent"):
        raise ZeroDivisionError
    with progress_in(file), report_stage("deep search"):
        assert read_progress(file).stage == "deep search"


def test_a_failure_stays_and_the_next_attempt_counts(file):
    def fail():
        with progress_in(file), report_stage("training", 5):
            begun.append(read_progress(file))
            raise ValueError("too wide")

    begun = []
    for attempt in (1, 2):
        with pytest.raises(ValueError, match="too wide"):
            fail()
        assert (begun[-1].attempt, begun[-1].error) == (attempt, "")
        assert read_progress(file).error == "ValueError: too wide"
    with progress_in(file):
        assert read_progress(file).attempt == 3
    assert read_progress(file) is None
    with progress_in(file):
        assert read_progress(file).attempt == 1


def test_work_without_a_file_reports_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with report_stage("descent", 3) as stage:
        stage.update()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_ends_no_job(tmp_path, clock):
    (tmp_path / "logs").write_text("a file, not a folder")
    file = progress_path(tmp_path / "logs/job.log")
    with progress_in(file), report_stage("training", 5) as stage:
        clock[0] += 60
        stage.update()
    assert read_progress(file) in (None, Progress())


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", *map(json.dumps, (WHOLE | {"attempt": "two"}, WHOLE | {"accuracy": {"a": "b"}}))],
)
def test_a_damaged_file_says_nothing_but_that_there_is_one(file, text):
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert read_progress(file) == Progress()


def test_files_of_other_versions_are_read(file):
    file.parent.mkdir(parents=True)
    for text in (json.dumps(WHOLE | {"colour": "red"}), '{"stage": "descent"}'):
        file.write_text(text)
        assert read_progress(file) == Progress(stage="descent")


def test_no_reader_meets_half_a_file(file):
    over = threading.Event()
    with progress_in(file), report_stage("training", 10**6) as stage:

        def write():
            while not over.is_set():
                stage.file.write(error="x" * 10_000)

        writer = threading.Thread(target=write)
        writer.start()
        seen = {read_progress(file).stage for _ in range(500)}
        over.set()
        writer.join()
    assert seen == {"training"}


def test_it_says_which_process_writes(file, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with progress_in(file):
        written = read_progress(file)
    assert (written.pid, written.slurm_job) == (os.getpid(), "17")
    assert written.process_start == process_start(os.getpid()) > 0


def test_a_process_that_has_ended_has_no_start():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert process_start(child.pid) > 0
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(child.pid) == 0  # before anyone has asked how it ended
    assert process_start(child.pid) == 0


def test_the_outermost_stage_alone_has_a_bar_and_only_on_a_terminal(monkeypatch, capsys):
    def stages():
        with report_stage("outer", 2, bar=True) as outer, report_stage("inner", 2, bar=True) as inner:
            inner.update()
            outer.update()
        return capsys.readouterr().err

    assert stages() == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = stages()
    assert "outer" in shown
    assert "inner" not in shown
