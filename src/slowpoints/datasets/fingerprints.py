"""Digests of what files hold: a plan asks for them of a data set's files, whose times and folder say little.

Digests are kept in a note, so that a file is read again only when its size, its inode or one of its times has changed.
The time of change (ctime) is among them: programs can set the time of modification as they like, and archives with
fixed times do. A file that had changed just before it was read may change again within the same tick of a coarse clock,
which no time would show, so such a file is read again as well (as Git does with "racily clean" files).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from slowpoints.core.config import ConfigError
from slowpoints.core.files import atomic

YOUNG = 2 * 10**9
"""Nanoseconds after a change of a file in which another may bear the same time: the tick of FAT, the coarsest."""


def fingerprint(files: Iterable[Path], folder: Path, note: Path | None = None) -> str:
    """Digest of the contents of files and their names below a folder, wherever that is.

    Args:
        files: below `folder`.
        folder: that holds them.
        note: where digests are kept from one call to the next; it need not exist. None keeps none.

    Raises:
        ConfigError: naming a file that cannot be read.
    """
    known = {} if note is None else _noted(note)
    digests = {}
    try:
        for file in files:
            name, seen = str(file.absolute()), _identity(file.stat())
            kept = known.get(name)
            digests[name] = kept if kept is not None and kept[:-2] == seen and _settled(kept) else _read(file)
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: {error.strerror}") from None
    if note is not None and any(known.get(name) != kept for name, kept in digests.items()):
        with contextlib.suppress(OSError), atomic(note) as temporary:  # without a note, files are read again next time
            temporary.write_text(json.dumps(known | digests), encoding="utf-8")
    names = {str(Path(name).relative_to(folder.absolute())): kept[-1] for name, kept in digests.items()}
    return hashlib.sha256(json.dumps(names, sort_keys=True).encode()).hexdigest()[:16]


def _identity(about: os.stat_result) -> list[int]:
    """What tells a changed file from one that was read before."""
    return [about.st_size, about.st_ino, about.st_mtime_ns, about.st_ctime_ns]


def _read(file: Path) -> list:
    """A file's entry of the note: its identity, when it was read (nanoseconds), and the digest of its contents."""
    now = time.time_ns()
    with file.open("rb") as content:
        return [*_identity(os.fstat(content.fileno())), now, hashlib.file_digest(content, "sha256").hexdigest()]


def _settled(entry: list) -> bool:
    """Whether a file's last change lies so far before it was read that a later one must carry another time."""
    *_, changed, read, _ = entry
    return changed + YOUNG < read


def _noted(note: Path) -> dict[str, list]:
    """Entries of a note; none of one that is damaged, or written by another version."""
    try:
        entries = dict(json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
    return {name: entry for name, entry in entries.items() if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, list) or len(entry) != 6:
        return False
    return all(type(number) is int for number in entry[:-1]) and isinstance(entry[-1], str)
