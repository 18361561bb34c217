"""What a missing file or folder may be called instead, for messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

MOST_SEEN = 1000  # of what a folder holds: it may be very large
MOST_NAMED = 3
MOST_FOLDERS = 100  # that are looked into
DEPTH = 2  # folders that a file may lie below, such as torchvision's MNIST/raw
GZIPPED = re.compile(r"\.gz$", re.IGNORECASE)
CLOSE = 0.8  # least similarity of names, of 1


def near_misses(folder: Path, name: str, wanted: Collection[str], *, is_folder: bool = False) -> str:
    """What may be the missing file, in its folder or up to `DEPTH` below, as the end of a message; else empty.

    Args:
        folder: that should hold it.
        name: of what is missing.
        wanted: names of all files that are looked for there, `name` included. What is closer to another is not named.
            A `name.gz` among them may be there in its place.
        is_folder: whether a folder is missing, not a file.
    """
    near = [path for path in _entries(folder) if _is_near(path, name, wanted)]
    near += _below(folder, name)
    near.sort(key=lambda path: (len(path.parts), -_similarity(path.name, name)))
    describe = _folder_described if is_folder else _file_described
    return "".join(f"; {_described(path, folder) or describe(path, name, wanted)}" for path in near[:MOST_NAMED])


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


def _below(folder: Path, name: str) -> list[Path]:
    """What is called so, or nearly so, in folders below another: one in each, and nothing below it."""
    found: list[Path] = []
    places = [folder]
    for _ in range(DEPTH):
        places = [path for place in places for path in _entries(place) if path.is_dir() and _may_hold(path, name)]
        places = places[:MOST_FOLDERS]
        inside = {place: [path for path in _entries(place) if _is_alike(path, name)][:1] for place in places}
        found += [path for paths in inside.values() for path in paths]
        places = [place for place, paths in inside.items() if not paths]
    return found


def _may_hold(place: Path, name: str) -> bool:
    return place.name != name and not place.name.startswith(".")


def _is_alike(path: Path, name: str) -> bool:
    suffix = Path(GZIPPED.sub("", path.name)).suffix
    return suffix == Path(name).suffix and _begins_like(path, name)


def _begins_like(path: Path, name: str) -> bool:
    return _plain(path.name).startswith(_plain(name.partition(".")[0]))


def _similarity(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, _plain(one), _plain(other)).ratio()


def _plain(name: str) -> str:
    """A name without what is written in many ways: case, dots and dashes, and that it is gzipped."""
    return re.sub(r"[^a-z0-9]", "", GZIPPED.sub("", name.lower()))


def _described(path: Path, folder: Path) -> str | None:
    """What there is to say of files and folders alike; None where there is nothing."""
    if path.parent != folder:
        place = path.parent.relative_to(folder)
        return f"there is {path.name} in the folder {place}: move it up, or name that folder as the path"
    return None if path.exists() else f"{path.name} is a link to nowhere"


def _file_described(path: Path, name: str, wanted: Collection[str]) -> str:
    if path.is_dir():
        inside = ", ".join(each.name for each in islice(_entries(path), MOST_NAMED)) or "empty"
        return f"{path.name} is a folder there ({inside}), where one file is needed, called {name}"
    if not GZIPPED.search(path.name):
        return f"there is {path.name}, which may be it: it must be called {name}"
    if f"{name}.gz" in wanted:
        return f"there is {path.name}, which may be it: it must be called {name}.gz"
    more = "" if GZIPPED.search(name) else "unpacked, and "
    return f"there is {path.name}, which may be it: it must be {more}called {name}"


def _folder_described(path: Path, name: str, _: Collection[str]) -> str:
    if path.is_dir():
        return f"there is a folder {path.name}, which may be it: it must be called {name}"
    return f"{path.name} is a file there, where a folder is needed, called {name}"
