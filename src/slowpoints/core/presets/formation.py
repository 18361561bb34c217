"""How slow points are tracked back through training."""

from __future__ import annotations

from dataclasses import dataclass

from slowpoints.core.presets.section import Section


@dataclass(frozen=True)
class Formation(Section):
    """How slow points are tracked back through training."""

    snapshots: int
    max_iterations: int
