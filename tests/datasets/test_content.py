"""Data sets with empty images, from every kind of source."""

import logging

import numpy as np
import pytest
from image_files import KINDS, outputs

from slowpoints.datasets.building import make_dataset
from slowpoints.datasets.content import check_content

ANY, SMALL = (pytest.mark.parametrize("kind", kinds) for kinds in (KINDS, [kind for kind in KINDS if kind != "cifar"]))
"""Any kind of file, or all whose images are no larger than what tests write to them."""


@pytest.fixture
def refuse(tmp_path):
    """Makes a data set, which must be refused without writing anything."""

    def refuse(kind, arrays, complaint):
        source, write = KINDS[kind]
        write(tmp_path, arrays)
        with pytest.raises(ValueError, match=complaint):
            make_dataset(source, tmp_path, outputs(tmp_path))
        assert not (tmp_path / "made").exists()

    return refuse


def part(value, n):
    return np.broadcast_to(value, (n, 5, 4)).astype(np.uint8), np.arange(n) % 3


@ANY
@pytest.mark.parametrize("value", [0, 128, np.arange(20).reshape(5, 4) * 12])
def test_images_that_are_all_alike_are_refused(refuse, kind, value):
    refuse(kind, (part(value, 60), part(value, 30)), r"\(train\): all 60 images are alike")


@SMALL
def test_images_of_one_shade_each_are_taken_and_told_of(tmp_path, caplog, kind):
    shades = (np.arange(60) * 4)[:, None, None]
    source, write = KINDS[kind]
    write(tmp_path, (part(shades, 60), part(shades[:30] + 1, 30)))
    with caplog.at_level(logging.WARNING):
        make_dataset(source, tmp_path, outputs(tmp_path.parent / f"{tmp_path.name} made"))
    assert "(train): each image is of one shade throughout" in caplog.text


@SMALL
def test_test_images_are_checked_as_well(arrays, refuse, kind):
    refuse(kind, (arrays[0], part(9, 30)), r"\(test\): all 30 images are alike, every pixel 9")


@ANY
def test_shades_from_0_to_1_as_whole_numbers_are_refused(arrays, refuse, kind):
    refuse(kind, [(images // 128, labels) for images, labels in arrays], "no pixel is over 1 of 255, nearly black")


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
def test_numbers_of_another_scale_are_refused(refuse, values, complaint):
    arrays = [(np.stack([np.roll(values, row) for row in range(n)]), np.arange(n) % 3) for n in (60, 30)]
    refuse("parquet", arrays, complaint)
