"""Folders of PNGs by class: `train/<class>/*.png` and `test/<class>/*.png`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from slowpoints.core.presets.source import Source

PARTS = ("train", "test")


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
    images, labels, shape = [], [], None
    for label, name in enumerate(classes):
        paths = sorted((folder / name).glob("*.png"))
        if not paths:
            raise ValueError(f"{folder / name}: no PNG there; each class needs images")
        for path in paths:
            image = _read_image(path)
            shape = shape or image.shape
            if image.shape != shape:
                raise ValueError(
                    f"{path}: {image.shape} where the images before it are {shape}; all must be of one shape"
                )
            images.append(image)
            labels.append(label)
    return np.stack(images), np.array(labels)


def _read_image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L" if image.mode in ("1", "L", "I", "I;16", "LA") else "RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path}: not a readable PNG ({error})") from None
