"""Digests of contents, by which planning identifies the files of a data set."""

import gc
import hashlib
import json
import os
import time

import pytest

from slowpoints.core.config import ConfigError
from slowpoints.datasets import fingerprints
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


def rewrite(path, content):
    """Replaces contents by others of the same size, and restores the modification time."""
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture
def later(monkeypatch):
    """Moves the clock so that files were changed a minute ago."""
    now = time.time_ns
    monkeypatch.setattr(fingerprints.time, "time_ns", lambda: now() + 60 * 10**9)


@pytest.fixture
def n_read(monkeypatch):
    """Files whose contents were read, in order."""
    names, digest = [], hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, kind: names.append(file.name) or digest(file, kind))
    return names


def test_a_file_is_read_again_only_where_it_may_have_changed(folder, tmp_path, later, n_read):
    note = tmp_path / "notes/digests.json"
    first = taken(folder, note)
    assert taken(folder, note) == first
    assert len(n_read) == 2
    os.utime(folder / "a", (1, 1))
    assert taken(folder, note) == first
    assert len(n_read) == 3


def test_contents_of_the_same_size_and_time_are_noticed(folder, tmp_path, later):
    note = tmp_path / "digests.json"
    os.utime(folder / "a", (315532800, 315532800))
    first = taken(folder, note)
    rewrite(folder / "a", b"FIRST")
    assert taken(folder, note) == taken(folder) != first


def test_another_file_moved_into_the_place_is_noticed(folder, tmp_path, later):
    note, other = tmp_path / "digests.json", tmp_path / "other"
    other.write_bytes(b"FIRST")
    os.utime(other, (1, 1))
    os.utime(folder / "a", (1, 1))
    first = taken(folder, note)
    other.replace(folder / "a")
    assert taken(folder, note) == taken(folder) != first


def test_a_file_as_young_as_its_note_is_read_again(folder, tmp_path, n_read):
    """It may change again within the tick of a coarse clock, which only its contents would show."""
    note = tmp_path / "digests.json"
    taken(folder, note)
    taken(folder, note)
    assert len(n_read) == 4


@pytest.mark.parametrize("entry", [[5, 1, "digest"], [5, 1, 1, "digest"], ["5", 1, 1, 1, 1, "digest"], 5, None, "text"])
def test_entries_of_another_form_are_not_believed(folder, tmp_path, entry):
    note = tmp_path / "digests.json"
    note.write_text(json.dumps({str(folder / "a"): entry}))
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
