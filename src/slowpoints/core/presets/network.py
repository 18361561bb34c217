"""What networks are."""

from __future__ import annotations

from dataclasses import dataclass

from slowpoints.core.presets.section import Section


@dataclass(frozen=True)
class Layers(Section):
    """Layers of a front end: output channels of each convolutional block, units of each dense layer."""

    filters: tuple[int, ...]
    dense: tuple[int, ...]


@dataclass(frozen=True)
class Network(Section):
    """Size of the networks."""

    hidden: int
    front_end: Layers | None
