"""Curricula: the classes in use, the length of trials and the weight of null frames at each step.

Schedules are fractions of the run, so a shorter run has the same curriculum in fewer steps. Haviv, Rivkind & Barak
(2019), section 3, and the authors' released code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from slowpoints.core.presets.training import Schedule, Schedules, Training
from slowpoints.core.streams import numpy_generator
from slowpoints.task.protocol import Protocol
from slowpoints.task.timing import FRAMES, MIN_DELAY

RATE_DROP = 10
"""Factor by which the learning rate drops near the end of a run (authors' code)."""
EARLY = 5  # further snapshots before the first of the others
AFTER_CHANGE = 0.25  # share of the way to the next change at which the second snapshot of a change is taken


@dataclass(frozen=True)
class Stage:
    """Steps `start <= step < stop` during which nothing changes."""

    start: int
    stop: int
    classes_in_use: int
    t_max: int
    null_weight: float
    learning_rate: float


def even_vocabulary(classes: int) -> Schedule:
    """Two classes at the start and one more after each 1 / `classes` of the run, as in the authors' CIFAR-10 runs."""
    return tuple((Fraction(used - 2, classes), used) for used in range(2, classes + 1))


def value_at(schedule: Schedule, step: int, steps: int) -> float:
    """Value of a schedule at a step of a run of `steps` steps."""
    return [value for fraction, value in schedule if round(fraction * steps) <= step][-1]


def check_schedule(name: str, schedule: Schedule, *, low: float, high: float, last: float, whole: bool = False) -> None:
    """Raises ValueError if a schedule is invalid.

    Fractions must start at 0, increase and stay below 1; values must lie in [low, high], be whole numbers if
    `whole`, and end at `last`.
    """
    fractions = [fraction for fraction, _ in schedule]
    values = [value for _, value in schedule]
    written = f"[{', '.join(f'[{fraction}, {value:g}]' for fraction, value in schedule)}]"
    if not fractions or fractions[0] != 0:
        raise ValueError(f"{name} is {written}; it must start at 0, the first step")
    if any(later <= earlier for earlier, later in pairwise(fractions)) or fractions[-1] >= 1:
        raise ValueError(f"{name} is {written}; its fractions of the run must increase and stay below 1")
    if any(not low <= value <= high for value in values):
        raise ValueError(f"{name} is {written}; its values must lie between {low} and {high}")
    if whole and any(value % 1 for value in values):
        raise ValueError(f"{name} is {written}; its values must be whole numbers")
    if values[-1] != last:
        raise ValueError(f"{name} is {written}; it must end at {last}, the full task")


def check_schedules(schedules: Schedules, classes: int) -> None:
    """Checks the three schedules of a preset for a data set of `classes` classes (`check_schedule`)."""
    if schedules.vocabulary is not None:
        check_schedule("schedules.vocabulary", schedules.vocabulary, low=1, high=classes, last=classes, whole=True)
    check_schedule("schedules.delay", schedules.delay, low=MIN_DELAY + 1, high=FRAMES, last=FRAMES, whole=True)
    check_schedule("schedules.response", schedules.response, low=0, high=1, last=1)


def stages(protocol: Protocol, training: Training, classes: int) -> list[Stage]:
    """The stages of a run, split wherever a schedule or the learning rate changes.

    Args:
        protocol: which schedules to follow.
        training: the schedules, the length of the run and its learning rate.
        classes: classes of the data set.
    """
    steps, schedules = training.steps, training.schedules
    start = Fraction(0)
    vocabulary = schedules.vocabulary or even_vocabulary(classes) if protocol.vocabulary else ((start, classes),)
    delay = schedules.delay if protocol.delay else ((start, FRAMES),)
    response = schedules.response if protocol.response else ((start, 1.0),)
    rate, drop = training.learning_rate, training.rate_drop
    rates: Schedule = ((start, rate),) if drop is None else ((start, rate), (drop, rate / RATE_DROP))
    changes = {round(at * steps) for schedule in (vocabulary, delay, response, rates) for at, _ in schedule}
    cuts = [*sorted(step for step in changes if step < steps), steps]
    return [
        Stage(
            first,
            stop,
            classes_in_use=int(value_at(vocabulary, first, steps)),
            t_max=int(value_at(delay, first, steps)),
            null_weight=float(value_at(response, first, steps)),
            learning_rate=value_at(rates, first, steps),
        )
        for first, stop in pairwise(cuts)
    ]


def snapshot_steps(plan: Sequence[Stage], snapshots: int) -> list[int]:
    """Steps after which to take a snapshot: evenly spaced over the run, with more where memories form.

    The further ones are among the first steps (the first of the others, halved repeatedly) and around each change: at
    its start, before it has had an effect, and a quarter of the way to the next change.
    """
    if not snapshots:
        return []
    steps = plan[-1].stop
    taken = {round(steps * k / snapshots) for k in range(1, snapshots + 1)}
    taken |= {stage.start for stage in plan[1:]}
    taken |= {stage.start + round((stage.stop - stage.start) * AFTER_CHANGE) for stage in plan[1:]}
    first = min(taken)
    taken |= {round(first / 2**halving) for halving in range(1, EARLY + 1)}
    return sorted(taken - {0})


def class_orders(protocol: Protocol, classes: int, dataset: str, seeds: Sequence[int]) -> np.ndarray:
    """Order in which each network's classes are introduced, `[S, C]`: numerical, or drawn from its own stream."""
    if protocol.shuffled:
        streams = [numpy_generator(dataset, protocol.name, seed, "class order") for seed in seeds]
        return np.stack([stream.permutation(classes) for stream in streams])
    return np.tile(np.arange(classes), (len(seeds), 1))
