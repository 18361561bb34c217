"""Sets whose images hold nothing, whatever kind of source they come from."""

import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_sources import CIFAR, IDX, PARQUET, PNG, batch, write_idx, write_parquet, write_pngs

from slowpoints.datasets.building import make_dataset
from slowpoints.datasets.content import check_content
from slowpoints.datasets.readers import cifar, idx


def as_idx(folder, arrays):
    for name, array in zip(idx.NAMES, (array for part in arrays for array in part), strict=True):
        write_idx(folder / name, array)
    return IDX


def as_cifar(folder, arrays):
    (images, labels), test = arrays
    for name, part in zip(("data_batch_1", cifar.TEST_FILE), ((images, labels), test), strict=True):
        (folder / name).write_bytes(batch(part))
    return type(CIFAR)("cifar", classes=3, train_files=("data_batch_1",))


def as_parquet(folder, arrays):
    for name, part in zip(("train", "test"), arrays, strict=True):
        write_parquet(folder, *part, name)
    return PARQUET


def as_png(folder, arrays):
    write_pngs(folder, arrays)
    return PNG


@pytest.fixture
def refuse(tmp_path):
    """Makes a data set, which must be refused, and nothing written."""

    def refuse(source, complaint):
        outputs = {part: tmp_path / "made" / f"{part}.parquet" for part in ("train", "valid", "test")}
        with pytest.raises(ValueError, match=complaint):
            make_dataset(source, tmp_path, outputs)
        assert not (tmp_path / "made").exists()

    return refuse


def part(value, n):
    return np.broadcast_to(value, (n, 5, 4)).astype(np.uint8), np.arange(n) % 3


@pytest.mark.parametrize("write", [as_idx, as_cifar, as_parquet, as_png])
@pytest.mark.parametrize("value", [0, 128, np.arange(20).reshape(5, 4) * 12])
def test_images_that_are_all_alike_are_refused(tmp_path, refuse, write, value):
    refuse(write(tmp_path, (part(value, 60), part(value, 30))), r"\(train\): all 60 images are alike")


@pytest.mark.parametrize("write", [as_idx, as_parquet, as_png])
def test_images_of_one_shade_each_are_taken_and_told_of(tmp_path, caplog, write):
    shades = (np.arange(60) * 4)[:, None, None]
    source = write(tmp_path, (part(shades, 60), part(shades[:30] + 1, 30)))
    outputs = {part: tmp_path / f"{part}.made" for part in ("train", "valid", "test")}
    with caplog.at_level(logging.WARNING):
        make_dataset(source, tmp_path, outputs)
    assert "(train): each image is of one shade throughout" in caplog.text


@pytest.mark.parametrize("write", [as_idx, as_parquet, as_png])
def test_test_images_are_looked_at_as_well(tmp_path, arrays, refuse, write):
    refuse(write(tmp_path, (arrays[0], part(9, 30))), r"\(test\): all 30 images are alike, every pixel 9")


@pytest.mark.parametrize("write", [as_idx, as_cifar, as_parquet, as_png])
def test_shades_from_0_to_1_as_whole_numbers_are_refused(tmp_path, arrays, refuse, write):
    (images, labels), (others, more) = arrays
    refuse(write(tmp_path, ((images // 128, labels), (others // 128, more))), "no pixel is over 1 of 255, nearly black")


def test_dark_images_are_told_of(arrays, caplog):
    with caplog.at_level(logging.WARNING):
        check_content(arrays[0][0][..., None] // 16, "set")
        assert "set: no pixel is over 15 of 255; were shades meant to reach 255?" in caplog.text
    caplog.clear()
    check_content(arrays[0][0][..., None], "set")
    assert not caplog.text


def test_images_of_one_pixel_may_differ_in_it_alone():
    check_content(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1) * 20, "set")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (np.linspace(0, 1, 20) / 255, "no pixel is over 1 of 255"),  # divided by 255 twice
        (np.linspace(-1, 1, 20), r"lies in \[-1.0, 1.0\]; \[0, 1\] is needed"),
        (np.linspace(0, 255, 20), r"lies in \[0.0, 255.0\]; \[0, 1\] is needed"),
        (np.arange(20, dtype=np.int16) - 3, r"\(int16\) lies in \[-3, 16\]; \[0, 255\] is needed"),
        (np.arange(20, dtype=np.uint16) * 3000, r"\(uint16\) lies in \[0, 57000\]; \[0, 255\] is needed"),
        (np.where(np.arange(20) == 3, np.inf, 0.5), "missing or non-finite"),
    ],
)
def test_numbers_of_another_scale_are_refused(tmp_path, refuse, values, complaint):
    for n, name in ((60, "train"), (30, "test")):
        rows = [np.roll(values, row) for row in range(n)]
        table = pa.table({"image": pa.array(rows), "label": pa.array(np.arange(n) % 3)})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    refuse(PARQUET, complaint)
