"""A set of labelled images, and its Parquet file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from slowpoints.core.arguments import finite, whole_number
from slowpoints.core.streams import numpy_generator
from slowpoints.core.tables import write_arrow
from slowpoints.datasets.columns import read_columns

TABLE = "images"
"""Name of the table in the file's metadata."""
MOST_CLASSES = 2**15
"""Labels are int16."""
MOST_NAMED = 10  # classes in a message


@dataclass(frozen=True)
class ImageSet:
    """Labelled images of one size.

    Attributes:
        images: `[n, height, width, channels]` uint8, 0-255.
        labels: `[n]` int16 in [0, classes).
        classes: number of classes.
        mean: global pixel mean of the data set's training images, scaled to [0, 1].
        std: their global pixel standard deviation.
        class_names: name of each label's class; None if the source has none.

    Raises:
        ValueError: if an attribute does not have this form.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: int
    mean: float
    std: float
    class_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Checks all attributes.

        Raises:
            TypeError: if `classes`, `mean` or `std` is not a number.
            ValueError: if images or labels are not arrays of this shape and type, labels are outside the classes, or
                another attribute is out of range.
        """
        _check_arrays(self.images, self.labels, "images")
        if self.images.ndim != 4:
            raise ValueError(f"images are of shape {self.images.shape}; [n, height, width, channels] is needed")
        _check_labels(self.labels, whole_number(self.classes, "classes", least=1), "images")
        for name in ("mean", "std"):
            if not finite(getattr(self, name), name, least=0) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie in [0, 1], the range of scaled pixels")
        if self.class_names is not None and len(self.class_names) != self.classes:
            raise ValueError(f"class_names has {len(self.class_names)} names for {self.classes} classes")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        height, width, channels = self.images.shape[1:]
        return height, width, channels

    def rows_by_class(self, purpose: str, pick: Callable[[np.random.Generator, np.ndarray], np.ndarray]) -> np.ndarray:
        """Rows of images, class by class, the same for all networks.

        Args:
            purpose: name of the random stream.
            pick: chooses rows, given that stream and all rows of one class.

        Raises:
            ValueError: if there is no image of a class.
        """
        if absent := _absent(self.labels, self.classes):
            raise ValueError(f"there are no images of class {absent}; every class must have at least one")
        rng = numpy_generator(purpose)
        return np.concatenate([pick(rng, np.flatnonzero(self.labels == label)) for label in range(self.classes)])


def check_images(images: np.ndarray, labels: np.ndarray, classes: int, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Images `[n, height, width, channels]` uint8 and labels `[n]` int16, checked.

    Args:
        images: `[n, height, width]` or with channels last, uint8.
        labels: `[n]` whole numbers.
        classes: labels must lie in [0, classes), and each must occur.
        source: the file or folder, for messages.

    Raises:
        ValueError: naming the source and what is wrong.
    """
    _check_arrays(images, labels, source)
    _check_labels(labels, classes, source)
    if absent := _absent(labels, classes):
        raise ValueError(f"{source}: no image of class {absent}")
    return (images if images.ndim == 4 else images[..., None]), labels.astype(np.int16)


def _check_arrays(images: Any, labels: Any, source: str) -> None:
    """Raises ValueError unless images are uint8 `[n, height, width(, channels)]` and labels are integers `[n]`."""
    for name, array in (("images", images), ("labels", labels)):
        if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
            raise ValueError(f"{source}: {name} are of type {type(array).__name__}; an unmasked NumPy array is needed")
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape:
        raise ValueError(
            f"{source}: images are {images.dtype} of shape {images.shape}; uint8 [n, height, width, channels] is needed"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.ndim != 1:
        raise ValueError(f"{source}: labels are {labels.dtype} of shape {labels.shape}; whole numbers [n] are needed")
    if len(images) != len(labels):
        raise ValueError(f"{source}: {len(images)} images but {len(labels)} labels")


def _absent(labels: np.ndarray, classes: int) -> str:
    """The first classes without a label, and the number of further ones; empty if every class has a label."""
    absent = np.setdiff1d(np.arange(classes), labels)
    more = f" and {len(absent) - MOST_NAMED} more" if len(absent) > MOST_NAMED else ""
    return ", ".join(map(str, absent[:MOST_NAMED])) + more


def _check_labels(labels: np.ndarray, classes: int, source: str) -> None:
    """Raises ValueError unless all labels lie in [0, classes), and int16 can hold that many classes."""
    if classes > MOST_CLASSES:
        raise ValueError(f"{source}: {classes} classes; at most {MOST_CLASSES} are allowed")
    outside = labels[(labels < 0) | (labels >= classes)]
    if len(outside):
        raise ValueError(f"{source}: label {outside[0]} is outside the classes 0 to {classes - 1}")


def save_images(images: ImageSet, path: str | Path, **facts: Any) -> None:
    """Writes images as Parquet: `image` (fixed-size list of uint8, row by row, channels last) and `label`.

    Shape, classes and their names, mean, standard deviation and `facts` are stored in the metadata.
    """
    flat = pa.array(images.images.reshape(-1))
    table = pa.table(
        {
            "image": pa.FixedSizeListArray.from_arrays(flat, int(np.prod(images.shape))),
            "label": pa.array(images.labels.astype(np.int16)),
        }
    )
    about: dict[str, Any] = {"shape": list(images.shape), "channels": images.shape[-1], "classes": int(images.classes)}
    if images.class_names is not None:
        about["class_names"] = list(images.class_names)
    write_arrow(table, path, name=TABLE, **about, mean=float(images.mean), std=float(images.std), **facts)


def load_images(path: str | Path) -> ImageSet:
    """Images of `results/datasets/{dataset}/{train,valid,test}.parquet`.

    Raises:
        TypeError: if `path` is not a path.
        FileNotFoundError: if there is no such file.
        ValueError: naming the file, if it is damaged or another table.
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"path is {path!r:.80} ({type(path).__name__}); a path is needed")
    if Path(path).is_dir():
        raise ValueError(f"{path}: a folder, where a Parquet file is needed")
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    table = read_columns(path, ("image", "label"), TABLE)
    try:
        images = _as_images(table)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: damaged, or not written by slowpoints ({type(error).__name__}: {error})") from None
    names = checked_class_names(table.schema, path)
    if names is not None and len(names) != images.classes:
        raise ValueError(f"{path}: its metadata name {len(names)} classes, but there are {images.classes}")
    return replace(images, class_names=names)


def checked_class_names(schema: pa.Schema, path: str | Path) -> tuple[str, ...] | None:
    """Class names in a file's metadata; None if there are none.

    Raises:
        ValueError: naming the file, if they are not a list of distinct strings.
    """
    text = (schema.metadata or {}).get(b"class_names")
    if text is None:
        return None
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)):
        raise ValueError(f"{path}: class_names in its metadata is {text[:100]!r}; a list of distinct names is needed")
    return tuple(names)


def _as_images(table: pa.Table) -> ImageSet:
    """The images in a table.

    Raises:
        KeyError, TypeError, ValueError, RecursionError: if its columns or metadata are not those of `save_images`.
    """
    shape, classes, mean, std = (
        json.loads(table.schema.metadata[key]) for key in (b"shape", b"classes", b"mean", b"std")
    )
    if len(shape) != 3 or table.schema.types != [pa.list_(pa.uint8(), math.prod(shape)), pa.int16()]:
        raise ValueError(f"shape is {shape}, columns are {', '.join(map(str, table.schema.types))}")
    if table["image"].null_count or table["label"].null_count:
        raise ValueError("missing values")
    labels = table["label"].to_numpy()
    images = table["image"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return ImageSet(images.reshape(-1, *shape), labels, classes, mean, std)
