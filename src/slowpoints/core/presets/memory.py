"""How memory is measured."""

from __future__ import annotations

from dataclasses import dataclass

from slowpoints.core.presets.section import Section


@dataclass(frozen=True)
class Memory(Section):
    """How memory is measured."""

    delays: tuple[int, ...]
    n_images: int
    noise: str
    bank: int
