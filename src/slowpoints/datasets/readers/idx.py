"""idx files: MNIST, Fashion-MNIST and their kin, gzipped or not (LeCun's format)."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from slowpoints.core.presets.source import Source

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049  # 0x08 = unsigned bytes; 3 and 1 dimensions
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
DOWNLOADS = tuple(f"{name}.gz" for name in NAMES)


def read(source: Source, folder: Path) -> tuple[tuple, tuple]:
    """Training and test images of a folder with the four usual names."""
    paths = files(source, folder)
    arrays = [read_array(path, magic) for path, magic in zip(paths, (IMAGES_MAGIC, LABELS_MAGIC) * 2, strict=True)]
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
    raise FileNotFoundError(f"{folder}: neither {name}.gz nor {name} is there")


def read_array(path: Path, magic: int) -> np.ndarray:
    """The array of one idx file, uint8.

    Raises:
        ValueError: if the file is not of this kind, is cut short or has bytes too many.
    """
    data = path.read_bytes()
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: not a whole gzip file ({error})") from None
    found = int.from_bytes(data[:4], "big")
    if len(data) < 4 or found != magic:
        raise ValueError(
            f"{path}: magic number {found}; {magic} is needed ({'images' if magic == IMAGES_MAGIC else 'labels'})"
        )
    dimensions = magic & 0xFF
    header = 4 * (1 + dimensions)
    shape: list[int] = np.frombuffer(data[4:header], ">u4").tolist() if len(data) >= header else []
    expected = header + math.prod(shape)
    if len(shape) != dimensions or len(data) != expected:
        raise ValueError(
            f"{path}: {len(data)} bytes where its header says {expected}; the file is cut short or damaged"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)
