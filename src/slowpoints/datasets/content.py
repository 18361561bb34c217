"""Checks that images differ and are bright enough to tell apart."""

from __future__ import annotations

import logging

import numpy as np

DARK = 32  # of 255: if no pixel reaches it, the scale is probably wrong

log = logging.getLogger(__name__)


def check_content(images: np.ndarray, source: str) -> None:
    """Refuses images that are all equal or nearly black; logs a warning if they are dark, or of one shade each.

    Args:
        images: `[n, height, width, channels]` uint8.
        source: the file or folder and part, for messages.

    Raises:
        ValueError: if their content is lost.
    """
    if (images == images[0]).all():
        raise ValueError(
            f"{source}: all {len(images)} images are alike, {_shades(images[:1])}; there is nothing to tell apart"
        )
    flat = images.reshape(len(images), -1, images.shape[-1])
    if flat.shape[1] > 1 and (flat == flat[:, :1]).all():
        log.warning("%s: each image is of one shade throughout; was what they show lost when they were saved?", source)
    largest = int(images.max())
    if largest <= 1:
        raise ValueError(f"{source}: no pixel is over {largest} of 255, nearly black; scale shades to 0 to 255")
    if largest < DARK:
        log.warning("%s: no pixel is over %d of 255; were shades meant to reach 255?", source, largest)


def _shades(images: np.ndarray) -> str:
    low, high = int(images.min()), int(images.max())
    return f"every pixel {low}" if low == high else f"with pixels from {low} to {high}"
