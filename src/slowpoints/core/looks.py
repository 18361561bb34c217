"""How recurrent units, protocols and modes are named and drawn in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Look:
    """A name for readers and the style of lines and points.

    A look changes no number, so digests of what trains and measures leave it out (`core.digests`).

    Attributes:
        label: as figures and reports say it, such as "VoCu".
        colour: for what is told apart by colour (protocols, modes).
        line: line style, likewise.
        marker: for what is told apart by marker (recurrent units).
    """

    label: str
    colour: str = "#555555"
    line: Any = "-"
    marker: str = "o"


def look_of(unit: str, known: Mapping[str, Look]) -> Look:
    """How a recurrent unit is named and marked: by its name in capitals where it is none of those known by name."""
    return known.get(unit, Look(unit.upper()))


def looks(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Look]:
    """Looks by name, from their attributes: params of rules are plain data."""
    return {name: Look(**look) for name, look in given.items()}
