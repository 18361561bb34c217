"""Making of a data set: from a source to train, valid and test images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from slowpoints.core.presets.source import Source
from slowpoints.core.streams import stream_seed
from slowpoints.datasets.images import ImageSet, check_images, save_images
from slowpoints.datasets.readers import reader
from slowpoints.datasets.sources import checksums, verify

VALID_SHARE = 0.1  # of the training images
Part = tuple[np.ndarray, np.ndarray]  # images, labels


def make_dataset(source: Source, folder: str | Path | None, outputs: dict[str, str | Path]) -> None:
    """Reads a source, checks it, splits off the validation images and writes the three Parquet files.

    `valid` is a seeded tenth of the training images, the same share of each class. Mean and standard deviation
    are those of all training images, valid included.

    Args:
        source: preset section `source`.
        folder: where its files are; None for embedded kinds.
        outputs: path of each of "train", "valid" and "test".

    Raises:
        ValueError, OSError: naming the file and what is wrong with it; nothing is written then.
    """
    folder = None if folder is None else Path(folder)
    found = {} if folder is None else verify(source, folder)
    parts: tuple[Part, Part] = reader(source.kind).read(source, folder)
    (images, labels), test = (
        check_images(*part, source.classes, f"{folder or source.kind} ({name})")
        for name, part in zip(("train", "test"), parts, strict=True)
    )
    if images.shape[1:] != test[0].shape[1:]:
        raise ValueError(f"{folder}: training images are {images.shape[1:]}, test images {test[0].shape[1:]}")
    try:
        rows = split(labels, VALID_SHARE, "valid")
    except ValueError as error:
        raise ValueError(f"{folder or source.kind}: {error}") from None
    scaled = images.astype(np.float64) / 255
    sets = {"train": (images[rows[0]], labels[rows[0]]), "valid": (images[rows[1]], labels[rows[1]]), "test": test}
    facts = {"source": source.kind, "checksums": found or checksums(images, labels, *test)}
    for name, part in sets.items():
        save_images(ImageSet(*part, source.classes, float(scaled.mean()), float(scaled.std())), outputs[name], **facts)


def split(labels: np.ndarray, share: float, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows that stay and rows split off, sorted: `share` of each class, drawn from the stream of that name."""
    seed = stream_seed("split", name) % 2**32
    try:
        stay, off = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=seed)
    except ValueError as error:
        raise ValueError(f"too few images to split off {share:.0%} of each class: {error}") from None
    return np.sort(stay), np.sort(off)
