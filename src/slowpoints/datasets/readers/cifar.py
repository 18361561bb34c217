"""CIFAR-10, Python version: pickled batches, in their folder or in the archive as published."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from slowpoints.core.presets.source import Source

ARCHIVE, FOLDER = "cifar-10-python.tar.gz", "cifar-10-batches-py"
TRAIN_FILES = tuple(f"data_batch_{batch}" for batch in range(1, 6))
TEST_FILE = "test_batch"
DOWNLOADS = (ARCHIVE,)
SHAPE = (3, 32, 32)  # as stored, channels first
_RECONSTRUCT = np.empty(0).__reduce__()[0]  # what NumPy puts into every pickle of an array
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,  # as the published files have it
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    """Unpickles plain containers and NumPy arrays, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a CIFAR batch")


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


def _batches(source: Source, folder: Path) -> list[tuple[str, bytes]]:
    paths = files(source, folder)
    if paths[0].name != ARCHIVE:
        return [(str(path), path.read_bytes()) for path in paths]
    names = [*(source.train_files or TRAIN_FILES), TEST_FILE]
    try:
        with tarfile.open(paths[0]) as archive:
            return [(f"{paths[0]}:{name}", _member(archive, f"{FOLDER}/{name}")) for name in names]
    except (tarfile.TarError, EOFError, OSError, KeyError) as error:
        raise ValueError(f"{paths[0]}: not a whole CIFAR-10 archive ({error})") from None


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(f"{name} is not a file")
    return file.read()


def _read_batch(name: str, data: bytes) -> tuple[np.ndarray, np.ndarray]:
    try:
        batch = _ArraysOnly(io.BytesIO(data), encoding="bytes").load()
        images, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"])
    except Exception as error:  # a damaged pickle can raise anything
        raise ValueError(f"{name}: not a CIFAR batch ({type(error).__name__}: {error})") from None
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != np.prod(SHAPE):
        raise ValueError(f"{name}: images are {images.dtype} {images.shape}; uint8 [n, {np.prod(SHAPE)}] is needed")
    return np.ascontiguousarray(images.reshape(-1, *SHAPE).transpose(0, 2, 3, 1)), labels
