"""Recurrent units, a module each: the equations of a step, its adjoint, its curvature, and what others need to know.

A module here is a unit of the grid as soon as it holds a public subclass of `Unit`: configurations, resources and
figures follow. Modules are found by looking into this folder, not by imports, so that a job's digest holds its own unit
alone and another unit beside it retrains nothing.
"""

from __future__ import annotations

import functools
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from slowpoints.networks.units.unit import Unit

BASE = "unit"  # the module of what all units share


@functools.cache
def units() -> dict[str, Unit]:
    """Every recurrent unit by name, in alphabetical order."""
    found = {}
    for module in sorted(module.name for module in iter_modules(__path__) if module.name != BASE):
        for name, item in vars(import_module(f"{__name__}.{module}")).items():
            if isinstance(item, type) and issubclass(item, Unit) and item is not Unit and not name.startswith("_"):
                found[item.name] = item()
    return found


def unit_named(name: str) -> Unit:
    """The unit of that name.

    Raises:
        KeyError: naming those there are.
    """
    try:
        return units()[name]
    except KeyError:
        raise KeyError(f"there is no recurrent unit {name!r}; there are {', '.join(units())}") from None


def unit_file(name: str) -> Path:
    """The file of a unit's equations, which digests of code count where that unit is used."""
    return Path(__path__[0], f"{type(unit_named(name)).__module__.rpartition('.')[2]}.py")
