"""How networks train."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from slowpoints.core.presets.section import Section

Schedule = tuple[tuple[Fraction, float], ...]
"""Pairs of a fraction of the run and the value from there on."""


@dataclass(frozen=True)
class Schedules(Section):
    """Curricula as fractions of the run; a null vocabulary adds a class every 1/classes of it."""

    vocabulary: Schedule | None
    delay: Schedule
    response: Schedule


@dataclass(frozen=True)
class Training(Section):
    """How networks train."""

    steps: int
    batch_size: int
    learning_rate: float
    rate_drop: Fraction | None
    readout: str
    noise: str
    bank: int
    clip_norm: float | None
    precision: str
    cuda_graph: bool
    schedules: Schedules
