"""Damaged files of every kind: read correctly, or refused by name, in bounded time and memory."""

import gzip
import pickle
import resource
import struct
import time
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import (
    IDX,
    ONE_BATCH,
    PARQUET,
    PNG,
    archive_batches,
    batch,
    change_metadata,
    write_idx_files,
    write_parquets,
    write_pngs,
)
from test_png_values import chunk

from slowpoints.datasets import limits, png_files
from slowpoints.datasets.images import ImageSet, check_images, load_images, save_images
from slowpoints.datasets.readers import cifar, idx, parquet, png, reader
from slowpoints.networks.weights import load_networks, save_networks

CLASSES, N, SHAPE = 3, 12, (5, 4)
SECONDS, MEGABYTES = 5, 300  # for one damaged file; for all of a kind
FEW, MANY = 500, 10_000  # damaged files of the eight kinds together, by default and by `make test-faults`
EXTREMES = (b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80")


def part(seed, shape=SHAPE):
    """Images and labels, class by class as in folders of PNGs."""
    images = np.random.default_rng(seed).integers(0, 256, (N, *shape), dtype=np.uint8)
    return images, np.repeat(np.arange(CLASSES), N // CLASSES)


def parts(shape=SHAPE):
    return part(0, shape), part(1, shape)


def write_batches(folder):
    place = folder / cifar.FOLDER
    place.mkdir()
    for protocol, name, images in zip((3, 4), ("data_batch_1", cifar.TEST_FILE), parts(cifar.SHAPE), strict=True):
        names = [f"{row}.png" for row in range(300)]  # so many that some are memoised by numbers of four bytes
        (place / name).write_bytes(batch(images, protocol, filenames=names))


def write_archive(folder):
    write_batches(folder)
    archive_batches(folder)


def write_shares(folder):
    (images, labels), (others, more) = parts()
    write_parquets(folder, ((images, labels), (others / 255, more)))


def write_image_table(folder):
    images, labels = part(0)
    save_images(ImageSet(images[..., None], labels.astype(np.int16), CLASSES, 0.5, 0.25), folder / "train.parquet")


def read_source(source):
    def read(folder):
        return [check_images(*part, CLASSES, str(folder)) for part in reader(source.kind).read(source, folder)]

    return read


def read_image_table(folder):
    stored = load_images(folder / "train.parquet")
    return [check_images(stored.images, stored.labels, CLASSES, str(folder))]


KINDS = {
    "idx": (lambda folder: write_idx_files(folder, parts()), read_source(IDX)),
    "idx.gz": (lambda folder: write_idx_files(folder, parts(), ".gz"), read_source(IDX)),
    "CIFAR batches": (write_batches, read_source(ONE_BATCH)),
    "CIFAR archive": (write_archive, read_source(ONE_BATCH)),
    "Parquet": (write_shares, read_source(PARQUET)),
    "PNG": (lambda folder: write_pngs(folder, parts()), read_source(PNG)),
    "image table": (write_image_table, read_image_table),
}
CHECKED = ("idx.gz", "CIFAR archive", "PNG")
"""Kinds with checksums of their own: what is read of them at all is whole."""


def damaged(data, rng):
    """A file's bytes, some of them changed, removed or added."""
    at = int(rng.integers(len(data)))
    near_an_end = int(rng.choice([at, min(at, 64), max(len(data) - 64, 0) + at % 64]))
    some = rng.bytes(int(rng.integers(1, 9)))
    ways = (
        lambda: data[:at],
        lambda: data + some,
        lambda: data + data,
        lambda: data[:at] + some + data[at:],
        lambda: data[:at] + data[at + len(some) :],
        lambda: data[:near_an_end] + some + data[near_an_end + len(some) :],
        lambda: data[:near_an_end] + some[:1] + data[near_an_end + 1 :],
        lambda: data[:near_an_end] + bytes([data[min(near_an_end, len(data) - 1)] ^ 1]) + data[near_an_end + 1 :],
        lambda: data[:near_an_end] + EXTREMES[at % len(EXTREMES)] + data[near_an_end + 4 :],
    )
    return ways[rng.integers(len(ways))]()


def peak():
    """Peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_damaged(files, folder, read, rng):
    """Damages one of the files, reads, and restores it.

    Returns:
        The file, and the images read; None if it was refused by name.
    """
    path = files[rng.integers(len(files))]
    whole = path.read_bytes()
    path.write_bytes(damaged(whole, rng))
    started, found, complaint = time.monotonic(), None, str(path)
    try:
        found = read(folder)
    except ValueError as error:
        complaint = str(error)
    assert time.monotonic() - started < SECONDS
    assert str(path) in complaint or complaint.startswith(f"{folder}: ")
    path.write_bytes(whole)
    return path, found


def fuzz(kind, n, folder):
    write, read = KINDS[kind]
    write(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    whole, before, n_refused = read(folder), peak(), 0
    for row in range(n):
        path, found = read_damaged(files, folder, read, np.random.default_rng((row, len(kind))))
        n_refused += found is None
        if found is not None:
            compare(kind, path, found, whole)
    assert peak() - before < MEGABYTES
    assert n_refused > n / 3


def compare(kind, path, found, whole):
    """Parts in other files are unchanged, and a damaged one has the same shape unless it lost rows."""
    for name, (images, labels), (images_before, labels_before) in zip(("t", "test"), found, whole, strict=False):
        assert images.shape[1:] == images_before.shape[1:]
        in_this = name == "t" and not str(path).startswith(("t10k", "test"), len(str(path.parent)) + 1)
        in_this |= name == "test" and path.name.startswith(("t10k", "test"))
        if kind in CHECKED or not in_this:
            np.testing.assert_array_equal(images, images_before)
            np.testing.assert_array_equal(labels, labels_before)
        elif "labels" not in path.name and kind.startswith("idx"):
            np.testing.assert_array_equal(labels, labels_before)
        assert labels.dtype == np.int16


def fuzz_weights(networks, n, folder):
    path = folder / "weights.safetensors"
    save_networks(networks, path)
    before, n_refused = peak(), 0
    for row in range(n):
        _, found = read_damaged([path], folder, lambda _: load_networks(path), np.random.default_rng((row, 0)))
        n_refused += found is None
        if found is not None:
            assert {name: w.shape for name, w in found.weights.items()} == {
                name: w.shape for name, w in networks.weights.items()
            }
            assert len(found.seeds) == len(networks.seeds)
    assert peak() - before < MEGABYTES
    assert n_refused > n / 3


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_images_are_read_right_or_refused_by_name(kind, tmp_path):
    fuzz(kind, FEW // 8, tmp_path)


def test_damaged_weights_are_read_right_or_refused_by_name(make_networks, tmp_path):
    fuzz_weights(make_networks(double=False), FEW // 8, tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
def test_much_damaged_images_are_read_right_or_refused_by_name(kind, tmp_path):
    fuzz(kind, MANY // 8, tmp_path)


@pytest.mark.faults
def test_much_damaged_weights_are_read_right_or_refused_by_name(make_networks, tmp_path):
    fuzz_weights(make_networks(double=False), MANY // 8, tmp_path)


def test_a_footer_that_ends_the_process_that_reads_it_is_refused(tmp_path):
    write_image_table(tmp_path)
    path = tmp_path / "train.parquet"
    optional, none = b"5\x02\x18\x05image", b"5\x03\x18\x05image"  # how often a value may stand in a row
    data = path.read_bytes()
    assert optional in data
    path.write_bytes(data.replace(optional, none))
    with pytest.raises(ValueError, match=f"^{path}: not a whole Parquet file"):
        load_images(path)


def test_a_file_that_unpacks_to_more_than_its_header_says_is_not_unpacked(tmp_path):
    path = tmp_path / "labels.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(struct.pack(">II", idx.LABELS_MAGIC, 10) + bytes(2**27))
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"^{path}: more bytes where its header says 18"):
        idx.read_array(path, idx.LABELS_MAGIC)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_a_header_that_promises_too_much_is_refused(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">4I", idx.IMAGES_MAGIC, *(2**32 - 1,) * 3))
    with pytest.raises(ValueError, match=f"^{path}: unpacks to [0-9,]+ bytes; at most 2,147,483,648 are read"):
        idx.read_array(path, idx.IMAGES_MAGIC)


def test_an_archive_is_unpacked_up_to_the_ceiling(tmp_path, monkeypatch):
    write_archive(tmp_path)
    monkeypatch.setattr(limits, "MOST_BYTES", 50_000)
    with pytest.raises(ValueError, match=f"{cifar.ARCHIVE}: not a whole .* unpacks to 5[0-9],.* at most 50,000 are"):
        cifar.read(ONE_BATCH, tmp_path)


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (
            struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0),
            "60000 x 60000 pixels; at most 16,777,216 are allowed",
        ),
        (b"\0\0\0\1\0\0\0\1", r"not a readable PNG \(ValueError: Truncated IHDR chunk\)"),
        (b"", r"not a readable PNG"),
    ],
)
def test_a_png_is_refused_by_its_header(tmp_path, header, complaint):
    write_pngs(tmp_path, parts())
    path = tmp_path / "test/class1/004.png"
    path.write_bytes(png_files.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IEND", b""))
    with pytest.raises(ValueError, match=f"^{path}: {complaint}"):
        png.read(PNG, tmp_path)


def test_so_many_images_that_they_do_not_fit_are_refused_at_the_first(tmp_path, monkeypatch):
    write_pngs(tmp_path, parts())
    monkeypatch.setattr(limits, "MOST_BYTES", N * 20 - 1)
    with pytest.raises(ValueError, match=r"/train, 12 images of the size of .*/000.png: unpacks to 240 bytes"):
        png.read(PNG, tmp_path)


def test_a_small_parquet_file_of_many_numbers_is_refused(tmp_path, monkeypatch):
    write_shares(tmp_path)
    path = tmp_path / "train.parquet"
    pq.write_table(pa.table({"image": pa.array([[0] * 20] * 5_000), "label": [0] * 5_000}), path)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(limits, "MOST_BYTES", 2**18)
    refused = f"^{path}, the first 4,096 rows of image and label: unpacks to .* at most 262,144 are read"
    with pytest.raises(ValueError, match=refused):
        parquet.read(PARQUET, tmp_path)


@pytest.mark.parametrize("missing", ["shape", "classes", "mean"])
def test_an_image_table_without_its_metadata_is_refused_by_name(tmp_path, missing):
    write_image_table(tmp_path)
    path = tmp_path / "train.parquet"
    change_metadata(path, **{missing: None})
    with pytest.raises(ValueError, match=f"^{path}: damaged, or not written by slowpoints .*{missing}"):
        load_images(path)


def test_batches_whose_labels_are_too_few_are_refused_one_by_one(tmp_path):
    write_batches(tmp_path)
    path = tmp_path / cifar.FOLDER / "data_batch_1"
    path.write_bytes(pickle.dumps({b"data": part(0, cifar.SHAPE)[0].reshape(N, -1), b"labels": [0] * (N - 1)}, 4))
    with pytest.raises(ValueError, match=rf"^{path}: 12 images but labels of shape \(11,\)"):
        cifar.read(ONE_BATCH, tmp_path)


@pytest.mark.parametrize(
    "asks",
    [
        b"\x80\x02K\x01r\xff\xff\xff\x7f.",  # to remember a number as the two-billionth
        b"\x80\x02cnumpy\nndarray\n(J\xff\xff\xff\x7ftR.",  # an array of so many
    ],
)
def test_a_pickle_that_asks_for_gigabytes_gets_none(tmp_path, asks):
    write_batches(tmp_path)
    path = tmp_path / cifar.FOLDER / "data_batch_1"
    path.write_bytes(asks)
    before = peak()
    with pytest.raises(ValueError, match=f"^{path}: not a CIFAR batch"):
        cifar.read(ONE_BATCH, tmp_path)
    assert peak() - before < MEGABYTES


def test_weights_of_other_shapes_than_their_specification_are_refused(make_networks, tmp_path):
    networks, path = make_networks(double=False), tmp_path / "weights.safetensors"
    whole = networks.weights["bias"]
    networks.weights["bias"] = whole[:, 1:]
    save_networks(networks, path)
    networks.weights["bias"] = whole
    with pytest.raises(ValueError, match=f"^{path}: holds weights .* where its specification says"):
        load_networks(path)
    save_networks(networks, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=f"^{path}: not a whole safetensors file"):
        load_networks(path)
