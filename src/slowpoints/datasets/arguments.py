"""Arguments of the public functions, checked as the configuration checks settings."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slowpoints.core.presets.source import Source
from slowpoints.datasets.readers import EMBEDDED, kinds
from slowpoints.datasets.sources import source_files

OUTPUTS = ("train", "valid", "test")
LEAST = {"classes": 2, "size": 1, "n_train": 1, "n_test": 1, "seed": None}
"""Keys of a source that are whole numbers, and the least they may be."""


def checked_source(source: Any) -> Source:
    """A section `source`, also from a mapping of its keys.

    Raises:
        TypeError: if it is neither, or a key is of another type.
        ValueError: naming a key that is unknown, missing, or of a value that is not allowed.
    """
    if isinstance(source, Mapping):
        source = _from_mapping(source)
    if not isinstance(source, Source):
        raise TypeError(f"source is {_shown(source)}; a Source, or a mapping of its keys, is needed")
    _check_values(source)
    return source


def _from_mapping(source: Mapping[str, Any]) -> Source:
    known = list(inspect.signature(Source).parameters)
    unknown = [key for key in source if key not in known]
    if unknown:
        raise ValueError(f"source has no key {', '.join(map(repr, unknown))}; its keys are {', '.join(known)}")
    if "kind" not in source:
        raise ValueError(f"source has no kind; it must be one of {', '.join(kinds())}")
    try:
        return Source.of(source)
    except TypeError as error:
        raise TypeError(f"source: {error}") from None
    except ValueError as error:
        raise ValueError(f"source: {error}") from None


def _check_values(source: Any) -> None:
    if not isinstance(source.kind, str) or source.kind not in kinds():
        raise ValueError(f"source.kind is {source.kind!r}; it must be one of {', '.join(kinds())}")
    for key, least in LEAST.items():
        value = getattr(source, key)
        if not _is_whole(value):
            raise TypeError(f"source.{key} is {_shown(value)}; a whole number is needed")
        if least is not None and value < least:
            raise ValueError(f"source.{key} is {value}; it must be at least {least}")
    shape = source.shape
    if shape is not None and not (_is_list(shape) and len(shape) == 3 and all(_is_whole(n) and n > 0 for n in shape)):
        raise ValueError(
            f"source.shape is {_shown(shape)}; height, width and channels are needed, whole numbers from 1"
        )
    for key in ("train_files", "urls"):
        names = getattr(source, key)
        if names is not None and not (_is_list(names) and all(isinstance(name, str) for name in names)):
            raise TypeError(f"source.{key} is {_shown(names)}; a list of texts is needed")
    if not isinstance(source.checksums, Mapping):
        raise TypeError(f"source.checksums is {_shown(source.checksums)}; checksums by name of file are needed")


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
        ValueError: if one is missing, unknown or given twice.
    """
    if not isinstance(outputs, Mapping):
        raise TypeError(f"outputs is {_shown(outputs)}; paths of {', '.join(OUTPUTS)} are needed, by these names")
    if set(outputs) != set(OUTPUTS):
        raise ValueError(f"outputs has the keys {', '.join(map(str, outputs))}; {', '.join(OUTPUTS)} are needed")
    paths = {name: _path(outputs[name], f"outputs[{name!r}]") for name in OUTPUTS}
    places = [path.absolute() for path in paths.values()]
    if len(set(places)) != len(places):
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


def _is_whole(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _shown(value: Any) -> str:
    return f"{value!r:.80} ({type(value).__name__})"
