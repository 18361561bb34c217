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
    train, test = (_read_part(folder / part, classes) for part, classes in _by_class(source, folder).items())
    return train, test


def files(source: Source, folder: Path) -> list[Path]:
    """Every image, train and test.

    Raises:
        FileNotFoundError: naming the folder that is missing, or has no image in it.
        ValueError: if the folders are not those of the classes.
    """
    parts = _by_class(source, folder).values()
    return sorted(path for classes in parts for paths in classes.values() for path in paths)


def _by_class(source: Source, folder: Path) -> dict[str, dict[str, list[Path]]]:
    """Images of each class of both parts, in order."""
    if not all((folder / part).is_dir() for part in PARTS):
        raise FileNotFoundError(f"{folder}: folders train and test are needed, each with one folder a class")
    parts = {
        part: {
            place.name: sorted(path for path in place.iterdir() if path.suffix.lower() == ".png")
            for place in sorted((folder / part).iterdir())
            if place.is_dir()
        }
        for part in PARTS
    }
    train, test = map(list, parts.values())
    if train != test:
        raise ValueError(f"{folder}: classes differ between train ({', '.join(train)}) and test ({', '.join(test)})")
    if len(train) != source.classes:
        raise ValueError(f"{folder}: {len(train)} class folders where source.classes is {source.classes}")
    for part, classes in parts.items():
        for name, paths in classes.items():
            if not paths:
                raise FileNotFoundError(f"{folder / part / name}: no PNG there; each class needs images")
    return parts


def _read_part(folder: Path, classes: dict[str, list[Path]]) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(len(classes)), [len(paths) for paths in classes.values()])
    images: list[np.ndarray] = []
    for path in (path for paths in classes.values() for path in paths):
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
            if image.mode.startswith("I"):  # grey of 16 bits, which Pillow would cut off at 255
                return (np.asarray(image) >> 8).astype(np.uint8)
            return np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))
    except Exception as error:  # a damaged file can raise anything
        raise ValueError(f"{path}: not a readable PNG ({type(error).__name__}: {error})") from None


def _check_header(start: bytes, path: Path) -> None:
    """Raises ValueError unless a file's first bytes are those of a PNG that is not too large."""
    if len(start) < len(SIGNATURE) + HEADER.size or not start.startswith(SIGNATURE):
        raise ValueError(f"{path}: not a readable PNG (it does not begin as one)")
    _, _, width, height = HEADER.unpack_from(start, len(SIGNATURE))
    if width * height > MOST_PIXELS:
        raise ValueError(f"{path}: {width} x {height} pixels; at most {MOST_PIXELS:,} are read, so scale it down")
