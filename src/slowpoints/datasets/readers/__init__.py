"""Readers of sources, a module for each kind.

A reader has `read(source, folder)`, which gives (images, labels) to train on and to test with; for kinds of file also
`files(source, folder)`, the files that will be read, and, where these can be downloaded, their names in `DOWNLOADS`.
Modules are found by looking into this folder, not by imports, so that another reader reruns nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

EMBEDDED = ("digits", "glyphs")
"""Kinds that read no files."""


def kinds() -> list[str]:
    """Every kind of source, in alphabetical order."""
    return sorted(module.name for module in iter_modules(__path__))


def reader(kind: str) -> Any:
    """The module that reads sources of a kind."""
    return import_module(f"{__name__}.{kind}")


def reader_file(kind: str) -> Path:
    """The file of a reader, which digests of code count where that kind is read."""
    return Path(__path__[0], f"{kind}.py")


def downloads(kind: str) -> tuple[str, ...]:
    """Names of the files of a kind of source that can be downloaded; none where it cannot."""
    return () if kind in EMBEDDED else getattr(reader(kind), "DOWNLOADS", ())
