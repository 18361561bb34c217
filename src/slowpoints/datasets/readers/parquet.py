"""Parquet files of images: `train.parquet` and `test.parquet` with columns `image` and `label`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from slowpoints.core.presets.source import Source
from slowpoints.datasets.columns import read_columns
from slowpoints.datasets.images import checked_class_names
from slowpoints.datasets.near_misses import near_misses
from slowpoints.datasets.overlap import refuse_copies

NAMES = DOWNLOADS = ("train.parquet", "test.parquet")


def read(source: Source, folder: Path) -> tuple[tuple, tuple]:
    """Training and test images.

    `image` is a list of whole numbers 0-255 or of floats in [0, 1], row by row, channels last. The shape stands in
    `source.shape`, or in the file's metadata as this project's own files have it.
    """
    paths = files(source, folder)
    train, test = (read_images(path, source.shape) for path in paths)
    refuse_copies({str(path): images for path, (images, _) in zip(paths, (train, test), strict=True)})
    return train, test


def class_names(source: Source, folder: Path) -> list[str] | None:
    """Names of classes as the metadata of this project's own files have them; None where neither file has any.

    Raises:
        ValueError: where the two files name them otherwise.
    """
    train, test = (checked_class_names(read_columns(path, ("label",)).schema, path) for path in files(source, folder))
    if train != test:
        raise ValueError(f"{folder}: classes are {_listed(train)} in {NAMES[0]}, but {_listed(test)} in {NAMES[1]}")
    return None if train is None else list(train)


def _listed(names: Sequence[str] | None) -> str:
    return "not named" if names is None else ", ".join(names)


def files(source: Source, folder: Path) -> list[Path]:
    """The two files.

    Raises:
        FileNotFoundError: naming the one that is missing.
    """
    for name in NAMES:
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder}: {name} is not there{near_misses(folder, name, NAMES)}")
    return [folder / name for name in NAMES]


def read_images(path: Path, shape: Sequence[int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Images `[n, *shape]` uint8 and labels `[n]` of one file.

    Raises:
        ValueError: naming the column and what is wrong with it.
    """
    table = read_columns(path, ("image", "label"))
    type_ = table.schema.field("image").type
    if not _is_list_of_numbers(type_):
        raise ValueError(f"{path}: column image is {type_}; lists of whole numbers or of floats are needed")
    for name in ("image", "label"):
        if table[name].null_count:
            raise ValueError(f"{path}: column {name} has {table[name].null_count} nulls")
    shape = shape or _stored_shape(table.schema, path)
    lengths = table["image"].combine_chunks().value_lengths().to_numpy()
    if len(lengths) and not (lengths == np.prod(shape)).all():
        wrong = lengths[lengths != np.prod(shape)][0]
        raise ValueError(f"{path}: an image has {wrong} values; shape {list(shape)} needs {np.prod(shape)}")
    labels = table["label"].to_numpy()
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{path}: column label is {labels.dtype}; whole numbers are needed")
    return _as_bytes(table["image"].combine_chunks().flatten(), path).reshape(-1, *shape), labels


def _is_list_of_numbers(type_: pa.DataType) -> bool:
    is_list = pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_)
    return is_list and (pa.types.is_integer(type_.value_type) or pa.types.is_floating(type_.value_type))


def _stored_shape(schema: pa.Schema, path: Path) -> list[int]:
    """The images' shape as the metadata of this project's own files have it."""
    try:
        height, width, channels = map(int, json.loads((schema.metadata or {})[b"shape"]))
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{path}: neither source.shape nor the file's metadata says height, width and channels of the images"
        ) from None
    return [height, width, channels]


def _as_bytes(values: pa.Array, path: Path) -> np.ndarray:
    pixels = values.to_numpy(zero_copy_only=False)
    if values.null_count or (np.issubdtype(pixels.dtype, np.floating) and not np.isfinite(pixels).all()):
        raise ValueError(f"{path}: column image has missing or non-finite values")
    integer = np.issubdtype(pixels.dtype, np.integer)
    high = 255 if integer else 1
    if pixels.size and (pixels.min() < 0 or pixels.max() > high):
        raise ValueError(
            f"{path}: column image ({pixels.dtype}) lies in [{pixels.min()}, {pixels.max()}]; [0, {high}] is needed"
        )
    return pixels.astype(np.uint8) if integer else np.round(pixels * 255).astype(np.uint8)
