"""Files that are either complete or absent."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

WEIGHTS, SNAPSHOTS = "weights.safetensors", "snapshots.safetensors"
"""Files of a seed block, beside its tables."""
RESUME = "resume.safetensors"
"""State of an unfinished run. It is not a declared output, so Snakemake keeps it when a job is killed."""


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary file beside `path`, which replaces it on success and is removed on failure.

    Raises:
        OSError: naming the file, if it cannot be written.
    """
    path = Path(path)
    handle, temporary = None, None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        handle, temporary = _claimed(path)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        failed = Path(error.filename or path)
        failed = path if failed.name.startswith(_prefix(path)) else failed
        raise OSError(error.errno, os.strerror(error.errno) if error.errno else str(error), str(failed)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def remove_leftovers(path: Path) -> None:
    """Removes temporary files left by killed writers of `path`; those of running writers are locked and stay."""
    for leftover in path.parent.glob(f"{glob.escape(_prefix(path))}*"):
        with contextlib.suppress(OSError), leftover.open("rb+") as file:  # locked, already gone, or not ours to remove
            _lock(file.fileno())
            leftover.unlink()


def _claimed(path: Path) -> tuple[int, Path]:
    """A temporary file beside `path`, locked until it is closed, so that no other writer removes it as a leftover."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))
        try:
            _lock(handle)
            claimed = os.fstat(handle).st_nlink > 0
        except BlockingIOError:  # another writer is removing it as a leftover, since it was not locked yet
            claimed = False
        except OSError:  # a file system without locks, where leftovers are never removed
            claimed = True
        if claimed:
            return handle, Path(name)
        os.close(handle)


def _lock(handle: int) -> None:
    """Takes the lock of an open file.

    Raises:
        OSError: if another writer holds it (`BlockingIOError`), or the file system has no locks.
    """
    import fcntl  # absent on Windows, where tables can still be read and slow points searched for

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
