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

    A look changes no number, so digests of code that trains or measures leave it out (`core.digests`).

    Attributes:
        label: name in figures and reports, such as "VoCu".
        colour: colour, which distinguishes protocols and modes.
        line: line style, likewise.
        marker: marker, which distinguishes recurrent units.
    """

    label: str
    colour: str = "#555555"
    line: Any = "-"
    marker: str = "o"


_units: ContextVar[Mapping[str, Look]] = ContextVar("looks of recurrent units", default=MappingProxyType({}))


@contextlib.contextmanager
def unit_looks(looks: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Context in which recurrent units are named and marked by these looks.

    Figures and reports do not import networks, and hence no units, so rules pass on the looks of units.

    Args:
        looks: attributes of a `Look` (plain data, as params of rules must be) by name of the unit.
    """
    token = _units.set({name: Look(**look) for name, look in looks.items()})
    try:
        yield
    finally:
        _units.reset(token)


def unit_look(architecture: str) -> Look:
    """The look of a recurrent unit; without one from `unit_looks`, its label is its name in capitals."""
    return _units.get().get(architecture, Look(architecture.upper()))
