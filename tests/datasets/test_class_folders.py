"""Folders of images by class: every file is read, refused or named, and labels identify the folder."""

import json
import logging
import os
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from image_files import outputs
from PIL import Image

from slowpoints.core.presets.source import Source
from slowpoints.datasets.building import make_dataset
from slowpoints.datasets.images import load_images
from slowpoints.datasets.readers import png
from slowpoints.datasets.sources import source_files

SHAPE = (5, 4)


@pytest.fixture
def write(tmp_path):
    """A folder of images by class, whose shades identify the class."""

    def write(names, n=12, folder=tmp_path / "set"):
        rng = np.random.default_rng(0)
        for part in ("train", "test"):
            for place, name in enumerate(names):
                (folder / part / name).mkdir(parents=True)
                for row in range(n):
                    pixels = (20 * place + rng.integers(0, 10, SHAPE)).astype(np.uint8)
                    Image.fromarray(pixels).save(folder / part / name / f"{row}.png")
        return folder

    return write


def made(folder, classes):
    files = outputs(folder.parent)
    make_dataset(Source("png", classes=classes), folder, files)
    return files


@pytest.mark.parametrize(
    "names",
    [
        [str(number) for number in range(12)],
        [f"{number:02}" for number in range(12)],
        ["1", "02", "003", "10", "20", "100"],
        ["-10", "-9", "0", "0.25", "0.5", "9", "10"],
        ["class1", "class2", "class10"],
        ["12345678901234567", "12345678901234568"],
        ["3", "20", "background", "shift 9", "shift 10"],
        ["Zebra", "aardvark", "cat"],
    ],
)
def test_folders_are_labelled_by_number_and_named(write, names):
    files = made(write(names), len(names))
    images = load_images(files["test"])
    assert images.class_names == tuple(names)
    for label in range(len(names)):
        assert images.images[images.labels == label].mean() // 20 == label
    for path in files.values():
        assert json.loads(pq.read_schema(path).metadata[b"class_names"]) == names


def test_a_number_twice_is_refused(write):
    with pytest.raises(ValueError, match=r"train: the folders 01 and 1 are the same number; is it one class, or two\?"):
        source_files(Source("png", classes=3), write(["1", "01", "2"]))


def test_folders_that_are_not_of_both_parts_are_named(write):
    folder = write(["cat", "dog"])
    (folder / "test/dog").rename(folder / "test/dogs")
    with pytest.raises(ValueError, match=r"classes differ between train .*: dog only in train, dogs only in test"):
        made(folder, 2)


@pytest.mark.parametrize("name", [".DS_Store", "._0.png", ".hidden.png", "Thumbs.db", "desktop.ini"])
def test_hidden_files_are_no_images(write, name, caplog):
    folder = write(["a", "b"])
    for place in (folder, folder / "train", folder / "train/a"):
        (place / name).write_bytes(b"anything")
    assert len(source_files(Source("png", classes=2), folder)) == 48
    made(folder, 2)
    assert "left out" not in caplog.text


@pytest.mark.parametrize("name", [".ipynb_checkpoints", "__MACOSX", ".git", "@eaDir"])
def test_hidden_folders_are_no_classes(write, name):
    folder = write(["a", "b"])
    for place in (folder, folder / "train", folder / "train/a"):
        (place / name).mkdir()
        Image.new("L", SHAPE).save(place / name / "0.png")
    assert load_images(made(folder, 2)["train"]).class_names == ("a", "b")


@pytest.mark.parametrize(
    "name", ["x.jpg", "x.JPEG", "x.bmp", "x.gif", "x.tif", "x.webp", "x.heic", "x.npy", "x", "x.png.part", "x.zip"]
)
def test_images_of_another_kind_are_refused(write, name):
    folder = write(["a", "b"])
    for row in range(7):
        (folder / "test/b" / f"{row}{name}").write_bytes(b"anything")
    suffix = name[name.rindex(".") :].lower() if "." in name else "no suffix"
    complaint = rf"/test/b: 7 files \(7 of {suffix}\) would be left out, since only PNGs.*: 0{name}, .* and 2 more"
    with pytest.raises(ValueError, match=complaint):
        source_files(Source("png", classes=2), folder)


@pytest.mark.parametrize(("place", "trouble"), [("train", "being in no"), ("train/a/more", "being below a class")])
@pytest.mark.parametrize("name", ["x.png", "x.jpg"])
def test_images_out_of_place_are_refused(write, place, trouble, name):
    folder = write(["a", "b"])
    (folder / place).mkdir(exist_ok=True)
    Image.new("L", SHAPE).save(folder / place / name)
    with pytest.raises(ValueError, match=rf"{place}: 1 file .* would be left out, {trouble}.*: {name}"):
        source_files(Source("png", classes=2), folder)


def test_what_else_is_left_out_is_named(write, caplog):
    folder = write(["a", "b"])
    for name in ("README.md", "train/LICENSE", "train/labels.csv", "train/a/notes.txt"):
        (folder / name).touch()
    (folder / "valid").mkdir()
    with caplog.at_level(logging.WARNING):
        made(folder, 2)
    assert (
        "left out, as no images of a class: valid, README.md, train/LICENSE, train/labels.csv, train/a/notes.txt"
        in caplog.text
    )


def test_train_and_test_may_not_be_one_folder(write):
    folder = write(["a", "b"])
    shutil.rmtree(folder / "test")
    (folder / "test").symlink_to(folder / "train")
    with pytest.raises(ValueError, match="train and test are the same folder"):
        source_files(Source("png", classes=2), folder)


@pytest.mark.parametrize(
    ("link", "path", "other", "rule"),
    [
        (os.symlink, "test/b/3.png", "train/b/5.png", "test images must not be"),
        (os.link, "train/b/3.png", "train/a/5.png", "an image must be of one"),
    ],
)
def test_a_file_is_of_one_part_and_one_class(write, link, path, other, rule):
    folder = write(["a", "b"])
    (folder / "train/a/twice.png").hardlink_to(folder / "train/a/7.png")  # within a class
    (folder / path).unlink()
    link(folder / other, folder / path)
    with pytest.raises(ValueError, match=rf"{path}: the same file as .*{other}; {rule}"):
        png.read(Source("png", classes=2), folder)


def test_names_of_files_may_be_in_any_encoding(write):
    folder = write(["a", "b"])
    (folder / "train/b/3.png").rename(folder / "train/b" / os.fsdecode(b"\xfc.png"))
    assert len(load_images(made(folder, 2)["test"])) == 24


def test_names_of_classes_must_be_in_utf_8(write):
    folder = write([os.fsdecode(b"\xfc"), "b"])
    with pytest.raises(ValueError, match=r"train: the folder '\\udcfc' has a name that is not in UTF-8; rename it"):
        source_files(Source("png", classes=2), folder)


@pytest.mark.parametrize(("name", "hint"), [("Train", "a folder Train"), ("training", "a folder training")])
def test_a_part_of_another_name_is_told(write, name, hint):
    folder = write(["a", "b"])
    (folder / "train").rename(folder / name)
    with pytest.raises(FileNotFoundError, match=rf"folders train and test are needed.*; there is {hint}, which may be"):
        source_files(Source("png", classes=2), folder)
