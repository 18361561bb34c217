"""Folders of PNGs by class: `train/<class>/*.png` and `test/<class>/*.png`."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from PIL import Image

from slowpoints.core.presets.source import Source
from slowpoints.datasets.limits import check_size

PARTS = ("train", "test")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">I4sII")  # length and name of the first chunk, width, height
MOST_PIXELS = 2**24  # of an image, 4096 x 4096: no network here has so many inputs


def read(source: Source, folder: Path) -> tuple[tuple, tuple]:
    """Training and test images; classes are numbered in the order of their folders' names."""
    names = [
        sorted(path.name for path in (folder / part).iterdir() if path.is_dir())
        for part in PARTS
        if (folder / part).is_dir()
    ]
    if len(names) < len(PARTS):
        raise FileNotFoundError(f"{folder}: folders train and test are needed, each with one folder a class")
    if names[0] != names[1]:
        raise ValueError(
            f"{folder}: classes differ between train ({', '.join(names[0])}) and test ({', '.join(names[1])})"
        )
    if len(names[0]) != source.classes:
        raise ValueError(f"{folder}: {len(names[0])} class folders where source.classes is {source.classes}")
    train, test = (_read_part(folder / part, names[0]) for part in PARTS)
    return train, test


def files(source: Source, folder: Path) -> list[Path]:
    """Every image, train and test."""
    return sorted(path for part in PARTS for path in (folder / part).glob("*/*.png"))


def _read_part(folder: Path, classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    paths = [sorted((folder / name).glob("*.png")) for name in classes]
    for name, files_of_class in zip(classes, paths, strict=True):
        if not files_of_class:
            raise ValueError(f"{folder / name}: no PNG there; each class needs images")
    labels = np.repeat(np.arange(len(classes)), [len(files_of_class) for files_of_class in paths])
    images: list[np.ndarray] = []
    for path in (path for files_of_class in paths for path in files_of_class):
        images.append(_read_image(path))
        if images[-1].shape != images[0].shape:
            raise ValueError(
                f"{path}: {images[-1].shape} where the images before it are {images[0].shape}; all must be of one shape"
            )
        check_size(images[0].nbytes * len(labels), f"{folder}, {len(labels)} images of the size of {path}")
    return np.stack(images), labels


def _read_image(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        _check_header(file.read(len(SIGNATURE) + HEADER.size), path)
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.verify()  # checksums of all chunks, after which it must be opened anew
        with Image.open(path, formats=["PNG"]) as image:
            return np.asarray(image.convert("L" if image.mode in ("1", "L", "I", "I;16", "LA") else "RGB"))
    except Exception as error:  # a damaged file can raise anything
        raise ValueError(f"{path}: not a readable PNG ({type(error).__name__}: {error})") from None


def _check_header(start: bytes, path: Path) -> None:
    """Raises ValueError unless a file's first bytes are those of a PNG that is not too large."""
    if len(start) < len(SIGNATURE) + HEADER.size or not start.startswith(SIGNATURE):
        raise ValueError(f"{path}: not a readable PNG (it does not begin as one)")
    _, _, width, height = HEADER.unpack_from(start, len(SIGNATURE))
    if width * height > MOST_PIXELS:
        raise ValueError(f"{path}: {width} x {height} pixels; at most {MOST_PIXELS:,} are read, so scale it down")
