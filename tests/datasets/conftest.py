"""Fixtures of the tests of data sets."""

import numpy as np
import pytest
from image_files import batch, write_idx_files

from slowpoints.datasets.readers import cifar


@pytest.fixture
def arrays():
    """(images, labels) of 60 training and 30 test images of 5x4 pixels in 3 classes."""
    rng = np.random.default_rng(0)

    def part(n):
        return rng.integers(0, 256, (n, 5, 4), dtype=np.uint8), np.arange(n) % 3

    return part(60), part(30)


@pytest.fixture
def idx_folder(tmp_path, arrays):
    write_idx_files(tmp_path, arrays, ".gz")
    return tmp_path


@pytest.fixture
def cifar_folder(tmp_path, arrays):
    folder = tmp_path / cifar.FOLDER
    folder.mkdir()
    images, labels = arrays[0]
    for number, name in enumerate(cifar.TRAIN_FILES):
        (folder / name).write_bytes(batch((images ^ np.uint8(number), labels)))
    (folder / cifar.TEST_FILE).write_bytes(batch(arrays[1]))
    return tmp_path
