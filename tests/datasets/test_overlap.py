"""Test images are never trained on: batches named twice, copies, and images in both parts."""

import logging
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from helpers import study
from image_files import CIFAR, KINDS, PARQUET, archive_batches, batch, outputs, write_parquet, write_parquets
from test_folders import own

from slowpoints.core.config import ConfigError
from slowpoints.datasets.building import make_dataset
from slowpoints.datasets.overlap import tell_repeats
from slowpoints.datasets.readers import cifar, idx, reader
from slowpoints.datasets.sources import source_files


def place(folder):
    return folder / cifar.FOLDER


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (("data_batch_1", "data_batch_1"), r"source.train_files \(.*\) names data_batch_1 twice"),
        (("data_batch_1", "./data_batch_1"), "names data_batch_1 twice"),
        (("data_batch_1", "data_batch_2/../data_batch_1"), "names data_batch_1 twice"),
        (("data_batch_1", "test_batch"), "names the batch to test with"),
        (("test_batch",), "names the batch to test with"),
        (("data_batch_1", ".//test_batch"), "names the batch to test with"),
    ],
)
@pytest.mark.parametrize("archived", [False, True])
def test_a_batch_is_trained_on_once_and_not_tested_with(cifar_folder, files, complaint, archived):
    if archived:
        archive_batches(cifar_folder)
    with pytest.raises(ValueError, match=complaint):
        source_files(replace(CIFAR, train_files=files), cifar_folder)


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("of", ["data_batch_1", "test_batch"])
def test_a_link_to_another_batch_is_refused(cifar_folder, link, of):
    link(place(cifar_folder) / of, place(cifar_folder) / "more")
    with pytest.raises(ValueError, match=r"the same file as .*; images for validation and tests must not be"):
        source_files(replace(CIFAR, train_files=("data_batch_1", "more")), cifar_folder)


@pytest.mark.parametrize("of", [0, 1])
def test_a_copy_of_another_batch_is_refused_however_it_is_pickled(cifar_folder, arrays, of):
    (place(cifar_folder) / "more").write_bytes(batch(arrays[of], protocol=3, note=b"a copy"))
    with pytest.raises(ValueError, match=r": holds the same images as .*; images for validation and tests must not be"):
        cifar.read(replace(CIFAR, train_files=("data_batch_1", "more")), cifar_folder)


def test_a_plan_refuses_a_batch_that_is_named_twice(tmp_path):
    for name in ("data_batch_1", "test_batch"):
        (tmp_path / name).touch()
    for files in (["data_batch_1", "data_batch_1"], ["data_batch_1", "test_batch"]):
        with pytest.raises(ConfigError, match=r"presets.mine.source: source.train_files .* names"):
            study(**own(str(tmp_path), "cifar", train_files=files))


@pytest.mark.parametrize("archived", [False, True])
def test_names_of_classes_come_from_their_file(cifar_folder, archived):
    assert cifar.class_names(CIFAR, cifar_folder) is None
    names = [b"cat", b"dog", b"frog", b"ship"]
    (place(cifar_folder) / cifar.NAMES_FILE).write_bytes(pickle.dumps({b"label_names": names}, protocol=4))
    assert place(cifar_folder) / cifar.NAMES_FILE in source_files(CIFAR, cifar_folder)
    if archived:
        archive_batches(cifar_folder)
    assert cifar.class_names(CIFAR, cifar_folder) == ["cat", "dog", "frog"]
    assert cifar.class_names(replace(CIFAR, classes=10), cifar_folder) is None


def test_a_damaged_file_of_names_is_told(cifar_folder, caplog):
    (place(cifar_folder) / cifar.NAMES_FILE).write_bytes(b"nonsense")
    assert cifar.class_names(CIFAR, cifar_folder) is None
    assert "no names of classes in batches.meta" in caplog.text


@pytest.mark.parametrize(
    ("kind", "train", "test"),
    [("parquet", "train.parquet", "test.parquet"), ("idx", idx.NAMES[0], idx.NAMES[2])],
)
def test_a_copy_of_what_is_trained_on_is_no_test(tmp_path, arrays, kind, train, test):
    (images, labels), _ = arrays
    source, write = KINDS[kind]
    write(tmp_path, ((images, labels), (images, np.roll(labels, 3))))
    with pytest.raises(ValueError, match=rf"{test}: holds the same images as .*{train}; images for"):
        reader(kind).read(source, tmp_path)


def test_images_in_both_parts_are_told(arrays, caplog):
    (train, _), (test, _) = arrays
    mixed = np.concatenate([test[:20], train[:10]])
    with caplog.at_level(logging.WARNING):
        tell_repeats(train, test, "set")
        assert not caplog.text
        tell_repeats(train, mixed, "set")
    assert "set: 10 of 30 test images are among the training images, too" in caplog.text


def test_training_images_that_stand_there_twice_are_told(arrays, caplog):
    (train, _), (test, _) = arrays
    with caplog.at_level(logging.WARNING):
        tell_repeats(np.concatenate([train, train[:7]]), test, "set")
    assert "set: 14 of 67 training images stand there more than once" in caplog.text


def test_images_are_not_written_over_their_source(tmp_path, arrays):
    write_parquets(tmp_path, arrays)
    before = (tmp_path / "train.parquet").read_bytes()
    with pytest.raises(ValueError, match=r"outputs\['train'\] is .*, which the images are read from; write to another"):
        make_dataset(PARQUET, tmp_path, {part: tmp_path / f"{part}.parquet" for part in ("train", "valid", "test")})
    assert (tmp_path / "train.parquet").read_bytes() == before


def test_files_that_are_not_read_are_told(tmp_path, arrays, caplog):
    write_parquets(tmp_path, arrays)
    write_parquet(tmp_path, *arrays[0], "train-2")
    with caplog.at_level(logging.WARNING):
        make_dataset(PARQUET, tmp_path, outputs(tmp_path))
    assert f"{tmp_path}: left out, as no files of the kind parquet: train-2.parquet" in caplog.text
