"""SLURM's queue: its jobs, and what to do about those that can never start."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

SECONDS = 30.0
"""Between two queries of the queue."""
LONGEST = 60  # characters of a comment that are shown, since that of a group names all its rules
TOO_LARGE = (
    'it requests more than its partition allows per job: `sinfo -o "%P %c %m %l %G"` lists the cores, megabytes, time '
    "and GPUs of each; request less (--set-resources RULE:mem_mb=... or RULE:runtime=..., --cores 1 for groups), or "
    "name another slurm_partition"
)
LIMIT = (
    "it requests more than your account or its quality of service allows per job: `sacctmgr show qos` and `sacctmgr "
    "show associations user=$USER` list the limits; request less (--set-resources), or name another slurm_account or "
    "qos"
)
MINIMUM = (
    "it requests less than its quality of service demands, like a job without a GPU where every job must have one: "
    "name another slurm_partition or qos"
)
REFUSED = (
    "your account or quality of service may not use the partition, or does not exist: `sacctmgr show associations "
    "user=$USER` lists yours; name one as slurm_account (or qos) in the profile"
)
CONSTRAINT = (
    'no node of its partition has the requested `constraint` or type of GPU: `sinfo -o "%P %f %G"` lists those '
    "available"
)
HELD = "it is held, by you, by an administrator, or because its launch failed: `scontrol release {id}` releases it"
FORSAKEN = "a job that it depends on has failed: `scancel {id}`, and Snakemake submits it again"
ALONE = (
    "none of your jobs runs, so it exceeds the limit by itself: request less (--set-resources), or name another "
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
"""Patterns of reasons that waiting does not resolve, and what does resolve them; `{id}` is that of the job."""
OF_OWN_JOBS = re.compile(r"QOSMax\w+PerUser(Limit)?|AssocMaxJobsLimit")
"""Limits on all jobs of a user together, which are resolved when one of them ends."""


@dataclass(frozen=True)
class QueuedJob:
    """A job in SLURM's queue.

    Attributes:
        id: number of the job, as text.
        state: state, such as PENDING.
        reason: reason why it waits, as `squeue` states it.
        comment: comment that the executor sets: rule and wildcards, or group and rules.
        folder: folder from which it was submitted.
    """

    id: str
    state: str
    reason: str
    comment: str
    folder: str


def remedy(reason: str, *, others_run: bool = True) -> str | None:
    """What to do about a reason that waiting does not resolve; None if waiting may resolve it.

    Args:
        reason: as `squeue --format %r` prints it.
        others_run: whether other jobs of the user run, whose end would make room under a limit on all of them.
    """
    for pattern, advice in HOPELESS:
        if re.fullmatch(pattern, reason):
            return advice
    return ALONE if not others_run and OF_OWN_JOBS.fullmatch(reason) else None


def stuck(jobs: Iterable[QueuedJob], folder: Path) -> dict[str, str]:
    """A line about each job that was submitted from the folder and can never start as it is, by its id.

    `jobs` are all jobs of the user.
    """
    jobs = list(jobs)
    others_run = any(job.state != "PENDING" for job in jobs)
    lines = {}
    for job in jobs:
        advice = remedy(job.reason, others_run=others_run) if job.state == "PENDING" else None
        if advice is not None and Path(job.folder) == folder:
            lines[job.id] = (
                f"SLURM job {job.id} ({job.comment[:LONGEST]}) cannot start as it is, however long it waits "
                f"({job.reason}): {advice.replace('{id}', job.id)}. See docs/cluster.md, When a job waits."
            )
    return lines


def comment(rule: str, *wildcards: str) -> str:
    """The executor's comment on the job of a rule outside groups (`run_job` in snakemake_executor_plugin_slurm)."""
    return f"rule_{rule}_wildcards_{'_'.join(wildcards)}"


def queued_jobs(timeout: float = 60) -> list[QueuedJob]:
    """The user's pending and running jobs.

    Args:
        timeout: seconds to wait for an answer.

    Raises:
        OSError, subprocess.SubprocessError: if `squeue` is not installed, or does not answer.
    """
    command = ["squeue", "--me", "--noheader", "--format=%i|%T|%r|%k|%Z"]
    answer = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=timeout
    )
    rows = [line.split("|", 4) for line in answer.stdout.splitlines()]
    return [QueuedJob(*row) for row in rows if len(row) == 5]


def _pause() -> None:
    time.sleep(SECONDS)


def watch(folder: Path, say: Callable[[str], object], pause: Callable[[], object] = _pause) -> None:
    """Reports each job from a folder that can never start, once; never returns.

    A job is reported when two queries in a row agree, since reasons come and go while a controller starts.

    Args:
        folder: folder from which the jobs are submitted.
        say: function that takes a line of text.
        pause: function that waits until the next query.
    """
    before: dict[str, str] = {}
    reported: set[str] = set()
    while True:
        pause()
        with contextlib.suppress(OSError, subprocess.SubprocessError):  # the controller may be down for a while
            now = stuck(queued_jobs(), folder)
            for job, line in now.items():
                if line not in reported and before.get(job) == line:
                    reported.add(line)
                    say(line)
            before = now
