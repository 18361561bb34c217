"""A missing file with a similar name present: the message names it."""

import gzip

import pytest
from image_files import CIFAR, IDX, PARQUET, PNG, write_idx

from slowpoints.datasets.readers import cifar, idx
from slowpoints.datasets.sources import source_files

FIRST, *OTHERS = idx.NAMES
BATCHES = {*cifar.TRAIN_FILES, cifar.TEST_FILE} - {"data_batch_4"}


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
    for other in (name, *OTHERS):
        (tmp_path / other).touch()
    with pytest.raises(FileNotFoundError) as told:
        source_files(IDX, tmp_path)
    suffix = ".gz" if name.endswith(".gz") else ""
    hint = f"; there is {name}, which may be it: it must be called {FIRST}{suffix}"
    assert str(told.value) == f"{tmp_path}: neither {FIRST}.gz nor {FIRST} is there{hint}"


@pytest.mark.parametrize(
    ("source", "name", "others", "missing"),
    [
        (IDX, "test-images-idx3-ubyte", (*idx.NAMES[:2], idx.NAMES[3]), "nor t10k-images-idx3-ubyte"),
        *((PARQUET, f"{name}", ("test.parquet",), "train.parquet") for name in
          ("Train.parquet", "train.pq", "train.parquet.1", "train.parq", "training.parquet")),
        *((CIFAR, name, BATCHES, "data_batch_4") for name in ("data_batch_4.bin", "Data_Batch_4", "data_batch_4.mat")),
    ],
)  # fmt: skip
def test_a_file_of_another_name_is_told(tmp_path, source, name, others, missing):
    for file in (name, *others):
        (tmp_path / file).touch()
    with pytest.raises(FileNotFoundError, match=rf"{missing} is (not )?there.*; there is {name}, which may be it"):
        source_files(source, tmp_path)


@pytest.mark.parametrize("name", ["cifar-10-python.tar", "cifar-10-python.tar.gz.1", "cifar-10-python (1).tar.gz"])
def test_an_archive_of_another_name_is_told(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError) as told:
        source_files(CIFAR, tmp_path)
    assert f"; there is {name}, which may be it: it must be called {cifar.ARCHIVE}" in str(told.value)


@pytest.mark.parametrize(
    ("source", "files", "hint"),
    [
        *((IDX, [f"{place}/{name}{suffix}" for name in idx.NAMES],
           rf"; there is {FIRST}{suffix} in the folder {place}: move it up, or")
          for place in ("raw", "MNIST/raw") for suffix in ("", ".gz")),
        (IDX, [f"{name}/{name}" for name in idx.NAMES],
         rf"; {FIRST} is a folder there \({FIRST}\), where one file is needed"),
        (PARQUET, [f"data/{part}-00000-of-00001.parquet" for part in ("train", "test")],
         r"there is train-00000-of-00001.parquet in the folder data: move"),
        *((PARQUET, [f"{name}/part-0.parquet"],
           rf"; {name} is a folder there \(part-0.parquet\), where one file is needed, called train.parquet$")
          for name in ("train", "Train.parquet", "train.parquet")),
        (PNG, ["train"], r"; train is a file there, where a folder is needed, called train"),
        (CIFAR, ["data_batch_1.gz"], r"\.gz, which may be it: it must be unpacked, and called data_"),
        (PARQUET, ["README.md"], r"train\.parquet is not there$"),
    ],
)  # fmt: skip
def test_what_lies_elsewhere_or_is_of_another_form_is_told(tmp_path, source, files, hint):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(FileNotFoundError, match=hint):
        source_files(source, tmp_path)


def test_a_link_to_nowhere_is_told(tmp_path):
    (tmp_path / "train.parquet").symlink_to(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match=r"; train.parquet is a link to nowhere"):
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
