"""Digests of contents, by which a plan tells a data set's files from others."""

import gc
import os

import pytest

from slowpoints.core.config import ConfigError
from slowpoints.datasets.fingerprints import fingerprint


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "images"
    (folder / "part").mkdir(parents=True)
    (folder / "a").write_bytes(b"first")
    (folder / "part/b").write_bytes(b"second")
    return folder


def taken(folder, note=None):
    return fingerprint([path for path in sorted(folder.rglob("*")) if path.is_file()], folder, note)


def test_it_follows_contents_and_names_not_times_nor_places(folder, tmp_path):
    first = taken(folder)
    os.utime(folder / "a", (1, 1))
    assert taken(folder) == first
    elsewhere = folder.rename(tmp_path / "elsewhere")
    assert taken(elsewhere) == first
    (elsewhere / "a").write_bytes(b"other")
    changed = taken(elsewhere)
    (elsewhere / "a").rename(elsewhere / "c")
    assert len({first, changed, taken(elsewhere)}) == 3


def test_a_file_is_read_again_only_where_its_size_or_time_changed(folder, tmp_path):
    note = tmp_path / "notes/digests.json"
    first, times = taken(folder, note), (folder / "a").stat()
    (folder / "a").write_bytes(b"FIRST")
    os.utime(folder / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert taken(folder, note) == first  # what it says is from the note
    assert taken(folder) != first
    os.utime(folder / "a", (1, 1))
    assert taken(folder, note) == taken(folder)


def test_a_damaged_note_is_none(folder, tmp_path):
    note = tmp_path / "digests.json"
    gc.collect()  # what other tests left must not be finalised in the depth of the brackets, where that fails
    for text in (b"", b"[1]", b"[" * 100_000, b'{"a": 1}', b"null", b"\xff"):
        note.write_bytes(text)
        assert taken(folder, note) == taken(folder)


def test_a_file_that_is_not_there_is_named(folder):
    with pytest.raises(ConfigError, match="missing: No such file"):
        fingerprint([folder / "missing"], folder)
