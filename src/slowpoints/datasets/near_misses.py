"""What a missing file or folder may be called instead, for messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

MOST_SEEN = 1000  # of what a folder holds: it may be very large
MOST_NAMED = 3
CLOSE = 0.8  # least similarity of names, of 1


def near_misses(folder: Path, name: str, wanted: Collection[str]) -> str:
    """What in a folder, or in a folder in it, may be the missing file, as the end of a message; empty where nothing is.

    Args:
        folder: that should hold it.
        name: of what is missing.
        wanted: names of all files that are looked for there, `name` included. What is closer to another is not named.
    """
    near = [path for path in _entries(folder) if _is_near(path, name, wanted)]
    near += [path for place in _entries(folder) if place.is_dir() for path in _inside(place, name)]
    near.sort(key=lambda path: (path.parent != folder, -_similarity(path.name, name)))
    return "".join(f"; {_described(path, folder, name)}" for path in near[:MOST_NAMED])


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(islice(folder.iterdir(), MOST_SEEN))
    except OSError:  # that a folder can't be read is said where it must be
        return


def _is_near(path: Path, name: str, wanted: Collection[str]) -> bool:
    if path.name == name:
        return True
    if path.name in wanted or max(wanted, key=lambda other: _similarity(path.name, other)) != name:
        return False
    return _begins_like(path, name) or _plain(name) in _plain(path.name) or _similarity(path.name, name) >= CLOSE


def _inside(place: Path, name: str) -> list[Path]:
    """Files of that name, or of nearly that name, in a folder of another."""
    if place.name == name:
        return []
    return [path for path in _entries(place) if path.suffix == Path(name).suffix and _begins_like(path, name)][:1]


def _begins_like(path: Path, name: str) -> bool:
    return _plain(path.name).startswith(_plain(name.partition(".")[0]))


def _similarity(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, _plain(one), _plain(other)).ratio()


def _plain(name: str) -> str:
    """A name without what is written in many ways: case, dots and dashes, and that it is gzipped."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\.gz$", "", name.lower()))


def _described(path: Path, folder: Path, name: str) -> str:
    if path.parent != folder:
        return f"there is {path.name} in the folder {path.parent.name}: move it up, or name that folder as the path"
    if not path.exists():
        return f"{path.name} is a link to nowhere"
    if path.name == name:
        inside = ", ".join(each.name for each in islice(_entries(path), MOST_NAMED))
        return f"{name} is a folder there ({inside or 'empty'}), where one file is needed"
    what = "a folder " if path.is_dir() else ""
    return f"there is {what}{path.name}, which may be it: it must be called {name}"
