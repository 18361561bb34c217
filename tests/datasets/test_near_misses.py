"""A missing file whose name is nearly there: the message names it."""

import gzip

import pytest
from test_sources import CIFAR, IDX, PARQUET, PNG, write_idx

from slowpoints.datasets.readers import cifar, idx
from slowpoints.datasets.sources import source_files

FIRST = idx.NAMES[0]


@pytest.mark.parametrize(
    "name",
    [
        "train-images.idx3-ubyte",
        "Train-Images-IDX3-UByte",
        "train_images_idx3_ubyte",
        "train-images-idx3-ubyte.gz.1",
        "train-images-idx3-ubyte (1).gz",
        "train-images-idx3-ubyte.zip",
        "train-images-idx3-ubyte.gz.part",
        "emnist-digits-train-images-idx3-ubyte.gz",
        "train-images-idx3-ubyte.txt",
    ],
)
def test_an_idx_file_of_another_name_is_told(tmp_path, name):
    for other in (name, *idx.NAMES[1:]):
        (tmp_path / other).touch()
    with pytest.raises(FileNotFoundError) as told:
        source_files(IDX, tmp_path)
    suffix = ".gz" if name.endswith(".gz") else ""
    hint = f"; there is {name}, which may be it: it must be called {FIRST}{suffix}"
    assert str(told.value) == f"{tmp_path}: neither {FIRST}.gz nor {FIRST} is there{hint}"


def test_images_to_test_with_may_be_called_test(tmp_path):
    for name in (*idx.NAMES[:2], "test-images-idx3-ubyte", idx.NAMES[3]):
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match=r"neither t10k-images.*; there is test-images-idx3-ubyte, which"):
        source_files(IDX, tmp_path)


def test_a_folder_in_a_file_s_place_is_told(tmp_path):
    for name in idx.NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    with pytest.raises(FileNotFoundError, match=rf"; {FIRST} is a folder there \({FIRST}\), where one file is needed"):
        source_files(IDX, tmp_path)


@pytest.mark.parametrize("place", ["raw", "MNIST/raw"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_in_a_folder_below_are_told(tmp_path, place, suffix):
    (tmp_path / place).mkdir(parents=True)
    for name in idx.NAMES:
        (tmp_path / place / f"{name}{suffix}").touch()
    with pytest.raises(FileNotFoundError, match=rf"; there is {FIRST}{suffix} in the folder {place}: move it up, or"):
        source_files(IDX, tmp_path)


@pytest.mark.parametrize("name", ["Train.parquet", "train.pq", "train.parquet.1", "train.parq", "training.parquet"])
def test_a_parquet_file_of_another_name_is_told(tmp_path, name):
    for other in (name, "test.parquet"):
        (tmp_path / other).touch()
    with pytest.raises(FileNotFoundError, match=rf"train.parquet is not there; there is {name}, which may be it"):
        source_files(PARQUET, tmp_path)


def test_parquet_parts_are_told(tmp_path):
    for part in ("train", "test"):
        (tmp_path / f"{part}.parquet").mkdir()
        (tmp_path / f"{part}.parquet/part-0.parquet").touch()
    with pytest.raises(FileNotFoundError, match=r"; train.parquet is a folder there \(part-0.parquet\), where one"):
        source_files(PARQUET, tmp_path)


@pytest.mark.parametrize("name", ["train", "Train.parquet"])
def test_a_folder_of_another_name_is_not_to_be_renamed(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "part-0.parquet").touch()
    complaint = rf"; {name} is a folder there \(part-0.parquet\), where one file is needed, called train.parquet$"
    with pytest.raises(FileNotFoundError, match=complaint):
        source_files(PARQUET, tmp_path)


def test_a_file_where_folders_of_classes_should_be_is_told(tmp_path):
    (tmp_path / "train").touch()
    with pytest.raises(FileNotFoundError, match=r"; train is a file there, where a folder is needed, called train"):
        source_files(PNG, tmp_path)


def test_a_zipped_batch_must_be_unpacked(tmp_path):
    (tmp_path / "data_batch_1.gz").touch()
    with pytest.raises(FileNotFoundError, match=r"\.gz, which may be it: it must be unpacked, and called data_"):
        source_files(CIFAR, tmp_path)


def test_parquet_files_of_a_hub_are_told(tmp_path):
    (tmp_path / "data").mkdir()
    for part in ("train", "test"):
        (tmp_path / "data" / f"{part}-00000-of-00001.parquet").touch()
    with pytest.raises(FileNotFoundError, match=r"there is train-00000-of-00001.parquet in the folder data: move"):
        source_files(PARQUET, tmp_path)


@pytest.mark.parametrize("name", ["data_batch_4.bin", "Data_Batch_4", "data_batch_4.mat"])
def test_a_batch_of_another_name_is_told(tmp_path, name):
    for other in {*cifar.TRAIN_FILES, cifar.TEST_FILE, name} - {"data_batch_4"}:
        (tmp_path / other).touch()
    with pytest.raises(FileNotFoundError, match=rf"data_batch_4 is not there.*; there is {name}, which may be it"):
        source_files(CIFAR, tmp_path)


@pytest.mark.parametrize("name", ["cifar-10-python.tar", "cifar-10-python.tar.gz.1", "cifar-10-python (1).tar.gz"])
def test_an_archive_of_another_name_is_told(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError) as told:
        source_files(CIFAR, tmp_path)
    assert f"; there is {name}, which may be it: it must be called {cifar.ARCHIVE}" in str(told.value)


def test_a_link_to_nowhere_is_told(tmp_path):
    (tmp_path / "train.parquet").symlink_to(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match=r"; train.parquet is a link to nowhere"):
        source_files(PARQUET, tmp_path)


def test_nothing_like_it_says_no_more(tmp_path):
    (tmp_path / "README.md").touch()
    with pytest.raises(FileNotFoundError, match=r"train\.parquet is not there$"):
        source_files(PARQUET, tmp_path)


def test_an_idx_file_that_is_there_twice_must_be_the_same(idx_folder, arrays):
    write_idx(idx_folder / FIRST, arrays[0][0])
    idx.read(IDX, idx_folder)
    write_idx(idx_folder / FIRST, arrays[0][0] // 2)
    with pytest.raises(ValueError, match=rf"{FIRST}.gz: differs from {FIRST}, which is there as well; remove the one"):
        idx.read(IDX, idx_folder)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\0\0\x0d\x03" + bytes(100), "magic number 3331; 2051 is needed .*; it says 3 dimensions of float32"),
        (b"\0\0\x09\x03" + bytes(100), "magic number 2307; .*; it says 3 dimensions of signed bytes"),
        (b"\0\0\x0b\x03" + bytes(100), "magic number 2819; .*; it says 3 dimensions of int16"),
        (b"\0\0\x08\x04" + bytes(100), "magic number 2052; .*; it says 4 dimensions of unsigned bytes"),
        (gzip.compress(bytes(100)), "; the file is gzipped, so its name must end in .gz"),
    ],
    ids=["float32", "int8", "int16", "four dimensions", "gzipped"],
)
def test_an_idx_file_of_other_numbers_says_so(tmp_path, content, complaint):
    (tmp_path / FIRST).write_bytes(content)
    with pytest.raises(ValueError, match=complaint):
        idx.read_array(tmp_path / FIRST, idx.IMAGES_MAGIC)
