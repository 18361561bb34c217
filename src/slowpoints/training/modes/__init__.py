"""Modes of fine-tuning, one module each, named after the mode: its changes to fine-tuning without a penalty.

A module here holds a function `changes(setup, lambda_)` that returns `Changes`. It is imported by name when it is used,
so that a job's digest holds its own mode alone, and another mode beside it runs nothing again. Names, looks and the
meanings of lambda are in `core.modes`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from slowpoints.core.modes import MODES


def changes_of(mode: str) -> Callable:
    """The function `changes` of a mode.

    Raises:
        ValueError: if there is no such mode.
    """
    return import_module(f"{__name__}.{mode_file(mode).stem}").changes


def mode_file(mode: str) -> Path:
    """The file of a mode's module, for digests of jobs that use the mode.

    Raises:
        ValueError: if there is no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"there is no mode {mode!r} of fine-tuning; there are {', '.join(MODES)}")
    return Path(__path__[0], f"{mode}.py")
