"""CIFAR-10, Python version: pickled batches, in their folder or in the archive as published."""

from __future__ import annotations

import gzip
import io
import pickle
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from slowpoints.core.presets.source import Source
from slowpoints.datasets.limits import CHUNK, check_size

ARCHIVE, FOLDER = "cifar-10-python.tar.gz", "cifar-10-batches-py"
TRAIN_FILES = tuple(f"data_batch_{batch}" for batch in range(1, 6))
TEST_FILE = "test_batch"
DOWNLOADS = (ARCHIVE,)
SHAPE = (3, 32, 32)  # as stored, channels first
INTEGER = re.compile(r"[iu][1248]")


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
        _, shape, kind, by_columns, data = state
        self.values = np.frombuffer(data, kind.numpy()).reshape(shape, order="F" if by_columns else "C")


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
    """Training images of `source.train_files` (null: all five batches) and the test images."""
    *train, test = [_read_batch(name, data) for name, data in _batches(source, folder)]
    images, labels = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
    return (images, labels), test


def files(source: Source, folder: Path) -> list[Path]:
    """The files that will be read: the batches, or the archive.

    Raises:
        FileNotFoundError: naming a batch that is missing.
    """
    names = [*(source.train_files or TRAIN_FILES), TEST_FILE]
    place = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    if not (place / TEST_FILE).is_file() and (folder / ARCHIVE).is_file():
        return [folder / ARCHIVE]
    for name in names:
        if not (place / name).is_file():
            raise FileNotFoundError(
                f"{place}: {name} is not there; for a part of the images, name its batches in source.train_files"
            )
    return [place / name for name in names]


def _batches(source: Source, folder: Path) -> Iterator[tuple[str, bytes]]:
    paths = files(source, folder)
    if paths[0].name == ARCHIVE:
        names = [*(source.train_files or TRAIN_FILES), TEST_FILE]
        members = _members(paths[0], {f"{FOLDER}/{name}" for name in names})
        for name in names:
            yield f"{paths[0]}:{name}", members[f"{FOLDER}/{name}"]
        return
    check_size(sum(path.stat().st_size for path in paths), paths[0].parent)
    for path in paths:
        yield str(path), path.read_bytes()


def _members(path: Path, names: set[str]) -> dict[str, bytes]:
    """Files of an archive by name, read in one pass that ends where it would become too large."""
    try:
        with gzip.open(path) as file:
            whole = _Bounded(file, path)
            with tarfile.open(fileobj=cast(Any, whole), mode="r|") as archive:
                found = {member.name: _content(archive, member) for member in archive if member.name in names}
            while whole.read(CHUNK):  # to the end, where the checksum is
                pass
    except Exception as error:  # a damaged archive can raise anything
        raise ValueError(f"{path}: not a whole CIFAR-10 archive ({error})") from None
    if absent := sorted(names - set(found)):
        raise ValueError(f"{path}: not a whole CIFAR-10 archive ({', '.join(absent)} is not there)")
    return found


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = None if member.issparse() else archive.extractfile(member)
    if file is None:
        raise tarfile.TarError(f"{member.name} is not a plain file")
    return file.read()


def _read_batch(name: str, data: bytes) -> tuple[np.ndarray, np.ndarray]:
    try:
        batch = _ArraysOnly(io.BytesIO(data), encoding="bytes").load()
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
