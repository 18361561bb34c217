"""CIFAR-10, Python version: pickled batches, in their folder or in the archive as published."""

from __future__ import annotations

import gzip
import io
import logging
import pickle
import posixpath
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from slowpoints.core.presets.source import Source
from slowpoints.datasets.limits import CHUNK, check_size
from slowpoints.datasets.near_misses import near_misses
from slowpoints.datasets.overlap import refuse_copies

ARCHIVE, FOLDER = "cifar-10-python.tar.gz", "cifar-10-batches-py"
TRAIN_FILES = tuple(f"data_batch_{batch}" for batch in range(1, 6))
TEST_FILE = "test_batch"
NAMES_FILE = "batches.meta"  # names of the classes; optional
DOWNLOADS = (ARCHIVE,)
SHAPE = (3, 32, 32)  # as stored, channels first
APART = "images for validation and tests must not be trained on, nor any twice"
INTEGER = re.compile(r"[iu][1248]")

log = logging.getLogger(__name__)


class _Type:
    """A pickled NumPy type of whole numbers."""

    def __init__(self, name: str | bytes, align: bool = False, copy: bool = False):
        self.name = name.decode() if isinstance(name, bytes) else name
        if not INTEGER.fullmatch(self.name):
            raise pickle.UnpicklingError(f"an array of {self.name!r} has no place in a CIFAR batch")
        self.order = "|"

    def __setstate__(self, state: tuple) -> None:
        order = state[1]
        self.order = order.decode() if isinstance(order, bytes) else order

    def numpy(self) -> np.dtype:
        return np.dtype(self.order + self.name)


class _Array:
    """A pickled NumPy array, which takes no memory but that of its bytes; NumPy's own takes what a pickle asks for."""

    values: np.ndarray

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, by_columns, data = state
        self.values = np.frombuffer(data, dtype.numpy()).reshape(shape, order="F" if by_columns else "C")


def _reconstruct(*_: Any) -> _Array:
    return _Array()


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,  # as the published files have it
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
}


class _ArraysOnly(pickle._Unpickler):
    """Unpickles plain containers and NumPy arrays, and nothing that could run code.

    The one written in Python, since that in C takes gigabytes where a damaged file asks for them.
    """

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a CIFAR batch")


class _Bounded:
    """What an unpacked file gives, and an error where it is too large."""

    def __init__(self, file: gzip.GzipFile, path: Path):
        self.file, self.path, self.n_bytes = file, path, 0

    def read(self, n_bytes: int) -> bytes:
        data = self.file.read(n_bytes)
        self.n_bytes += len(data)
        check_size(self.n_bytes, self.path)
        return data


def read(source: Source, folder: Path) -> tuple[tuple, tuple]:
    """Training images of `source.train_files` (null: all five batches) and the test images.

    Raises:
        FileNotFoundError, ValueError: naming the batch and what is wrong with it, or that it is another's copy.
    """
    batches = {name: _read_batch(name, data) for name, data in _batches(source, folder)}
    refuse_copies({name: images for name, (images, _) in batches.items()})
    *train, test = batches.values()
    images, labels = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
    return (images, labels), test


def files(source: Source, folder: Path) -> list[Path]:
    """The files that will be read: the batches and names of classes if they exist, or the archive.

    Raises:
        FileNotFoundError: naming a batch that is missing.
        ValueError: where one is named twice, or the test batch is to be trained on.
    """
    names = _names(source)
    place = _place(folder)
    if _is_archived(folder):
        return [folder / ARCHIVE]
    for name in names:
        if not (place / name).is_file():
            wanted = {*TRAIN_FILES, *names}
            raise FileNotFoundError(
                f"{place}: {name} is not there; for a part of the images, name its batches in source.train_files"
                + near_misses(place, name, wanted)
                + (near_misses(folder, ARCHIVE, {ARCHIVE}) if name == names[0] else "")
            )
    paths = [place / name for name in names]
    seen: dict[tuple[int, int], Path] = {}
    for path in paths:
        about = path.stat()
        other = seen.setdefault((about.st_dev, about.st_ino), path)
        if other != path:
            raise ValueError(f"{path}: the same file as {other}; {APART}")
    return [*paths, place / NAMES_FILE] if (place / NAMES_FILE).is_file() else paths


def class_names(source: Source, folder: Path) -> list[str] | None:
    """Names of the classes as `batches.meta` has them; None where it is missing, damaged (logged) or too short."""
    if _is_archived(folder):
        path = folder / ARCHIVE
        data = _members(path, {f"{FOLDER}/{NAMES_FILE}"}, optional=True).get(f"{FOLDER}/{NAMES_FILE}")
    else:
        path = _place(folder) / NAMES_FILE
        data = path.read_bytes() if path.is_file() and path.stat().st_size <= CHUNK else None
    if data is None:
        return None
    try:
        names = [name.decode() for name in _ArraysOnly(io.BytesIO(data), encoding="bytes").load()[b"label_names"]]
    except Exception as error:  # a damaged pickle can raise anything, and images can do without names
        log.warning("%s: no names of classes in %s (%s: %s)", path, NAMES_FILE, type(error).__name__, error)
        return None
    return names[: source.classes] if len(set(names)) == len(names) >= source.classes else None


def _names(source: Source) -> list[str]:
    """Batches to train on, and last the one to test with.

    Raises:
        ValueError: where one is named twice, however it is written.
    """
    names = [*(source.train_files or TRAIN_FILES), TEST_FILE]
    seen: dict[str, str] = {}
    for name in names:
        plain = posixpath.normpath(name)
        if plain in seen:
            what = "the batch to test with" if plain == TEST_FILE else f"{plain} twice"
            raise ValueError(f"source.train_files ({', '.join(names[:-1])}) names {what}; {APART}")
        seen[plain] = name
    return names


def _place(folder: Path) -> Path:
    return folder / FOLDER if (folder / FOLDER).is_dir() else folder


def _is_archived(folder: Path) -> bool:
    return not (_place(folder) / TEST_FILE).is_file() and (folder / ARCHIVE).is_file()


def _batches(source: Source, folder: Path) -> Iterator[tuple[str, bytes]]:
    names, paths = _names(source), files(source, folder)
    if paths[0].name == ARCHIVE:
        members = _members(paths[0], {f"{FOLDER}/{name}" for name in names})
        for name in names:
            yield f"{paths[0]}:{name}", members[f"{FOLDER}/{name}"]
        return
    paths = paths[: len(names)]
    check_size(sum(path.stat().st_size for path in paths), paths[0].parent)
    for path in paths:
        yield str(path), path.read_bytes()


def _members(path: Path, names: set[str], optional: bool = False) -> dict[str, bytes]:
    """Files of an archive by name, in one pass that ends where it would become too large; all, unless `optional`."""
    try:
        with gzip.open(path) as file:
            stream = _Bounded(file, path)
            with tarfile.open(fileobj=cast(Any, stream), mode="r|") as archive:
                members = {member.name: _content(archive, member) for member in archive if member.name in names}
            while stream.read(CHUNK):  # to the end, where the checksum is
                pass
    except Exception as error:  # a damaged archive can raise anything
        raise ValueError(f"{path}: not a whole CIFAR-10 archive ({error})") from None
    absent = sorted(names - set(members))
    if absent and not optional:
        raise ValueError(f"{path}: not a whole CIFAR-10 archive ({', '.join(absent)} is not there)")
    return members


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = None if member.issparse() else archive.extractfile(member)
    if file is None:
        raise tarfile.TarError(f"{member.name} is not a plain file")
    return file.read()


def _read_batch(name: str, data: bytes) -> tuple[np.ndarray, np.ndarray]:
    try:
        batch = _ArraysOnly(io.BytesIO(data), encoding="bytes").load()
        if b"fine_labels" in batch:
            raise ValueError("its labels are those of CIFAR-100, which is not read")
        images, labels = batch[b"data"].values, _labels(batch[b"labels"])
    except Exception as error:  # a damaged pickle can raise anything
        raise ValueError(f"{name}: not a CIFAR batch ({type(error).__name__}: {error})") from None
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != np.prod(SHAPE):
        raise ValueError(f"{name}: images are {images.dtype} {images.shape}; uint8 [n, {np.prod(SHAPE)}] is needed")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"{name}: {len(images)} images but labels of shape {labels.shape}")
    return np.ascontiguousarray(images.reshape(-1, *SHAPE).transpose(0, 2, 3, 1)), labels


def _labels(labels: list[int] | _Array) -> np.ndarray:
    if isinstance(labels, _Array):
        return labels.values
    if not all(type(label) is int for label in labels):
        raise TypeError("labels are not whole numbers")
    return np.array(labels, np.int64)
