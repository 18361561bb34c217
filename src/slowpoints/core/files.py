"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

WEIGHTS, SNAPSHOTS = "weights.safetensors", "snapshots.safetensors"
"""Files of a block of networks, beside its tables."""
RESUME = "resume.safetensors"
"""Of a run on its way: no declared output, so that a killed job keeps it."""


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when all went well, and goes when not.

    Raises:
        OSError: naming the file, where it cannot be written.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        place = Path(error.filename or path)
        place = path if place.name.startswith(_prefix(path)) else place
        raise OSError(error.errno, os.strerror(error.errno) if error.errno else str(error), str(place)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def remove_leftovers(path: Path) -> None:
    """Removes temporary files that writers of `path` left behind when they were killed."""
    for leftover in path.parent.glob(f"{glob.escape(_prefix(path))}*"):
        leftover.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
