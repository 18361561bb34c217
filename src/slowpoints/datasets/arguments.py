"""Checks of the arguments of `make_dataset`, before it reads or writes anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from slowpoints.core.presets.source import KINDS, Source
from slowpoints.datasets.readers import EMBEDDED, kinds
from slowpoints.datasets.sources import source_files

OUTPUTS = ("train", "valid", "test")


def checked_source(source: Any) -> Source:
    """A section `source`, also from a mapping of its keys.

    Raises:
        TypeError: if it is neither.
        ValueError: naming a key that is unknown or missing, or its value and what is allowed.
    """
    if isinstance(source, Mapping):
        # Not by an import statement, which a digest of code follows: its messages change no data set.
        checks = import_module("slowpoints.core.checks")
        source = checks.checked(Source, dict(source), "source", {KINDS: kinds()})
    if not isinstance(source, Source):
        raise TypeError(f"source is {_shown(source)}; a Source, or a mapping of its keys, is needed")
    if source.kind not in kinds():
        raise ValueError(f"source.kind is {source.kind!r}; it must be one of {', '.join(kinds())}")
    return source


def checked_folder(source: Source, folder: Any) -> Path | None:
    """The folder of a source's files; None for embedded kinds, which read none.

    Raises:
        TypeError: if it is no path, or missing.
    """
    if source.kind in EMBEDDED:
        return None
    if folder is None:
        raise TypeError(f"folder is None; the files of kind {source.kind!r} need one")
    return _path(folder, "folder")


def checked_outputs(outputs: Any) -> dict[str, Path]:
    """Paths of the three files that are written.

    Raises:
        TypeError: if they are no paths by name.
        ValueError: if one is missing or unknown, or two are the same.
    """
    if not isinstance(outputs, Mapping):
        raise TypeError(f"outputs is {_shown(outputs)}; paths of {', '.join(OUTPUTS)} are needed, by these names")
    if set(outputs) != set(OUTPUTS):
        raise ValueError(f"outputs has the keys {', '.join(map(str, outputs))}; {', '.join(OUTPUTS)} are needed")
    paths = {name: _path(outputs[name], f"outputs[{name!r}]") for name in OUTPUTS}
    if len({path.absolute() for path in paths.values()}) < len(paths):
        raise ValueError(f"outputs are {', '.join(map(str, paths.values()))}; each needs a file of its own")
    return paths


def check_apart(outputs: Mapping[str, Path], source: Source, folder: Path) -> None:
    """Raises ValueError where a file that is read would be written over."""
    read = {path.resolve() for path in source_files(source, folder)}
    for name, path in outputs.items():
        if path.resolve() in read:
            raise ValueError(f"outputs[{name!r}] is {path}, which the images are read from; write to another folder")


def _path(value: Any, name: str) -> Path:
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        raise TypeError(f"{name} is {_shown(value)}; a path is needed")
    return Path(value)


def _shown(value: Any) -> str:
    return f"{value!r:.80} ({type(value).__name__})"
