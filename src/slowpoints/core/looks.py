"""How recurrent units, protocols and modes are named and drawn in figures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
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


_units: ContextVar[Mapping[str, Look]] = ContextVar("looks of recurrent units", default=MappingProxyType({}))


@contextlib.contextmanager
def unit_looks(looks: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Within it, recurrent units are named and marked by these looks.

    What draws and tells knows no networks, and so no units: rules hand their looks on.

    Args:
        looks: the attributes of a `Look`, which are plain data as params of rules are, by name of the unit.
    """
    token = _units.set({name: Look(**look) for name, look in looks.items()})
    try:
        yield
    finally:
        _units.reset(token)


def unit_look(architecture: str) -> Look:
    """How a recurrent unit is named and marked: by its name in capitals where `unit_looks` says nothing of it."""
    return _units.get().get(architecture, Look(architecture.upper()))
