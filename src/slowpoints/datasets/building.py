"""Makes a data set: from a source to train, valid and test images."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from slowpoints.core.presets.source import Source
from slowpoints.core.streams import stream_seed
from slowpoints.datasets.arguments import check_apart, checked_folder, checked_outputs, checked_source
from slowpoints.datasets.class_folders import named
from slowpoints.datasets.content import check_content
from slowpoints.datasets.images import ImageSet, check_images, save_images
from slowpoints.datasets.overlap import tell_repeats
from slowpoints.datasets.readers import reader
from slowpoints.datasets.sources import checksums, source_files, verify

VALID_SHARE = 0.1  # of the training images
log = logging.getLogger(__name__)

Part = tuple[np.ndarray, np.ndarray]  # images, labels


def make_dataset(
    source: Source | Mapping[str, Any], folder: str | Path | None, outputs: Mapping[str, str | Path]
) -> None:
    """Reads a source, checks it, splits off the validation images and writes the three Parquet files.

    `valid` is a seeded tenth of the training images, the same share of each class. Mean and standard deviation
    are those of all training images, valid included.

    Args:
        source: preset section `source`, or a mapping of its keys, such as `{"kind": "png", "classes": 2}`.
        folder: where its files are; None for embedded kinds.
        outputs: path of each of "train", "valid" and "test".

    Raises:
        TypeError: naming an argument that is of no such type.
        ValueError, OSError: naming the argument or file and what is wrong with it; nothing is written then.
    """
    source = checked_source(source)
    folder = checked_folder(source, folder)
    outputs = checked_outputs(outputs)
    where = folder or source.kind
    if folder is not None:
        check_apart(outputs, source, folder)
        _tell_left_out(source, folder)
    checked = {} if folder is None else verify(source, folder)
    parts: tuple[Part, Part] = reader(source.kind).read(source, folder)
    (images, labels), test = (
        check_images(*part, source.classes, f"{where} ({name})")
        for name, part in zip(("train", "test"), parts, strict=True)
    )
    if images.shape[1:] != test[0].shape[1:]:
        raise ValueError(f"{folder}: training images are {images.shape[1:]}, test images {test[0].shape[1:]}")
    for name, part in (("train", images), ("test", test[0])):
        check_content(part, f"{where} ({name})")
    tell_repeats(images, test[0], str(where))
    try:
        rows = split(labels, VALID_SHARE, "valid")
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    names = _class_names(source, folder)
    scaled = images.astype(np.float64) / 255
    sets = {"train": (images[rows[0]], labels[rows[0]]), "valid": (images[rows[1]], labels[rows[1]]), "test": test}
    facts = {"source": source.kind, "checksums": checked or checksums(images, labels, *test)}
    mean, std = float(scaled.mean()), float(scaled.std())
    for name, (some, of_classes) in sets.items():
        save_images(ImageSet(some, of_classes, source.classes, mean, std, names), outputs[name], **facts)


def _tell_left_out(source: Source, folder: Path) -> None:
    """Logs which files beside those of the source are not read; the reader of PNGs does so itself."""
    files = source_files(source, folder)
    if source.kind == "png":
        return
    for place in sorted({path.parent for path in files}):
        others = sorted({path for path in place.iterdir() if path.is_file() and path.name[0] != "."} - set(files))
        if others:
            log.warning("%s: left out, as no files of the kind %s: %s", place, source.kind, named(others, place))


def _class_names(source: Source, folder: Path | None) -> tuple[str, ...] | None:
    """Names of the classes; None if the source has none."""
    module = reader(source.kind)
    names = module.class_names(source, folder) if hasattr(module, "class_names") else None
    if names is not None and len(names) != source.classes:
        raise ValueError(
            f"{folder or source.kind}: names {len(names)} classes where source.classes is {source.classes}"
        )
    return None if names is None else tuple(names)


def split(labels: np.ndarray, share: float, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows that stay and rows split off, sorted: `share` of each class, drawn from the stream of that name."""
    seed = stream_seed("split", name) % 2**32
    try:
        stay, off = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=seed)
    except ValueError as error:
        raise ValueError(f"too few images to split off {share:.0%} of each class: {error}") from None
    return np.sort(stay), np.sort(off)
