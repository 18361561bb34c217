"""Folders of PNGs by class: `train/<class>/*.png` and `test/<class>/*.png`."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from slowpoints.core.presets.source import Source
from slowpoints.datasets.class_folders import ClassFolders, class_folders, named
from slowpoints.datasets.limits import check_size
from slowpoints.datasets.png_files import WINDOW, PngFile, read_png

LEAST_RANGE = 2**15  # of 65536: what no sample of 16 bits reaches would come out less than half as bright as it can be
LEAST_OF_MOST = 2**12  # the same of most images of a class, which may well be dark

log = logging.getLogger(__name__)


def read(source: Source, folder: Path) -> tuple[tuple, tuple]:
    """Training and test images; labels follow the order of `class_names`. Names what it leaves out.

    Raises:
        ValueError, FileNotFoundError: naming the file or folder and what is wrong with it.
    """
    folders = class_folders(folder, source.classes)
    if folders.left_out:
        log.warning("%s: left out, as no images of a class: %s", folder, named(folders.left_out, folder))
    _refuse_shared(folders)
    tally = _Tally(folder)
    train, test = (_read_part(folder / part, folders.images[part], tally) for part in folders.images)
    tally.check()
    return train, test


def files(source: Source, folder: Path) -> list[Path]:
    """Every image, train and test.

    Raises:
        FileNotFoundError: naming the folder that is missing, or has no image in it.
        ValueError: if the folders are not those of the classes, or hold images that would not be read.
    """
    folders = class_folders(folder, source.classes)
    return sorted(path for part in folders.images.values() for paths in part for path in paths)


def class_names(source: Source, folder: Path) -> list[str]:
    """Names of the class folders, in the order of their labels."""
    return class_folders(folder, source.classes).names


def _refuse_shared(folders: ClassFolders) -> None:
    """Raises ValueError where a file is of both parts, or of two classes, by a link."""
    seen: dict[tuple[int, int], tuple[str, str, Path]] = {}
    for part, classes in folders.images.items():
        for name, paths in zip(folders.names, classes, strict=True):
            for path in paths:
                other_part, other_name, other = seen.setdefault(_identity(path), (part, name, path))
                if other_part != part:
                    raise ValueError(f"{path}: the same file as {other}; test images must not be trained on")
                if other_name != name:
                    raise ValueError(f"{path}: the same file as {other}; an image must be of one class")


def _identity(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_dev, about.st_ino


class _Tally:
    """What must be the same, or must not be too little, over all images of a set."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.alphas: dict[float, Path] = {}
        self.largest: list[tuple[int, Path]] = []

    def add(self, images: list[PngFile], paths: list[Path]) -> None:
        """Images of one class of a part.

        Raises:
            ValueError: where most lose their shades.
        """
        for image, path in zip(images, paths, strict=True):
            self.alphas.setdefault(image.alpha, path)
        deep = [(image, path) for image, path in zip(images, paths, strict=True) if image.largest is not None]
        if not deep:
            return
        self.largest.append(max((image.largest or 0, path) for image, path in deep))
        lost = [f"{path}: {trouble}" for image, path in deep if (trouble := _lost(image))]
        if len(lost) > len(deep) / 2:
            raise ValueError(_too_dark(f"{lost[0]}, as in most images of its folder"))

    def check(self) -> None:
        """Raises ValueError where images differ in alpha alone, or all are dark."""
        if len(self.alphas) > 1:
            (one, first), (other, second) = list(self.alphas.items())[:2]
            raise ValueError(
                f"{second}: alpha is {other:.3g} where that of {first} is {one:.3g}; lay all images on the ground "
                "that they are meant for, and save them without alpha"
            )
        largest, path = max(self.largest, default=(0, None))
        if 0 < largest < LEAST_RANGE:
            raise ValueError(_too_dark(f"{path}: {_range(largest)}, nor of any other image"))


def _lost(image: PngFile) -> str | None:
    """How an image of 16 bits loses its shades; None where it keeps them, or is of one shade."""
    if image.collapses:
        return f"nearly all of it lies in {WINDOW} of the 256 parts of the 16 bits' range that are told apart"
    varies = image.pixels.max() != image.pixels.min()
    return _range(image.largest) if varies and image.largest and image.largest < LEAST_OF_MOST else None


def _range(largest: int) -> str:
    return f"a PNG of 16 bits, but no sample of it is over {largest} ({largest.bit_length()} bits)"


def _too_dark(trouble: str) -> str:
    return (
        f"{trouble}, and only the upper 8 of 16 bits are read: its shades would be lost. Scale all images to the whole "
        "range, 0 to 65535, or save them with 8 bits"
    )


def _read_part(folder: Path, classes: list[list[Path]], tally: _Tally) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(len(classes)), [len(paths) for paths in classes])
    images: list[np.ndarray] = []
    for paths in classes:
        of_class = [_read_image(path, images, folder, len(labels)) for path in paths]
        tally.add(of_class, paths)
    return np.stack(images), labels


def _read_image(path: Path, before: list[np.ndarray], folder: Path, n: int) -> PngFile:
    """An image, which is put to those before it.

    Raises:
        ValueError: where it is of another shape, or `n` of its size are too many.
    """
    image = read_png(path)
    before.append(image.pixels)
    shape = before[0].shape
    if image.pixels.shape != shape:
        raise ValueError(
            f"{path}: {image.pixels.shape} where the images before it are {shape}; all must be of one shape"
        )
    check_size(image.pixels.nbytes * n, f"{folder}, {n} images of the size of {path}")
    return image
