"""Progress of a job: a bar on a terminal, and a small file that `slowpoints status` reads.

Work reports its stages (`report_stage`) without knowing where the reports go. Only the outermost stage counts: a search
within a longer stage is not reported.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

WRITE_EVERY = 2.0  # minimum seconds between two writes of a stage
RECENT_WRITES = 16  # number of writes over which the time per step is averaged


class Progress(NamedTuple):
    """Contents of a progress file, which a job removes when it finishes, and leaves when it fails or is killed.

    Attributes:
        attempt: 1, and one more for each unfinished attempt before it.
        node: name of the computer.
        machine: as `this_machine` returns it there.
        pid: number of the process.
        process_start: as `process_start` returns it there.
        slurm_job: number of the SLURM job, if any.
        stage: what the job is doing; empty at its start.
        unit: unit of steps: "step", "frame", ...
        step: number of steps done.
        steps: number of steps to do; 0 if they are not counted.
        at_most: whether the stage may end before the last step.
        seconds_per_step: mean over recent steps; 0 if unknown.
        accuracy: mean accuracies over the networks, by name.
        error: why the job failed; empty while it runs.
    """

    attempt: int = 1
    node: str = ""
    machine: str = ""
    pid: int = 0
    process_start: int = 0
    slurm_job: str = ""
    stage: str = ""
    unit: str = "step"
    step: int = 0
    steps: int = 0
    at_most: bool = False
    seconds_per_step: float = 0.0
    accuracy: Mapping[str, float] = {}
    error: str = ""


class ProgressFile:
    """The progress file of a running job.

    Args:
        path: the file; if it exists, it is from an earlier attempt.
    """

    def __init__(self, path: Path):
        self.path = path
        earlier, pid = read_progress(path), os.getpid()
        attempt = 1 if earlier is None else earlier.attempt + 1
        slurm_job = os.environ.get("SLURM_JOB_ID", "")
        self.progress = Progress(attempt, platform.node(), this_machine(), pid, process_start(pid), slurm_job)
        self.write()

    def write(self, **changes: Any) -> None:
        """Replaces the file by one with these attributes changed; does nothing if it cannot be written.

        `files.atomic` would wait for the disk, but this file matters only while the job runs.
        """
        self.progress = self.progress._replace(**changes)
        self.written = time.monotonic()
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self.progress._asdict()), encoding="utf-8")
            temporary.replace(self.path)

    def remove(self) -> None:
        """Removes the file."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


_file: ContextVar[ProgressFile | None] = ContextVar("progress file", default=None)
_in_stage: ContextVar[bool] = ContextVar("in a stage", default=False)


def progress_path(log: str | Path) -> Path:
    """The progress file of the job with this log."""
    return Path(log).with_suffix(".progress.json")


@contextlib.contextmanager
def progress_in(path: Path) -> Iterator[None]:
    """Context whose stages are reported in this file, which is removed unless the work fails."""
    file = ProgressFile(path)
    token = _file.set(file)
    try:
        yield
    except BaseException as error:
        file.write(error=traceback.format_exception_only(error)[-1].strip())
        raise
    finally:
        _file.reset(token)
    file.remove()


def read_progress(path: Path) -> Progress | None:
    """Contents of a progress file; None if there is none, the defaults if it is damaged."""
    for _ in range(2):  # a file that is replaced while another node reads it may be reported as stale
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
            defaults = Progress()._asdict()  # for entries that another version of the code does not write
            progress = Progress(**{name: type(value)(entries.get(name, value)) for name, value in defaults.items()})
            return progress._replace(accuracy={name: float(value) for name, value in progress.accuracy.items()})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, AttributeError, OverflowError):
            continue
    return Progress()


class ReportedStage:
    """Counts the steps of a stage.

    Args:
        file: progress file in which to report them, if any.
        bar: progress bar, which may be disabled.
        done: number of steps done before.
    """

    def __init__(self, file: ProgressFile | None, bar: tqdm, done: int):
        self.file, self.bar, self.done = file, bar, done
        self.recent: deque[tuple[float, int]] = deque(maxlen=RECENT_WRITES)

    def update(self, steps: int = 1, accuracy: Mapping[str, float] | None = None) -> None:
        """Reports further steps, and accuracies by name, if any."""
        self.bar.update(steps)
        self.done += steps
        if self.file is None:
            return
        now = time.monotonic()
        if not self.recent:  # the first step, which may compile code, says little about the others
            self.recent.append((now, self.done))
        if now - self.file.written >= WRITE_EVERY:
            self.recent.append((now, self.done))
            self.file.write(step=self.done, seconds_per_step=self._seconds_per_step(), accuracy=dict(accuracy or {}))

    def _seconds_per_step(self) -> float:
        (first, before), (last, after) = self.recent[0], self.recent[-1]
        return (last - first) / (after - before) if after > before else 0.0


@contextlib.contextmanager
def report_stage(
    name: str, steps: int = 0, *, done: int = 0, unit: str = "step", at_most: bool = False, bar: bool = False
) -> Iterator[ReportedStage]:
    """A stage of work, reported unless it is part of another.

    Args:
        name: name of the stage.
        steps: number of steps to do; 0 if they are not counted.
        done: number of steps done in an earlier attempt.
        unit: unit of steps.
        at_most: whether it may end before the last step, so that the time left cannot be estimated.
        bar: whether to show a progress bar on a terminal.
    """
    outermost = not _in_stage.get()
    file = _file.get() if outermost else None
    if file is not None:
        file.write(stage=name, unit=unit, step=done, steps=steps, at_most=at_most, seconds_per_step=0.0, accuracy={})
    token = _in_stage.set(True)
    hidden = not (bar and outermost and sys.stderr.isatty())
    try:
        with tqdm(total=steps, initial=done, desc=name, unit=unit, disable=hidden) as shown:
            yield ReportedStage(file, shown, done)
    finally:
        _in_stage.reset(token)


def this_machine() -> str:
    """Identifies the running system and user, within which process numbers can be looked up; empty if unknown.

    The computer's name is not enough, since nodes or containers may share it. Other users' processes may be hidden.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()} {os.getuid()}"
    except OSError:  # not Linux
        return ""


def process_start(pid: int) -> int:
    """When a process of this machine began, in clock ticks since the start of the system; 0 if it has ended."""
    try:
        entry = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *rest = entry.rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if state in "ZX" else int(rest[18])
