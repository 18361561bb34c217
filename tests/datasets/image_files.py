"""Small sources of every kind for tests: three classes of 5x4 pixels."""

import gzip
import pickle
import shutil
import struct
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from slowpoints.core.presets.source import Source
from slowpoints.datasets.readers import cifar, idx

IDX, CIFAR, PNG = (Source(kind, classes=3) for kind in ("idx", "cifar", "png"))
PARQUET = Source("parquet", classes=3, shape=(5, 4, 1))
ONE_BATCH = Source("cifar", classes=3, train_files=("data_batch_1",))


def outputs(folder):
    """Folder to which a data set is written."""
    return {part: folder / "made" / f"{part}.parquet" for part in ("train", "valid", "test")}


def write_idx(path, array):
    magic = idx.IMAGES_MAGIC if array.ndim == 3 else idx.LABELS_MAGIC
    data = struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_idx_files(folder, arrays, suffix=""):
    for name, array in zip(idx.NAMES, (array for part in arrays for array in part), strict=True):
        write_idx(folder / f"{name}{suffix}", array)


def batch(part, protocol=4, **more):
    """A pickled CIFAR batch whose first images are those of the part."""
    images, labels = part
    flat = np.zeros((len(images), 3072), np.uint8)
    flat[:, : images[0].size] = images.reshape(len(images), -1)
    content = {b"data": flat, b"labels": labels.tolist()} | {name.encode(): value for name, value in more.items()}
    return pickle.dumps(content, protocol=protocol)


def write_one_batch(folder, arrays):
    for name, part in zip(("data_batch_1", cifar.TEST_FILE), arrays, strict=True):
        (folder / name).write_bytes(batch(part))


def archive_batches(folder):
    """Moves the folder of batches into the archive as published."""
    with tarfile.open(folder / cifar.ARCHIVE, "w:gz") as archive:
        archive.add(folder / cifar.FOLDER, cifar.FOLDER)
    shutil.rmtree(folder / cifar.FOLDER)


def write_parquet(folder, images, labels, name="train"):
    table = pa.table({"image": pa.array(list(images.reshape(len(images), -1))), "label": pa.array(labels)})
    pq.write_table(table, folder / f"{name}.parquet")


def write_parquets(folder, arrays):
    for name, part in zip(("train", "test"), arrays, strict=True):
        write_parquet(folder, *part, name)


def change_metadata(path, **changes):
    """Replaces entries of a Parquet file's metadata; None removes one."""
    table = pq.read_table(path)
    metadata = {**(table.schema.metadata or {}), **{name.encode(): value for name, value in changes.items()}}
    kept = {name: value for name, value in metadata.items() if value is not None}
    pq.write_table(table.replace_schema_metadata(kept or None), path)


def write_pngs(folder, arrays, mode="L"):
    for part, (images, labels) in zip(("train", "test"), arrays, strict=True):
        for row, (image, label) in enumerate(zip(images, labels, strict=True)):
            place = folder / part / f"class{label}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).convert(mode).save(place / f"{row:03}.png")


KINDS = {
    "idx": (IDX, write_idx_files),
    "cifar": (ONE_BATCH, write_one_batch),
    "parquet": (PARQUET, write_parquets),
    "png": (PNG, write_pngs),
}
"""A source of each kind of file, and what writes one."""
