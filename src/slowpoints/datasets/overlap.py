"""Duplicate images: those that a network is tested with must not be among its training images."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping

import numpy as np

SHARE = 0.01  # of images that may be duplicates: published sets have a few, too

log = logging.getLogger(__name__)


def refuse_copies(images: Mapping[str, np.ndarray]) -> None:
    """Raises ValueError if two files hold the same images.

    Args:
        images: of each file, by its name.
    """
    seen: dict[bytes, str] = {}
    for name, array in images.items():
        digest = hashlib.blake2b(str(array.shape).encode() + np.ascontiguousarray(array).tobytes()).digest()
        other = seen.setdefault(digest, name)
        if other != name:
            raise ValueError(
                f"{name}: holds the same images as {other}; images for validation and tests must not be trained on"
            )


def tell_repeats(train: np.ndarray, test: np.ndarray, source: str) -> None:
    """Logs how many training images occur more than once, and how many test images are among them.

    Args:
        train: `[n, height, width, channels]`, including those for validation.
        test: `[m, height, width, channels]`.
        source: the file or folder, for the message.
    """
    counts = Counter(map(_digest, train))
    n_repeated = sum(count for count in counts.values() if count > 1)
    n_shared = sum(_digest(image) in counts for image in test)
    if n_repeated > SHARE * len(train):
        log.warning(
            "%s: %d of %d training images stand there more than once, so some may be trained on and validated with",
            source, n_repeated, len(train),
        )  # fmt: skip
    if n_shared > SHARE * len(test):
        log.warning("%s: %d of %d test images are among the training images, too", source, n_shared, len(test))


def _digest(image: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
