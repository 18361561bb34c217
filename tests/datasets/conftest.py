"""What tests of data sets share."""

import numpy as np
import pytest

from slowpoints.datasets.readers import cifar, idx


@pytest.fixture
def arrays():
    """(images, labels) of 60 training and 30 test images of 5x4 pixels in 3 classes."""
    rng = np.random.default_rng(0)

    def part(n):
        return rng.integers(0, 256, (n, 5, 4), dtype=np.uint8), np.arange(n) % 3

    return part(60), part(30)


@pytest.fixture
def idx_folder(tmp_path, arrays):
    from test_sources import write_idx

    names = iter(idx.NAMES)
    for part in arrays:
        for array in part:
            write_idx(tmp_path / f"{next(names)}.gz", array)
    return tmp_path


@pytest.fixture
def cifar_folder(tmp_path, arrays):
    from test_sources import batch

    folder = tmp_path / cifar.FOLDER
    folder.mkdir()
    images, labels = arrays[0]
    for number, name in enumerate(cifar.TRAIN_FILES):
        (folder / name).write_bytes(batch((images ^ np.uint8(number), labels)))
    (folder / cifar.TEST_FILE).write_bytes(batch(arrays[1]))
    return tmp_path
