"""How far a study is, from its files and the progress that jobs report: on any machine that sees the files.

A job whose files are there counts as done; whether one would run again, `snakemake -n` says.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from slowpoints.core import jobs
from slowpoints.core.layout import DATASET, FIGURES, NETWORKS, PARTS, seeds_of_block
from slowpoints.core.modes import TRAINED
from slowpoints.core.progress import Progress, process_start, progress_path, read_progress, this_machine
from slowpoints.core.schemas.training import TRAINING
from slowpoints.plots import figures
from slowpoints.study import Study

DONE, FAILED, KILLED, RUNNING, SILENT, WAITING = STATES = (
    "done",
    "failed",
    "killed",
    "running",
    "no news",
    "waiting",
)
QUIET = 600  # seconds without a report after which a job may be dead; SLURM allows clocks to differ by 300
QUIET_STEPS = 5  # or so many times the time of a step, where steps take long


class Job(NamedTuple):
    """What is known of a job: its state, and in words how far it is."""

    rule: str
    state: str
    detail: str = ""


class Row(NamedTuple):
    """Jobs of a block in one mode, or of a data set."""

    names: tuple[str, ...]
    jobs: list[Job]

    @property
    def foremost(self) -> Job:
        """The job to look at first: one that failed, else one that runs, and so on; the first where all are done."""
        open_jobs = [job for state in STATES[1:] for job in self.jobs if job.state == state]
        return (open_jobs or self.jobs)[0]


def status(study: Study, folder: Path = Path()) -> str:
    """Every block of a study in every mode, a line each, and what is done in all.

    Args:
        study: the checked configuration.
        folder: where the workflow runs, with results/ and logs/.
    """
    now = time.time()
    blocks = list(_blocks(study, folder, now))
    rows = [row for row in _datasets(study, folder, now) if row.foremost.state != DONE] + blocks
    cells = [[*row.names, row.foremost.state, _words(row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(
        [f"study {study.name}, {datetime.fromtimestamp(now):%Y-%m-%d %H:%M}", *lines, *_totals(study, folder, blocks)]
    )


def _datasets(study: Study, folder: Path, now: float) -> Iterator[Row]:
    for dataset in study.presets:
        made = folder / DATASET.format(dataset=dataset) / f"{PARTS[-1]}.parquet"
        yield Row((dataset, "", "", "", ""), [_job(jobs.PREPARE, folder, [dataset], made, now)])


def _blocks(study: Study, folder: Path, now: float) -> Iterator[Row]:
    networks = folder / NETWORKS
    for cell in study.cells():
        tunings = study.tunings(cell, networks)
        for block in study.seed_blocks(cell, networks):
            for mode in [TRAINED, *(tuning.folder for tuning in tunings)]:
                place = networks.joinpath(*cell, mode, block)
                trained = mode == TRAINED
                rules = jobs.AS_TRAINED if trained else (jobs.TUNE,)
                names = [*cell, block] if trained else [*cell, mode, block]
                its_jobs = [_job(rule, folder, names, place / jobs.FILES[rule][-1], now) for rule in rules]
                if its_jobs[0].state == DONE:
                    its_jobs[0] = its_jobs[0]._replace(detail=_final_accuracy(place))
                yield Row((*cell, block, mode), its_jobs)


def _job(rule: str, folder: Path, names: list[str], made: Path, now: float) -> Job:
    """State of a job.

    Args:
        rule: its rule.
        folder: where the workflow runs.
        names: what it works on, as `jobs.log_file` takes it.
        made: the file that it writes last.
        now: seconds since the epoch.
    """
    if made.is_file():
        return Job(rule, DONE)
    file = progress_path(folder / jobs.log_file(rule, *names))
    progress, age = read_progress(file), _age(file, now)
    if progress is None or age is None:  # not begun, or it has finished in this moment
        return Job(rule, DONE if made.is_file() else WAITING)
    if progress.error:
        return Job(rule, FAILED, f"{rule}: {progress.error}")
    alive, how_far = _alive(progress), f"{rule}, {_how_far(progress)}"
    if alive is False:
        return Job(rule, KILLED, how_far)
    if age <= max(QUIET, QUIET_STEPS * progress.seconds_per_step):
        return Job(rule, RUNNING, how_far + _time_left(progress, age))
    if alive:
        return Job(rule, RUNNING, f"{how_far}, no step for {_duration(age)}")
    where = {"on": progress.node, "SLURM job": progress.slurm_job}
    known = [f"{name} {value}" for name, value in where.items() if value]
    return Job(rule, SILENT, f"for {_duration(age)}: {', '.join([how_far, *known])}")


def _age(file: Path, now: float) -> float | None:
    """Seconds since a file was written, 0 where another clock is ahead; None where it is gone."""
    try:
        return max(0.0, now - file.stat().st_mtime)
    except OSError:
        return None


def _alive(progress: Progress) -> bool | None:
    """Whether the process of a job still runs; None where this machine cannot tell."""
    if not progress.machine or progress.machine != this_machine():
        return None
    return process_start(progress.pid) == progress.process_start


def _how_far(progress: Progress) -> str:
    """Stage, step and accuracies, and the attempt from the second on."""
    stage = progress.stage or "starting"
    if progress.steps:
        total = f"at most {progress.steps}" if progress.at_most else progress.steps
        stage += f", {progress.unit} {progress.step} of {total}"
    accuracies = [f"{name} {value:.3f}" for name, value in progress.accuracy.items()]
    return ", ".join([*([f"attempt {progress.attempt}"] if progress.attempt > 1 else []), stage, *accuracies])


def _time_left(progress: Progress, age: float) -> str:
    """Time left in a stage, at the pace of its recent steps, where both the pace and the number of steps are known."""
    left = progress.seconds_per_step * (progress.steps - progress.step) - age
    return "" if progress.at_most or left < 1 else f", about {_duration(left)} left in this stage"


def _final_accuracy(place: Path) -> str:
    """Mean accuracies over the networks of a block at the end of their training, where its table has them."""
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
    """Of the foremost job; where that says nothing, accuracies at the end of training."""
    done = sum(job.state == DONE for job in row.jobs)
    count = f"{done} of {len(row.jobs)} jobs done" if 0 < done < len(row.jobs) else ""
    return "; ".join(filter(None, [row.foremost.detail or row.jobs[0].detail, count]))


def _totals(study: Study, folder: Path, blocks: list[Row]) -> list[str]:
    """What is done in all: networks, jobs on them, figures."""

    def networks(done: bool) -> int:
        return sum(
            sum(seed < study.seeds(row.names[0]) for seed in seeds_of_block(row.names[3]))
            for row in blocks
            if row.names[4] == TRAINED and (not done or row.jobs[0].state == DONE)
        )

    counts = Counter(job.state for row in blocks for job in row.jobs)
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
