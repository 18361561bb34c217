"""Digests of file contents, by which planning notices that a data set's files have changed.

Digests are cached in a note: a file is read again only when its size, inode, or time of modification or change differs.
The time of change (ctime) counts because programs, such as those that unpack archives, set the time of modification
freely. A file that changed just before it was read may change again within one tick of a coarse clock, unnoticed; such
a file is read again, too (as Git does with "racily clean" files).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from slowpoints.core.config import ConfigError
from slowpoints.core.files import atomic

YOUNG = 2 * 10**9
"""Nanoseconds after a change in which another may have the same time: the tick of FAT, the coarsest clock."""


def fingerprint(files: Iterable[Path], folder: Path, note: Path | None = None) -> str:
    """Digest of the contents of files and their names below a folder, wherever the folder lies.

    Args:
        files: below `folder`.
        folder: that contains them.
        note: cache of digests, which need not exist; None for no cache.

    Raises:
        ConfigError: naming a file that cannot be read.
    """
    noted = {} if note is None else _entries(note)
    entries: dict[str, Entry] = {}
    try:
        for file in files:
            name = str(file.absolute())
            entry = noted.get(name)
            entries[name] = entry if entry and _is_current(entry, file) else _read(file)
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: {error.strerror}") from None
    if note is not None and any(noted.get(name) != entry for name, entry in entries.items()):
        with contextlib.suppress(OSError), atomic(note) as temporary:  # without a note, files are read again next time
            temporary.write_text(json.dumps(noted | entries), encoding="utf-8")
    digests = {str(Path(name).relative_to(folder.absolute())): entry.digest for name, entry in entries.items()}
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:16]


class Entry(NamedTuple):
    """A file's entry in the note: size, inode and times when it was read, and its digest; times in nanoseconds."""

    size: int
    inode: int
    modified: int
    changed: int
    read: int
    digest: str


def _read(file: Path) -> Entry:
    now = time.time_ns()
    with file.open("rb") as content:
        about, digest = os.fstat(content.fileno()), hashlib.file_digest(content, "sha256").hexdigest()
    return Entry(about.st_size, about.st_ino, about.st_mtime_ns, about.st_ctime_ns, now, digest)


def _is_current(entry: Entry, file: Path) -> bool:
    """Whether a file has not changed since it was read, nor so shortly before that a later change would not show."""
    about = file.stat()
    stat = about.st_size, about.st_ino, about.st_mtime_ns, about.st_ctime_ns
    return entry[:4] == stat and entry.changed + YOUNG < entry.read


def _entries(note: Path) -> dict[str, Entry]:
    """Entries of a note; none from one that is damaged or was written by another version."""
    types = [*[int] * 5, str]
    try:
        entries = dict(json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
    return {
        name: Entry(*entry)
        for name, entry in entries.items()
        if isinstance(entry, list) and [type(value) for value in entry] == types
    }
