"""What SLURM says of jobs that wait: which of its reasons no waiting resolves, and what to do about each."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

SECONDS = 30.0
"""Between two looks at the queue."""
LONGEST = 60  # characters of a comment that are shown: that of a group names all its rules
TOO_LARGE = (
    'it asks for more than its partition gives to a job: `sinfo -o "%P %c %m %l %G"` lists the cores, megabytes, time '
    "and GPUs of each; ask for less (--set-resources RULE:mem_mb=... or RULE:runtime=..., --cores 1 for groups), or "
    "name another slurm_partition"
)
LIMIT = (
    "it asks for more than your account or its quality of service gives to one job: `sacctmgr show qos` and `sacctmgr "
    "show associations user=$USER` list the limits; ask for less (--set-resources), or name another slurm_account or "
    "qos"
)
MINIMUM = (
    "it asks for less than its quality of service demands, as jobs without a GPU do where every job must have one: "
    "name another slurm_partition or qos"
)
REFUSED = (
    "your account, or the quality of service, may not use the partition, or does not exist: `sacctmgr show "
    "associations user=$USER` lists yours; name one as slurm_account (or qos) in the profile"
)
CONSTRAINT = (
    'no node of its partition has what `constraint`, or the kind of GPU, asks for: `sinfo -o "%P %f %G"` lists what '
    "there is"
)
HELD = "it is held, by you, by an administrator, or since its launch failed: `scontrol release {id}` lets it go on"
FORSAKEN = "a job that it waits for has failed: `scancel {id}`, and Snakemake submits it again"
ALONE = (
    "none of your jobs runs, so that it is over the limit by itself: ask for less (--set-resources), or for another "
    "slurm_account or qos"
)
HOPELESS: tuple[tuple[str, str], ...] = (
    (r"Partition(Config|NodeLimit|TimeLimit)", TOO_LARGE),
    (r"QOSMin\w+", MINIMUM),
    (r"(QOS|Assoc)Max\w+Per(Job|Node)(Limit)?|MaxMemPerLimit", LIMIT),
    (r"(Account|QOS)NotAllowed|Invalid(Account|QOS)", REFUSED),
    (r"BadConstraints", CONSTRAINT),
    (r"JobHeld(Admin|User)|JobHoldMaxRequeue|.*requeued held", HELD),
    (r"DependencyNeverSatisfied", FORSAKEN),
)
"""Patterns of reasons that stay until somebody does something, and what that is; `{id}` is the job's."""
OF_OWN_JOBS = re.compile(r"QOSMax\w+PerUser(Limit)?|AssocMaxJobsLimit")
"""Limits on what a user's jobs have at a time: they pass when one of these ends."""


@dataclass(frozen=True)
class QueuedJob:
    """A job in SLURM's queue.

    Attributes:
        id: of the job, as text.
        state: such as PENDING.
        reason: why it waits, as `squeue` says.
        comment: what the executor calls it: rule and wildcards, or group and rules.
        folder: from which it was submitted.
    """

    id: str
    state: str
    reason: str
    comment: str
    folder: str


def remedy(reason: str, *, others_run: bool = True) -> str | None:
    """What to do about a reason that waiting does not resolve; None where it may.

    Args:
        reason: as `squeue --format %r` says.
        others_run: whether other jobs of the user run, whose end makes room under a limit on all of them.
    """
    for pattern, what in HOPELESS:
        if re.fullmatch(pattern, reason):
            return what
    return ALONE if not others_run and OF_OWN_JOBS.fullmatch(reason) else None


def stuck(jobs: Iterable[QueuedJob], folder: Path) -> dict[str, str]:
    """Of a user's jobs those submitted from a folder that can never start as they are: a line on each, by its id."""
    jobs = list(jobs)
    others_run = any(job.state != "PENDING" for job in jobs)
    lines = {}
    for job in jobs:
        what = remedy(job.reason, others_run=others_run) if job.state == "PENDING" else None
        if what is not None and Path(job.folder) == folder:
            lines[job.id] = (
                f"SLURM job {job.id} ({job.comment[:LONGEST]}) cannot start as it is, however long it waits "
                f"({job.reason}): {what.replace('{id}', job.id)}. See docs/cluster.md, When a job waits."
            )
    return lines


def queued_jobs() -> list[QueuedJob]:
    """Jobs of the user that wait or run.

    Raises:
        OSError, subprocess.SubprocessError: if `squeue` is not there, or gets no answer.
    """
    command = ["squeue", "--me", "--noheader", "--format=%i|%T|%r|%k|%Z"]
    answer = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=60)
    rows = [line.split("|", 4) for line in answer.stdout.splitlines()]
    return [QueuedJob(*row) for row in rows if len(row) == 5]


def _pause() -> None:
    time.sleep(SECONDS)


def watch(folder: Path, say: Callable[[str], object], pause: Callable[[], object] = _pause) -> None:
    """Says of each job from a folder, once, that it can never start; does not come back.

    Nothing is said before two looks agree: while a controller starts, reasons come and go.

    Args:
        folder: from which the jobs are submitted.
        say: takes a line of text.
        pause: waits until the next look.
    """
    before: dict[str, str] = {}
    told: set[str] = set()
    while True:
        pause()
        with contextlib.suppress(OSError, subprocess.SubprocessError):  # a controller that is away for a while
            now = stuck(queued_jobs(), folder)
            for job, line in now.items():
                if line not in told and before.get(job) == line:
                    told.add(line)
                    say(line)
            before = now
