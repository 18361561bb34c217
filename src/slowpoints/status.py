"""Progress of a study, from its files, the progress that jobs report and SLURM's queue, if there is one.

A job whose files exist counts as done; `snakemake -n` shows whether it would run again.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from slowpoints.core import jobs, slurm
from slowpoints.core.layout import DATASET, FIGURES, NETWORKS, PARTS, seeds_of_block
from slowpoints.core.modes import TRAINED
from slowpoints.core.progress import Progress, process_start, progress_path, read_progress, this_machine
from slowpoints.core.schemas.training import TRAINING
from slowpoints.plots import figures
from slowpoints.study import Study

DONE, FAILED, KILLED, RUNNING, SILENT, QUEUED, WAITING = STATES = (
    *("done", "failed", "killed", "running", "no news", "queued", "waiting"),
)
QUIET = 600  # seconds without a report after which a job may be dead; SLURM allows clocks to differ by 300
QUIET_STEPS = 5  # the same in steps, for long ones
PATIENCE = 10  # seconds for SLURM's answer


class Job(NamedTuple):
    """State of a job, and its progress in words."""

    rule: str
    state: str
    detail: str = ""


class Row(NamedTuple):
    """Jobs of a seed block in one mode, or of a data set."""

    names: tuple[str, ...]
    jobs: list[Job]

    @property
    def foremost(self) -> Job:
        """The job to look at first: one that failed, else one that runs, and so on; the first if all are done."""
        open_jobs = [job for state in STATES[1:] for job in self.jobs if job.state == state]
        return (open_jobs or self.jobs)[0]


class Scene(NamedTuple):
    """Where and when jobs are observed.

    Attributes:
        folder: where the workflow runs, with results/ and logs/.
        now: seconds since the epoch.
        queue: the user's jobs in SLURM's queue; None where it cannot be queried.
    """

    folder: Path
    now: float
    queue: list[slurm.QueuedJob] | None

    def submitted(self, rule: str, names: list[str]) -> slurm.QueuedJob | None:
        """The job of a rule in the queue, as submitted from the folder; None if there is none, or it is in a group."""
        comment, folder = slurm.comment(rule, *names), self.folder.resolve()
        return next((job for job in self.queue or () if job.comment == comment and Path(job.folder) == folder), None)

    def with_id(self, job_id: str) -> slurm.QueuedJob | None:
        """The job in the queue with this number."""
        return next((job for job in self.queue or () if job.id == job_id), None)

    def shows(self, progress: Progress) -> bool:
        """Whether the queue would contain a job, which it does for the user's own SLURM jobs alone."""
        return self.queue is not None and bool(progress.slurm_job) and progress.machine.endswith(f" {os.getuid()}")


def status(study: Study, folder: Path = Path()) -> str:
    """Every seed block of a study in every mode, a line each, then totals, and jobs that SLURM can never start.

    Args:
        study: the checked configuration.
        folder: where the workflow runs, with results/ and logs/.
    """
    scene = Scene(folder, time.time(), _queue())
    seed_blocks = list(_seed_blocks(study, scene))
    rows = [row for row in _datasets(study, scene) if row.foremost.state != DONE] + seed_blocks
    cells = [[*row.names, row.foremost.state, _words(row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    title = f"study {study.name}, {datetime.fromtimestamp(scene.now):%Y-%m-%d %H:%M}"
    stuck = slurm.stuck(scene.queue or (), folder.resolve()).values()
    return "\n".join([title, *lines, *_totals(study, folder, seed_blocks), *stuck])


def _queue() -> list[slurm.QueuedJob] | None:
    try:
        return slurm.queued_jobs(PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return None


def _datasets(study: Study, scene: Scene) -> Iterator[Row]:
    for dataset in study.presets:
        made = scene.folder / DATASET.format(dataset=dataset) / f"{PARTS[-1]}.parquet"
        yield Row((dataset, "", "", "", ""), [_job(jobs.PREPARE, [dataset], made, scene)])


def _seed_blocks(study: Study, scene: Scene) -> Iterator[Row]:
    networks = scene.folder / NETWORKS
    for cell in study.cells():
        tunings = study.tunings(cell, networks)
        for seed_block in study.seed_blocks(cell, networks):
            for mode in [TRAINED, *(tuning.folder for tuning in tunings)]:
                place = networks.joinpath(*cell, mode, seed_block)
                trained = mode == TRAINED
                rules = jobs.AS_TRAINED if trained else (jobs.TUNE,)
                names = [*cell, seed_block] if trained else [*cell, mode, seed_block]
                its_jobs = [_job(rule, names, place / jobs.FILES[rule][-1], scene) for rule in rules]
                if its_jobs[0].state == DONE:
                    its_jobs[0] = its_jobs[0]._replace(detail=_final_accuracy(place))
                yield Row((*cell, seed_block, mode), its_jobs)


def _job(rule: str, names: list[str], made: Path, scene: Scene) -> Job:
    """State of a job.

    Args:
        rule: its rule.
        names: its wildcards, as `jobs.log_file` takes them.
        made: the file that it writes last.
        scene: where and when it is observed.
    """
    if made.is_file():
        return Job(rule, DONE)
    file = progress_path(scene.folder / jobs.log_file(rule, *names))
    progress, age = read_progress(file), _age(file, scene.now)
    submitted = scene.submitted(rule, names)
    if submitted and (progress is None or progress.slurm_job != submitted.id):  # an attempt that has not begun yet
        return _in_slurm(rule, submitted, "starting", progress.error if progress else "")
    if progress is None or age is None:  # not begun, or finished just now
        return Job(rule, DONE if made.is_file() else WAITING)
    if progress.error:
        return Job(rule, FAILED, f"{rule}: {progress.error}")
    alive, how_far = _alive(progress), _how_far(progress)
    if alive is False:
        return Job(rule, KILLED, f"{rule}, {how_far}")
    if age <= max(QUIET, QUIET_STEPS * progress.seconds_per_step):
        return Job(rule, RUNNING, f"{rule}, {how_far}{_time_left(progress, age)}")
    silence = f"no step for {_duration(age)}"
    if alive:
        return Job(rule, RUNNING, f"{rule}, {how_far}, {silence}")
    if scene.shows(progress):
        queued = scene.with_id(progress.slurm_job)
        if queued is None:
            return Job(rule, KILLED, f"{rule}, {how_far}, SLURM job {progress.slurm_job} is no longer in the queue")
        return _in_slurm(rule, queued, f"{how_far}, {silence}")
    where = {"on": progress.node, "SLURM job": progress.slurm_job}
    known = [f"{name} {value}" for name, value in where.items() if value]
    return Job(rule, SILENT, f"for {_duration(age)}: {', '.join([rule, how_far, *known])}")


def _in_slurm(rule: str, job: slurm.QueuedJob, how_far: str, error: str = "") -> Job:
    """A job that SLURM runs or will run, of which no recent progress is known."""
    if job.state == "PENDING":
        return Job(rule, QUEUED, f"{rule}, SLURM job {job.id} ({job.reason})" + (f", after {error}" if error else ""))
    return Job(rule, RUNNING, f"{rule}, {how_far}, SLURM job {job.id}")


def _age(file: Path, now: float) -> float | None:
    """Seconds since a file was written, 0 if another clock is ahead; None if it is gone."""
    try:
        return max(0.0, now - file.stat().st_mtime)
    except OSError:
        return None


def _alive(progress: Progress) -> bool | None:
    """Whether the process of a job still runs; None if this machine cannot tell."""
    if not progress.machine or progress.machine != this_machine():
        return None
    return process_start(progress.pid) == progress.process_start


def _how_far(progress: Progress) -> str:
    """Attempt from the second on, stage, step and accuracies."""
    stage = progress.stage or "starting"
    if progress.steps:
        total = f"at most {progress.steps}" if progress.at_most else progress.steps
        stage += f", {progress.unit} {progress.step} of {total}"
    accuracies = [f"{name} {value:.3f}" for name, value in progress.accuracy.items()]
    return ", ".join([*([f"attempt {progress.attempt}"] if progress.attempt > 1 else []), stage, *accuracies])


def _time_left(progress: Progress, age: float) -> str:
    """Time left in a stage at the pace of its recent steps, if both the pace and the number of steps are known."""
    left = progress.seconds_per_step * (progress.steps - progress.step) - age
    return "" if progress.at_most or left < 1 else f", about {_duration(left)} left in this stage"


def _final_accuracy(place: Path) -> str:
    """Mean accuracies over the networks of a seed block at the end of their training, if its table has them."""
    from slowpoints.core.tables import read_table

    try:
        history = read_table(place / jobs.table_file(TRAINING), TRAINING)
    except (OSError, ValueError):
        return ""
    if history.empty:  # fine-tuned for no steps
        return ""
    last = history[history["step"] == history["step"].max()]
    return f"report {last['report_accuracy'].mean():.3f}, null {last['null_accuracy'].mean():.3f}"


def _words(row: Row) -> str:
    """Detail of the foremost job, or else of the first, and how many jobs are done."""
    done = sum(job.state == DONE for job in row.jobs)
    count = f"{done} of {len(row.jobs)} jobs done" if 0 < done < len(row.jobs) else ""
    return "; ".join(filter(None, [row.foremost.detail or row.jobs[0].detail, count]))


def _totals(study: Study, folder: Path, seed_blocks: list[Row]) -> list[str]:
    """Networks, jobs on them and figures, done and in all."""

    def networks(done: bool) -> int:
        return sum(
            sum(seed < study.seeds(row.names[0]) for seed in seeds_of_block(row.names[3]))
            for row in seed_blocks
            if row.names[4] == TRAINED and (not done or row.jobs[0].state == DONE)
        )

    counts = Counter(job.state for row in seed_blocks for job in row.jobs)
    wanted = [name for name in figures.FIGURES if name not in figures.TUNED or study.config["modes"]]
    drawn = sum((folder / FIGURES.format(study=study.name) / f"{name}.pdf").is_file() for name in wanted)
    begun = any((folder / made).is_dir() for made in ("logs", NETWORKS))
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state] or state == DONE)
    return [
        f"{networks(True)} of {networks(False)} networks trained; of {counts.total()} jobs on them {states}; "
        f"{drawn} of {len(wanted)} figures drawn",
        *([] if begun else [f"nothing has run yet in {folder.absolute()}: is it the folder that snakemake runs in?"]),
    ]


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 2880 else f"{minutes // 1440} days"
