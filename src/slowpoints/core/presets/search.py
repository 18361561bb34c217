"""How slow points are sought."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from slowpoints.core.presets.section import Section


@dataclass(frozen=True)
class Search(Section):
    """How slow points are sought: the section `slow_points`."""

    adam_steps: int
    max_iterations: int
    tolerance: float
    images_per_class: int
    noise_scale: Fraction
