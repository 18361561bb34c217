"""Recurrent units, a module each: the equations of a step, its adjoint and Hessian, and the unit's declarations.

A module with a public subclass of `Unit` is a unit of the grid: configurations, resources and figures follow. Modules
are discovered in this folder, not imported by name, so that a job's digest covers its own unit alone, and adding a unit
retrains nothing.
"""

from __future__ import annotations

import functools
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from slowpoints.networks.units.unit import Unit

BASE = "unit"  # the module of the base class


@functools.cache
def units() -> dict[str, Unit]:
    """Every recurrent unit by name, in alphabetical order."""
    by_name: dict[str, Unit] = {}
    for module in sorted(module.name for module in iter_modules(__path__) if module.name != BASE):
        for name, item in vars(import_module(f"{__name__}.{module}")).items():
            if isinstance(item, type) and issubclass(item, Unit) and item is not Unit and not name.startswith("_"):
                by_name[item.name] = item()
    return by_name


def unit_named(name: str) -> Unit:
    """The unit of that name.

    Raises:
        KeyError: naming the known units.
    """
    try:
        return units()[name]
    except KeyError:
        raise KeyError(f"there is no recurrent unit {name!r}; there are {', '.join(units())}") from None


def unit_file(name: str) -> Path:
    """The file of a unit's equations, which digests of code include where that unit is used."""
    return Path(__path__[0], f"{type(unit_named(name)).__module__.rpartition('.')[2]}.py")
