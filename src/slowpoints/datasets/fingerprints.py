"""Digests of what files hold: a plan asks for them of a data set's files, whose times and folder say little.

Digests are kept in a note, so that a file is read again only when its size or time has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from slowpoints.core.config import ConfigError
from slowpoints.core.files import atomic


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
            name, about = str(file.absolute()), file.stat()
            seen = [about.st_size, about.st_mtime_ns, about.st_ino]
            kept = known.get(name)
            if kept is None or kept[:-1] != seen:
                with file.open("rb") as content:
                    kept = [*seen, hashlib.file_digest(content, "sha256").hexdigest()]
            digests[name] = kept
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: {error.strerror}") from None
    if note is not None and any(known.get(name) != kept for name, kept in digests.items()):
        with contextlib.suppress(OSError), atomic(note) as temporary:  # without a note, files are read again next time
            temporary.write_text(json.dumps(known | digests), encoding="utf-8")
    names = {str(Path(name).relative_to(folder.absolute())): kept[-1] for name, kept in digests.items()}
    return hashlib.sha256(json.dumps(names, sort_keys=True).encode()).hexdigest()[:16]


def _noted(note: Path) -> dict[str, list]:
    try:
        return dict(json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
