"""Readers of image files: what they accept, and what they refuse."""

import gzip
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import (
    CIFAR,
    IDX,
    ONE_BATCH,
    PARQUET,
    PNG,
    archive_batches,
    change_metadata,
    outputs,
    write_idx,
    write_parquet,
    write_pngs,
)
from PIL import Image

from slowpoints.core.presets.source import Source
from slowpoints.datasets.building import make_dataset
from slowpoints.datasets.images import load_images, save_images
from slowpoints.datasets.readers import cifar, idx, parquet, png
from slowpoints.datasets.sources import compare, source_files


def test_a_data_set_is_split_and_described(idx_folder, arrays):
    files = outputs(idx_folder)
    make_dataset(IDX, idx_folder, files)
    train, valid, test = (load_images(files[part]) for part in ("train", "valid", "test"))
    assert (len(train), len(valid), len(test)) == (54, 6, 30)
    assert train.shape == (5, 4, 1)
    np.testing.assert_array_equal(np.bincount(valid.labels), [2, 2, 2])
    np.testing.assert_array_equal(test.images[..., 0], arrays[1][0])
    together = np.concatenate([train.images, valid.images]).reshape(60, -1)
    np.testing.assert_array_equal(np.unique(together, axis=0), np.unique(arrays[0][0].reshape(60, -1), axis=0))
    pixels = arrays[0][0] / 255
    for images in (train, valid, test):  # the same noise for all three
        assert (images.mean, images.std) == pytest.approx((pixels.mean(), pixels.std()))
    metadata = pq.read_schema(files["train"]).metadata
    assert b"train-images-idx3-ubyte.gz" in metadata[b"checksums"]
    assert pq.read_schema(files["train"]).field("image").type == pa.list_(pa.uint8(), 20)


def test_images_open_in_pandas(idx_folder, arrays):
    make_dataset(IDX, idx_folder, outputs(idx_folder))
    table = pd.read_parquet(outputs(idx_folder)["test"])
    np.testing.assert_array_equal(np.stack(table["image"]).reshape(-1, 5, 4), arrays[1][0])
    assert table["label"].dtype == np.int16


def test_plain_and_gzipped_files_are_the_same(idx_folder, arrays):
    zipped = idx.read(IDX, idx_folder)
    for file in idx_folder.glob("*.gz"):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    plain = idx.read(IDX, idx_folder)
    np.testing.assert_array_equal(zipped[0][0], plain[0][0])


TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = (f"{name}.gz" for name in idx.NAMES)


@pytest.mark.parametrize(
    ("name", "damage", "complaint"),
    [
        (TRAIN_IMAGES, np.zeros(60), "magic number 2049; 2051 is needed"),
        (TRAIN_IMAGES, lambda data: gzip.compress(gzip.decompress(data)[:-7]), "1209 bytes where its header says 1216"),
        (TRAIN_IMAGES, lambda data: b"", "bytes|magic|gzip"),
        (TEST_IMAGES, lambda data: data[:-20], "not a whole gzip file"),
        (TEST_LABELS, None, "neither t10k-labels-idx1-ubyte.gz nor t10k-labels-idx1-ubyte is there"),
        (TRAIN_LABELS, np.arange(60) % 4, "label 3 is outside the classes 0 to 2"),
        (TEST_LABELS, np.arange(30) % 2, r"\(test\): no image of class 2"),
        (TRAIN_LABELS, np.arange(59) % 3, "60 images but 59 labels"),
        (TEST_IMAGES, np.zeros((30, 5, 5)), r"training images are \(5, 4, 1\), test images \(5, 5, 1\)"),
    ],
)
def test_damaged_idx_files_are_refused_and_nothing_is_written(idx_folder, name, damage, complaint):
    path = idx_folder / name
    if damage is None:
        path.unlink()
    elif callable(damage):
        path.write_bytes(damage(path.read_bytes()))
    else:
        write_idx(path, damage)
    with pytest.raises((ValueError, FileNotFoundError), match=complaint):
        make_dataset(IDX, idx_folder, outputs(idx_folder))
    assert not (idx_folder / "made").exists()


def test_a_checksum_that_does_not_match_is_refused(idx_folder):
    name = f"{idx.NAMES[0]}.gz"
    with pytest.raises(ValueError, match=f"{name}: its md5 checksum is .* where {'0' * 32} is expected"):
        make_dataset(replace(IDX, checksums={name: f"md5:{'0' * 32}"}), idx_folder, outputs(idx_folder))


def test_cifar_batches_are_joined_channels_last(cifar_folder, arrays):
    (images, labels), test = cifar.read(CIFAR, cifar_folder)
    assert images.shape == (300, 32, 32, 3)
    np.testing.assert_array_equal(images[0, 0, :20, 0], arrays[0][0][0].ravel())  # the first channel comes first
    assert len(labels) == 300
    assert len(test[1]) == 30


def test_cifar_may_be_a_part_or_an_archive(cifar_folder):
    assert len(cifar.read(ONE_BATCH, cifar_folder)[0][1]) == 60
    archive_batches(cifar_folder)
    assert source_files(CIFAR, cifar_folder) == [cifar_folder / cifar.ARCHIVE]
    assert len(cifar.read(CIFAR, cifar_folder)[0][1]) == 300


def test_a_missing_cifar_batch_is_named(cifar_folder):
    (cifar_folder / cifar.FOLDER / "data_batch_4").unlink()
    with pytest.raises(FileNotFoundError, match="data_batch_4 is not there"):
        make_dataset(CIFAR, cifar_folder, outputs(cifar_folder))


class Evil:
    def __reduce__(self):
        return print, ("run",)


def test_a_pickle_that_would_run_code_is_refused(cifar_folder, capsys):
    (cifar_folder / cifar.FOLDER / "data_batch_1").write_bytes(pickle.dumps({b"data": Evil(), b"labels": []}))
    with pytest.raises(ValueError, match="print has no place in a CIFAR batch"):
        make_dataset(CIFAR, cifar_folder, outputs(cifar_folder))
    assert capsys.readouterr().out == ""


def test_parquet_takes_bytes_and_shares(tmp_path, arrays):
    (images, labels), (others, more) = arrays
    write_parquet(tmp_path, images, labels)
    write_parquet(tmp_path, others / 255, more, "test")
    train, test = parquet.read(PARQUET, tmp_path)
    np.testing.assert_array_equal(train[0][..., 0], images)
    np.testing.assert_array_equal(test[0][..., 0], others)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda images: np.where(images == images.max(), np.nan, images / 255), "missing or non-finite"),
        (lambda images: images.astype(float), r"lies in \[.*\]; \[0, 1\] is needed"),
        (lambda images: images.astype(int) + 1, r"\[0, 255\] is needed"),
        (lambda images: images[:, :4], "an image has 16 values"),
    ],
)
def test_parquet_with_bad_values_is_refused(tmp_path, arrays, spoil, complaint):
    (images, labels), test = arrays
    write_parquet(tmp_path, spoil(images), labels)
    write_parquet(tmp_path, *test, "test")
    with pytest.raises(ValueError, match=complaint):
        make_dataset(PARQUET, tmp_path, outputs(tmp_path))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"image": pa.array([1, 2, 3])}, "column image is int64; lists of whole numbers or of floats are needed"),
        ({"image": pa.array(["a", "b", "c"])}, "column image is string; lists"),
        ({"image": pa.array([{"bytes": b"png"}] * 3)}, "column image is struct<bytes: binary>; lists"),
        ({"image": pa.array([["a"] * 20] * 3)}, r"column image is list<\w+: string>; lists"),
        ({"image": pa.array([[[1] * 4] * 5] * 3)}, r"column image is list<\w+: list<\w+: int64>>; lists"),
        ({"image": pa.array([[1] * 20, [1] * 20, [1] * 19])}, "an image has 19 values; shape .* needs 20"),
        ({"image": pa.array([[1] * 20, None, [1] * 20])}, "column image has 1 nulls"),
        ({"label": pa.array(["0", "1", "2"])}, "column label is object; whole numbers are needed"),
        ({"label": pa.array([0.0, 1.0, 2.0])}, "column label is float64; whole numbers are needed"),
        ({"label": None}, "there is no column label, only image"),
        ({"image": None}, "there is no column image, only label"),
    ],
)
def test_parquet_of_other_columns_is_refused_by_name(tmp_path, change, complaint):
    columns = {"image": pa.array([[1] * 20] * 3), "label": pa.array([0, 1, 2])} | change
    path = tmp_path / "train.parquet"
    pq.write_table(pa.table({name: column for name, column in columns.items() if column is not None}), path)
    with pytest.raises(ValueError, match=f"^{path}: {complaint}"):
        parquet.read_images(path, (5, 4, 1))


@pytest.mark.parametrize("shape", [None, "wide", "[5, 4]", '"abc"', "null", "7"])
def test_parquet_whose_metadata_says_no_shape_needs_one(tmp_path, shape):
    path = tmp_path / "train.parquet"
    pq.write_table(pa.table({"image": pa.array([[1] * 20]), "label": pa.array([0])}), path)
    change_metadata(path, shape=shape)
    with pytest.raises(ValueError, match=f"^{path}: neither source.shape nor the file's metadata says height"):
        parquet.read_images(path, None)


def test_a_damaged_parquet_source_is_named(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match=f"^{tmp_path}/train.parquet: not a whole Parquet file"):
        parquet.read_images(tmp_path / "train.parquet", None)


def test_parquet_of_our_own_needs_no_shape(idx_folder, tmp_path):
    make_dataset(IDX, idx_folder, outputs(idx_folder))
    again = outputs(tmp_path / "again")
    make_dataset(Source("parquet", classes=3), idx_folder / "made", again)
    np.testing.assert_array_equal(load_images(again["test"]).images, load_images(outputs(idx_folder)["test"]).images)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_png_folders_are_classes(tmp_path, arrays, mode, channels):
    write_pngs(tmp_path, arrays, mode)
    make_dataset(PNG, tmp_path, outputs(tmp_path))
    test = load_images(outputs(tmp_path)["test"])
    assert test.shape == (5, 4, channels)
    order = np.argsort(arrays[1][1], kind="stable")
    np.testing.assert_array_equal(test.images[..., 0], arrays[1][0][order])
    np.testing.assert_array_equal(test.labels, arrays[1][1][order])


def test_png_of_16_bits_keep_their_shades(tmp_path, arrays):
    write_pngs(tmp_path, arrays)
    of_8_bits, _ = png.read(PNG, tmp_path)
    for path in tmp_path.glob("*/*/*.png"):
        with Image.open(path) as image:
            Image.fromarray(np.asarray(image).astype(np.uint16) * 257).save(path)
        with Image.open(path) as image:
            assert image.mode.startswith("I")
        path.rename(path.with_suffix(".PNG"))
    of_16_bits, _ = png.read(PNG, tmp_path)
    np.testing.assert_array_equal(of_16_bits[0], of_8_bits[0])
    assert len(np.unique(of_16_bits[0])) > 2


def test_png_troubles_are_named(tmp_path, arrays):
    write_pngs(tmp_path, arrays)
    odd = tmp_path / "train/class1/001.png"
    Image.new("L", (7, 7)).save(odd)
    with pytest.raises(ValueError, match=r"001.png: \(7, 7\) where the images before it are \(5, 4\)"):
        png.read(PNG, tmp_path)
    odd.write_bytes(b"not an image")
    with pytest.raises(ValueError, match=r"001.png: not a readable PNG"):
        png.read(PNG, tmp_path)
    for file in (tmp_path / "test/class2").iterdir():
        file.unlink()
    odd.unlink()
    with pytest.raises(FileNotFoundError, match="class2: no PNG there"):
        png.read(PNG, tmp_path)
    (tmp_path / "test/class2").rmdir()
    with pytest.raises(ValueError, match="classes differ between train"):
        png.read(PNG, tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        source_files(IDX, tmp_path / "nowhere")


def test_compare_takes_either_kind_of_checksum(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    compare(path, "md5:900150983cd24fb0d6963f7d28e17f72")
    compare(path, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    with pytest.raises(ValueError, match="sha256"):
        compare(path, f"sha256:{'0' * 64}")


def test_images_survive_storage(tmp_path, images):
    save_images(images, tmp_path / "images.parquet")
    stored = load_images(tmp_path / "images.parquet")
    np.testing.assert_array_equal(stored.images, images.images)
    assert (stored.mean, stored.std, stored.classes) == (images.mean, images.std, 3)


def test_images_are_not_read_from_another_table(tmp_path, images):
    path = tmp_path / "images.parquet"
    for table, complaint in ((pa.table({"a": [1]}), "holds no images"), (None, "not a whole Parquet file")):
        pq.write_table(table, path) if table else path.write_bytes(b"PAR1")
        with pytest.raises(ValueError, match=f"{path}: {complaint}"):
            load_images(path)


def test_a_damaged_archive_is_refused(cifar_folder):
    archive = cifar_folder / cifar.ARCHIVE
    archive.write_bytes(b"nonsense")
    for file in (cifar_folder / cifar.FOLDER).iterdir():
        file.unlink()
    with pytest.raises(ValueError, match="not a whole CIFAR-10 archive"):
        cifar.read(CIFAR, cifar_folder)
