"""How networks are fine-tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slowpoints.core.presets.section import Section


@dataclass(frozen=True)
class Regularisation(Section):
    """How networks are fine-tuned; lambda is a number, several, or either by mode (`core.modes`)."""

    steps: int
    learning_rate: float
    points: int | None
    noise_frames: int
    refresh: int
    lambda_: Any = None
