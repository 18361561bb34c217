"""scikit-learn's handwritten digits: 1,797 real images of 8x8 pixels (Alpaydin & Kaynak 1998), embedded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from slowpoints.core.presets.source import Source
from slowpoints.core.streams import stream_seed

TEST_SHARE = 0.2
DEPTH = 16  # grey levels of the original


def read(source: Source, folder: Path | None = None) -> tuple[tuple, tuple]:
    """Training and test images; a seeded fifth of each class is test, as the set has no split of its own."""
    bunch = load_digits()
    images = np.round(bunch.images * 255 / DEPTH).astype(np.uint8)
    train, test = train_test_split(
        np.arange(len(images)),
        test_size=TEST_SHARE,
        stratify=bunch.target,
        random_state=stream_seed("split", "digits test") % 2**32,
    )
    return (images[train], bunch.target[train]), (images[test], bunch.target[test])
