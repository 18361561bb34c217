"""Training protocols: which classes are in use, how long trials last and what a null weighs, step by step.

Schedules are fractions of the run, so a shorter run keeps their shape. Haviv, Rivkind & Barak (2019), section
3, and the authors' released code; `none`, `recu` and `vocu-shuffled` go beyond the paper's results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from slowpoints.streams import numpy_generator
from slowpoints.task import FRAMES, MIN_DELAY

Schedule = Sequence[tuple[float | str, float]]
"""Pairs of a fraction of the run (a number or text such as "8/140") and the value from there on."""


@dataclass(frozen=True)
class Protocol:
    """Which schedules a protocol follows; the others stand at their final value throughout."""

    vocabulary: bool = False
    delay: bool = False
    response: bool = False
    shuffled: bool = False


PROTOCOLS: dict[str, Protocol] = {
    "vocu": Protocol(vocabulary=True),
    "decu": Protocol(delay=True),
    "none": Protocol(),
    "recu": Protocol(response=True),
    "vocu-shuffled": Protocol(vocabulary=True, shuffled=True),
}
"""Protocols by name: vocabulary, delay and response curriculum, none, and vocabulary in an order per seed."""


@dataclass(frozen=True)
class Stage:
    """Steps `start <= step < stop` during which nothing changes."""

    start: int
    stop: int
    classes_in_use: int
    t_max: int
    null_weight: float
    learning_rate: float


def even_vocabulary(classes: int) -> list[tuple[Fraction, int]]:
    """Two classes at the start and one more every `classes`-th of the run, as the authors' CIFAR-10 runs."""
    return [(Fraction(used - 2, classes), used) for used in range(2, classes + 1)]


def value_at(schedule: Schedule, step: int, steps: int) -> float:
    """Value of a schedule at a step of a run of `steps` steps."""
    return [value for fraction, value in schedule if round(Fraction(fraction) * steps) <= step][-1]


def check_schedule(name: str, schedule: Schedule, *, low: float, high: float, last: float) -> None:
    """Raises ValueError where a schedule is not one.

    Fractions must start at 0, increase and stay below 1; values must lie in [low, high] and end at `last`.
    """
    fractions = [Fraction(fraction) for fraction, _ in schedule]
    values = [value for _, value in schedule]
    if not fractions or fractions[0] != 0:
        raise ValueError(f"{name} is {list(schedule)}; it must start at 0, the first step")
    if any(later <= earlier for earlier, later in pairwise(fractions)) or fractions[-1] >= 1:
        raise ValueError(f"{name} is {list(schedule)}; its fractions of the run must increase and stay below 1")
    if any(not low <= value <= high for value in values):
        raise ValueError(f"{name} is {list(schedule)}; its values must lie between {low} and {high}")
    if values[-1] != last:
        raise ValueError(f"{name} is {list(schedule)}; it must end at {last}, the full task")


def check_schedules(schedules: dict, classes: int) -> None:
    """Checks the three schedules of a preset for a data set of `classes` classes (`check_schedule`)."""
    vocabulary = schedules["vocabulary"]
    if vocabulary is not None:
        check_schedule("schedules.vocabulary", vocabulary, low=1, high=classes, last=classes)
    check_schedule("schedules.delay", schedules["delay"], low=MIN_DELAY + 1, high=FRAMES, last=FRAMES)
    check_schedule("schedules.response", schedules["response"], low=0, high=1, last=1)


def stages(protocol: str, training: dict, classes: int) -> list[Stage]:
    """The run of a protocol, cut wherever anything changes.

    Args:
        protocol: name in `PROTOCOLS`.
        training: preset section `training`.
        classes: classes of the data set.
    """
    follows, steps, schedules = PROTOCOLS[protocol], training["steps"], training["schedules"]
    vocabulary = (schedules["vocabulary"] or even_vocabulary(classes)) if follows.vocabulary else [(0, classes)]
    delay = schedules["delay"] if follows.delay else [(0, FRAMES)]
    response = schedules["response"] if follows.response else [(0, 1.0)]
    rate, drop = training["learning_rate"], training["rate_drop"]
    rates = [(0, rate)] if drop is None else [(0, rate), (drop, rate / 10)]
    changes = {round(Fraction(at) * steps) for schedule in (vocabulary, delay, response, rates) for at, _ in schedule}
    cuts = [*sorted(step for step in changes if step < steps), steps]
    return [
        Stage(
            start,
            stop,
            classes_in_use=int(value_at(vocabulary, start, steps)),
            t_max=int(value_at(delay, start, steps)),
            null_weight=float(value_at(response, start, steps)),
            learning_rate=value_at(rates, start, steps),
        )
        for start, stop in pairwise(cuts)
    ]


def class_orders(protocol: str, classes: int, dataset: str, seeds: Sequence[int]) -> np.ndarray:
    """Order in which the classes of each network come into use, `[S, C]`: numerical, or drawn from its own stream."""
    if PROTOCOLS[protocol].shuffled:
        streams = [numpy_generator(dataset, protocol, seed, "class order") for seed in seeds]
        return np.stack([stream.permutation(classes) for stream in streams])
    return np.tile(np.arange(classes), (len(seeds), 1))
