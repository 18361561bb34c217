"""idx files: MNIST, Fashion-MNIST and their kin, gzipped or not (LeCun's format)."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from slowpoints.core.presets.source import Source
from slowpoints.datasets.limits import check_size, read_up_to
from slowpoints.datasets.near_misses import near_misses
from slowpoints.datasets.overlap import refuse_copies

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049  # 0x08 = unsigned bytes; 3 and 1 dimensions
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
DOWNLOADS = tuple(f"{name}.gz" for name in NAMES)
TYPES = {8: "unsigned bytes", 9: "signed bytes", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
"""Types of numbers, as the third byte of a file says; only the first is read."""
GZIPPED = b"\x1f\x8b"


def read(source: Source, folder: Path) -> tuple[tuple, tuple]:
    """Training and test images of a folder with the four usual names."""
    paths = files(source, folder)
    magics = (IMAGES_MAGIC, LABELS_MAGIC) * 2
    arrays = [read_array(path, magic) for path, magic in zip(paths, magics, strict=True)]
    for path, magic, array in zip(paths, magics, arrays, strict=True):
        _check_twin(path, magic, array)
    refuse_copies({str(paths[0]): arrays[0], str(paths[2]): arrays[2]})
    return (arrays[0], arrays[1].astype(np.int64)), (arrays[2], arrays[3].astype(np.int64))


def files(source: Source, folder: Path) -> list[Path]:
    """The four files, each as `name.gz` or `name`.

    Raises:
        FileNotFoundError: naming the first that is missing.
    """
    return [_present(folder, name) for name in NAMES]


def _present(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{folder}: neither {name}.gz nor {name} is there{near_misses(folder, name, NAMES + DOWNLOADS)}"
    )


def _check_twin(path: Path, magic: int, array: np.ndarray) -> None:
    """Raises ValueError if a file exists both gzipped and not, with different contents."""
    twin = path.with_suffix("")
    if path.suffix == ".gz" and twin.is_file() and not np.array_equal(read_array(twin, magic), array):
        raise ValueError(f"{path}: differs from {twin.name}, which is there as well; remove the one that is not meant")


def read_array(path: Path, magic: int) -> np.ndarray:
    """The array of one idx file, uint8. No more is read than its header says, and a byte.

    Raises:
        ValueError: naming the file, if it is not of this kind, is cut short, has bytes too many, or is too large.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _read_open(cast(BinaryIO, file), path, magic)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: not a whole gzip file ({error})") from None


def _read_open(file: BinaryIO, path: Path, magic: int) -> np.ndarray:
    dimensions = magic & 0xFF
    header = read_up_to(file, 4 * (1 + dimensions))
    number = int.from_bytes(header[:4], "big")
    if len(header) < 4 or number != magic:
        what = "images" if magic == IMAGES_MAGIC else "labels"
        raise ValueError(
            f"{path}: magic number {number}; {magic} is needed ({what} as unsigned bytes){_meaning(header)}"
        )
    if len(header) < 4 * (1 + dimensions):
        raise ValueError(f"{path}: {len(header)} bytes, less than a header; the file is cut short")
    shape: list[int] = np.frombuffer(header[4:], ">u4").tolist()
    promised = math.prod(shape)
    check_size(promised, path)
    data = read_up_to(file, promised + 1)
    if len(data) != promised:
        n_bytes = f"{len(header) + len(data)} bytes" if len(data) < promised else "more bytes"
        raise ValueError(
            f"{path}: {n_bytes} where its header says {len(header) + promised}; the file is cut short or damaged"
        )
    return np.frombuffer(data, np.uint8).reshape(shape)


def _meaning(header: bytes | bytearray) -> str:
    """What a magic number says that is not the one needed; empty where it is none."""
    if header.startswith(GZIPPED):
        return "; the file is gzipped, so its name must end in .gz"
    if len(header) >= 4 and header[:2] == b"\0\0" and header[2] in TYPES:
        return f"; it says {header[3]} dimensions of {TYPES[header[2]]}"
    return ""
