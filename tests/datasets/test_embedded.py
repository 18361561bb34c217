"""Embedded and generated data sets, and the real files if available."""

from dataclasses import replace

import numpy as np
import pytest
from image_files import outputs
from sklearn.linear_model import RidgeClassifier

from slowpoints.core.presets.source import Source
from slowpoints.datasets.building import make_dataset
from slowpoints.datasets.images import load_images
from slowpoints.datasets.readers import cifar, digits, glyphs, idx

GLYPHS = Source("glyphs", classes=10, size=16, n_train=6000, n_test=1000, seed=0)


def test_digits_are_all_there():
    (images, labels), (others, more) = digits.read(Source("digits"))
    assert images.shape == (1437, 8, 8)
    assert others.shape == (360, 8, 8)
    assert images.max() == 255
    assert np.bincount(np.concatenate([labels, more])).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_glyphs_are_deterministic_in_their_seed():
    first, again, other = (glyphs.render(16, 30, "train", seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.9
    assert (glyphs.render(16, 30, "test", 0)[0] != first).mean() > 0.9


def test_glyphs_have_the_size_asked_for_and_every_class():
    images, labels = glyphs.render(24, 40, "train", 0)
    assert images.shape == (40, 24, 24, 3)
    assert np.bincount(labels).tolist() == [4] * 10


def test_a_linear_classifier_fails_on_glyphs(tmp_path):
    files = outputs(tmp_path)
    make_dataset(GLYPHS, None, files)
    train, valid, test = (load_images(files[part]) for part in ("train", "valid", "test"))
    assert len(train) + len(valid) == 6000
    flat = [images.images.reshape(len(images), -1) / 255 for images in (train, test)]
    assert 0.2 < RidgeClassifier(alpha=1000).fit(flat[0], train.labels).score(flat[1], test.labels) < 0.7


def test_mnist_has_the_paper_mean_and_deviation(real_data, tmp_path):
    files = outputs(tmp_path)
    make_dataset(Source("idx"), real_data / "mnist", files)
    train, test = load_images(files["train"]), load_images(files["test"])
    assert (train.mean, train.std) == pytest.approx((0.1307, 0.3081), abs=5e-5)
    assert (len(train), len(test)) == (54_000, 10_000)


def test_mnist_reader_against_known_labels(real_data):
    (images, labels), _ = idx.read(Source("idx"), real_data / "mnist")
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert images.shape == (60_000, 28, 28)


def test_cifar_reader_on_real_batches(real_data):
    source = Source("cifar", train_files=("data_batch_1",))
    (images, labels), test = cifar.read(source, real_data / "cifar10")
    assert images.shape == (10_000, 32, 32, 3)
    assert labels[:5].tolist() == [6, 9, 9, 4, 1]  # frog, truck, truck, deer, automobile
    assert images.mean() / 255 == pytest.approx(0.4734, abs=0.005)  # of all five batches
    with pytest.raises(FileNotFoundError, match="data_batch_2"):
        cifar.read(replace(source, train_files=None), real_data / "cifar10")
    assert len(test[1]) == 10_000
