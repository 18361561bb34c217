"""How far a study is, from its files and logs alone: on any machine that sees them, while jobs run on others.

A job whose files are there counts as done; whether one would run again, `snakemake -n` says.
"""

from __future__ import annotations

import itertools
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from slowpoints.core.files import WEIGHTS
from slowpoints.core.layout import DATASET, FIGURES, NETWORKS, block_seeds
from slowpoints.core.modes import TRAINED
from slowpoints.plots import figures
from slowpoints.study import Study

DONE, FAILED, RUNNING, SILENT, WAITING = STATES = ("done", "failed", "running", "no news", "waiting")
QUIET = 600  # seconds without a line after which a job may be dead
QUIET_STEPS = 5  # or so many times the time between two lines, where steps take long
LOGGED = 100  # lines of a whole training, of all networks together (training/loop.py)
LAST_WRITTEN = {
    "train_networks": WEIGHTS,
    "measure_memory": "extrapolation_by_noise.parquet",
    "find_slow_points": "trajectories.parquet",
    "track_formation": "formation.parquet",
    "regularise_networks": WEIGHTS,
}
"""Of each rule that works on a block, the file that it writes last."""
MEASURES = ("measure_memory", "find_slow_points", "track_formation")

_START = re.compile(r"^---- .*\n?", re.MULTILINE)  # of an attempt at a job, as scripts/_job.py writes it
_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ (.*)$", re.MULTILINE)
_STEP = re.compile(r"step (\d+): mean loss \S+, (report \S+, null \S+)$")
_TRACEBACK = "Traceback (most recent call last)"


class Found(NamedTuple):
    """What is known of a job: its state, and in words how far it is."""

    rule: str
    state: str
    detail: str = ""


class Row(NamedTuple):
    """Jobs of a block in one mode, or of a data set."""

    names: tuple[str, ...]
    jobs: list[Found]

    @property
    def foremost(self) -> Found:
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
        made = folder / DATASET.format(dataset=dataset) / "test.parquet"
        yield Row((dataset, "", "", "", ""), [_find("prepare_dataset", folder, dataset, made, now)])


def _blocks(study: Study, folder: Path, now: float) -> Iterator[Row]:
    networks = folder / NETWORKS
    for cell in study.cells():
        preset, tunings = study.presets[cell[0]], study.tunings(cell, networks)
        for block in study.blocks(cell, networks):
            for mode in [TRAINED, *(tuning.folder for tuning in tunings)]:
                place = networks.joinpath(*cell, mode, block)
                rules: tuple[str, ...] = ("regularise_networks",)
                name, steps = [*cell, mode, block], preset.regularisation.steps
                if mode == TRAINED:
                    rules, name, steps = ("train_networks", *MEASURES), [*cell, block], preset.training.steps
                jobs = [_find(rule, folder, ".".join(name), place / LAST_WRITTEN[rule], now, steps) for rule in rules]
                yield Row((*cell, block, mode), jobs)


def _find(rule: str, folder: Path, name: str, made: Path, now: float, steps: int = 0) -> Found:
    """State of a job.

    Args:
        rule: its rule.
        folder: where the workflow runs.
        name: of its log, without `.log`.
        made: the file that it writes last.
        now: seconds since the epoch.
        steps: that it optimises for, if it does.
    """
    log = folder / "logs" / rule / f"{name}.log"
    try:
        text, changed = log.read_text(errors="replace"), log.stat().st_mtime
    except FileNotFoundError:  # not begun, or made elsewhere
        return Found(rule, DONE if made.is_file() else WAITING)
    attempts = _START.split(text)[1:]
    lines = [(datetime.fromisoformat(when), words) for when, words in _LINE.findall(attempts[-1] if attempts else "")]
    marks = [(when, mark) for when, words in lines if (mark := _STEP.match(words))]
    if made.is_file():
        return Found(rule, DONE, marks[-1][1][2] if marks else "")
    if attempts and _TRACEBACK in attempts[-1]:
        return Found(rule, FAILED, f"{rule}: {attempts[-1].strip().splitlines()[-1]}")
    words, pace, age = lines[-1][1] if lines else "begun", _seconds_a_step(marks), max(0.0, now - changed)
    left = ""
    if marks and lines[-1] == (marks[-1][0], marks[-1][1].string):  # it still optimises
        step = int(marks[-1][1][1]) + 1
        words = f"step {step} of {steps}, {marks[-1][1][2]}"
        left = "" if pace is None else f", about {_duration(max(0.0, pace * (steps - step) - age))} left"
    if len(attempts) > 1:
        words = f"attempt {len(attempts)}, {words}"
    if age > max(QUIET, QUIET_STEPS * (pace or 0) * max(1, steps // LOGGED)):
        return Found(rule, SILENT, f"for {_duration(age)}: {rule}, {words}")
    return Found(rule, RUNNING, f"{rule}, {words}{left}")


def _seconds_a_step(marks: list[tuple[datetime, re.Match[str]]]) -> float | None:
    """Median over the lines of this attempt: a job that was put to sleep, or a clock set anew, counts for little."""
    paces = [
        (later - when).total_seconds() / (int(after[1]) - int(mark[1]))
        for (when, mark), (later, after) in itertools.pairwise(marks)
        if int(after[1]) > int(mark[1])
    ]
    return statistics.median(paces) if paces else None


def _words(row: Row) -> str:
    """Of the foremost job; where that says nothing, accuracies at the end of training."""
    done = sum(job.state == DONE for job in row.jobs)
    count = f"{done} of {len(row.jobs)} jobs done" if 0 < done < len(row.jobs) else ""
    return "; ".join(filter(None, [row.foremost.detail or row.jobs[0].detail, count]))


def _totals(study: Study, folder: Path, blocks: list[Row]) -> list[str]:
    """What is done in all: networks, jobs on them, figures."""

    def networks(done: bool) -> int:
        return sum(
            sum(seed < study.seeds(row.names[0]) for seed in block_seeds(row.names[3]))
            for row in blocks
            if row.names[4] == TRAINED and (not done or row.jobs[0].state == DONE)
        )

    jobs = Counter(job.state for row in blocks for job in row.jobs)
    wanted = [name for name in figures.FIGURES if name not in figures.TUNED or study.config["modes"]]
    drawn = sum((folder / FIGURES.format(study=study.name) / f"{name}.pdf").is_file() for name in wanted)
    begun = any((folder / made).is_dir() for made in ("logs", NETWORKS))
    states = ", ".join(f"{jobs[state]} {state}" for state in STATES if jobs[state] or state == DONE)
    return [
        f"{networks(True)} of {networks(False)} networks trained; of {jobs.total()} jobs on them {states}; "
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
