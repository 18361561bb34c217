"""Arguments of `make_dataset` and `load_images`: accepted, or refused by name before anything is read or written."""

from dataclasses import replace

import numpy as np
import pytest
from image_files import change_metadata, write_parquets
from image_files import outputs as outputs_in

from slowpoints.core.presets.source import Source
from slowpoints.datasets.building import make_dataset
from slowpoints.datasets.images import ImageSet, check_images, load_images, save_images


@pytest.fixture
def outputs(tmp_path):
    return outputs_in(tmp_path)


def test_a_mapping_is_taken_for_a_source(idx_folder, outputs, tmp_path):
    make_dataset({"kind": "idx", "classes": 3}, str(idx_folder), {name: str(path) for name, path in outputs.items()})
    others = outputs_in(tmp_path / "more")
    make_dataset(Source("idx", classes=3), idx_folder, others)
    for part, path in outputs.items():
        assert path.read_bytes() == others[part].read_bytes()


def test_numbers_of_numpy_are_taken_and_stored(idx_folder, outputs, images, tmp_path):
    make_dataset({"kind": "idx", "classes": np.int64(3)}, idx_folder, outputs)
    assert load_images(outputs["train"]).classes == 3
    numbers = {"classes": np.int64(3), "mean": np.float32(0.5), "std": np.float32(0.25)}
    save_images(replace(images, labels=images.labels.astype(np.int64), **numbers), tmp_path / "images.parquet")
    found = load_images(tmp_path / "images.parquet")
    assert (found.classes, found.mean, found.std) == (3, 0.5, 0.25)


def test_of_many_classes_without_images_some_are_named(arrays):
    with pytest.raises(ValueError, match=r"^set: no image of class 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 32755 more$"):
        check_images(*arrays[0], 2**15, "set")
    with pytest.raises(ValueError, match=r"^set: 32769 classes; at most 32768 are allowed"):
        check_images(*arrays[0], 2**15 + 1, "set")


def test_a_mapping_may_hold_lists_as_yaml_has_them(tmp_path, arrays, outputs):
    write_parquets(tmp_path, arrays)
    make_dataset({"kind": "parquet", "classes": 3, "shape": [5, 4, 1]}, tmp_path, outputs)
    assert load_images(outputs["test"]).shape == (5, 4, 1)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ({"kind": "idx", "clases": 3}, "source: unknown key clases; allowed are .*; did you mean classes"),
        ({"kind": "idx", 3: 3}, "source: the configuration has the key 3; it must be text, in quotes: '3'"),
        ({"classes": 3}, "source.kind is ''; it must be one of cifar, digits, glyphs, idx, parquet, png"),
        ({}, "source.kind is ''"),
        ({"kind": "jpeg"}, "source: kind is 'jpeg'; allowed are cifar, "),
        ({"kind": None}, "source: kind is null; it must be text"),
        (Source("jpeg"), "source.kind is 'jpeg'; it must be one of"),
        (Source("../idx"), "source.kind is '../idx'; it must be one of"),
        ({"kind": "idx", "classes": 1}, "source: classes is 1; it must be at least 2"),
        ({"kind": "glyphs", "size": 0}, "source: size is 0; it must be at least 8"),
        ({"kind": "glyphs", "n_train": -1}, "source: n_train is -1; it must be at least 100"),
        ({"kind": "parquet", "shape": (5, 4)}, r"source: shape is .*; it must have 3 items"),
        ({"kind": "parquet", "shape": (5, 4, 0)}, "source: shape.2 is 0; it must be at least 1"),
        ({"kind": "idx", "classes": "ten"}, "source: classes is 'ten'; it must be a whole number"),
        ({"kind": "idx", "classes": 3.5}, "source: classes is 3.5; it must be a whole number"),
        ({"kind": "idx", "classes": True}, "source: classes is true; it must be a whole number"),
        ({"kind": "cifar", "train_files": "data_batch_1"}, "source: train_files is 'data_batch_1'; it must be a list"),
        ({"kind": "idx", "classes": 10**30}, "source: classes is too large a number"),
        ({"kind": "idx", "checksums": {"a": "md5:0"}}, "source: checksums.a is 'md5:0'; it must be \"md5:\" and 32"),
        ({"kind": "cifar", "train_files": ["data_batch_1", 2]}, "source: train_files.1 is 2; it must be text"),
        ({"kind": "parquet", "shape": "541"}, "source: shape is '541'; it must be a list"),
        ({"kind": "idx", "checksums": ["md5:0"]}, "source: checksums is .*; it must be a mapping of keys"),
    ],
)
def test_a_source_of_other_keys_or_values_is_refused(tmp_path, outputs, source, complaint):
    with pytest.raises(ValueError, match=f"^{complaint}"):
        make_dataset(source, tmp_path, outputs)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (None, r"source is None \(NoneType\); a Source, or a mapping of its keys, is needed"),
        ("idx", r"source is 'idx' \(str\); a Source, or a mapping"),
    ],
)
def test_a_source_of_another_type_is_refused(tmp_path, outputs, source, complaint):
    with pytest.raises(TypeError, match=f"^{complaint}"):
        make_dataset(source, tmp_path, outputs)


@pytest.mark.parametrize("folder", [None, 3, b"bytes", ["a"]])
def test_a_folder_that_is_none_is_refused(outputs, folder):
    with pytest.raises(TypeError, match=r"^folder is "):
        make_dataset(Source("idx"), folder, outputs)


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        (lambda paths: {**paths, "valid": paths["train"]}, ValueError, "outputs are .*; each needs a file of its own"),
        (lambda paths: {"train": paths["train"]}, ValueError, "outputs has the keys train; train, valid, test are"),
        (lambda paths: {**paths, "tets": "a"}, ValueError, "outputs has the keys train, valid, test, tets; "),
        (lambda paths: {**paths, "valid": None}, TypeError, r"outputs\['valid'\] is None"),
        (lambda paths: list(paths.values()), TypeError, "outputs is .*; paths of train, valid, test are needed"),
        (lambda paths: None, TypeError, "outputs is None"),
    ],
)
def test_outputs_that_do_not_fit_are_refused_before_anything_is_read(tmp_path, outputs, change, error, complaint):
    with pytest.raises(error, match=f"^{complaint}"):
        make_dataset(Source("idx"), tmp_path / "nowhere", change(outputs))


@pytest.mark.parametrize("path", [None, 3, b"bytes", ["a.parquet"]])
def test_images_are_loaded_from_a_path(path):
    with pytest.raises(TypeError, match=r"^path is .*; a path is needed"):
        load_images(path)


def test_a_folder_is_no_file_of_images(tmp_path):
    with pytest.raises(ValueError, match=f"^{tmp_path}: a folder, where a Parquet file is needed"):
        load_images(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nothing\.parquet"):
        load_images(tmp_path / "nothing.parquet")


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (np.zeros(60), "labels are float64 of shape .*; whole numbers"),
        (np.full(60, np.nan), "labels are float64 of shape .*; whole numbers"),
        (np.zeros((60, 1), int), r"labels are int64 of shape \(60, 1\); whole numbers"),
        (np.zeros(60, bool), "labels are bool of shape .*; whole numbers"),
    ],
)
def test_labels_are_whole_numbers(arrays, labels, complaint):
    with pytest.raises(ValueError, match=f"^set: {complaint}"):
        check_images(arrays[0][0], labels, 3, "set")


@pytest.mark.parametrize("names", ["[1, 2, 3]", '["a", "a", "b"]', '"abc"', "nonsense", '{"a": 1}', '["a", "b"]'])
def test_names_of_classes_that_are_none_are_refused(images, tmp_path, names):
    path = tmp_path / "images.parquet"
    save_images(images, path)
    change_metadata(path, class_names=names)
    with pytest.raises(ValueError, match=f"^{path}: (class_names in its|its) metadata"):
        load_images(path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"images": np.zeros((60, 4, 4, 1))}, "images are float64 of shape"),
        (
            {"images": np.zeros((60, 4, 4), np.uint8)},
            r"images are of shape \(60, 4, 4\); \[n, height",
        ),
        ({"images": [[0]]}, "images: images are of type list; an unmasked NumPy"),
        ({"labels": np.ma.masked_equal(np.zeros(60, int), 1)}, "images: labels are of type MaskedArray; an unmasked"),
        ({"labels": np.zeros(60)}, "labels are float64 of shape"),
        ({"labels": np.zeros(59, int)}, "60 images but 59 labels"),
        ({"labels": np.full(60, 3)}, "label 3 is outside the classes 0 to 2"),
        ({"mean": np.nan}, "mean is nan"),
        ({"std": 70.0}, "std is 70.0"),
        ({"class_names": ("a", "b")}, "class_names has 2 names for 3 classes"),
    ],
)
def test_a_set_of_images_that_does_not_fit_is_refused(images, change, complaint):
    with pytest.raises(ValueError, match=complaint):
        replace(images, **change)


def test_names_of_classes_survive_storage(images, tmp_path):
    named = ImageSet(images.images, images.labels, 3, images.mean, images.std, ("cat", "Ü", "two words"))
    for some in (named, images):
        save_images(some, tmp_path / "images.parquet")
        assert load_images(tmp_path / "images.parquet").class_names == some.class_names
