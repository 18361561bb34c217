"""Files and folders that may be the one that is missing, for messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

MOST_SEEN = 1000  # entries of a folder, which may be very large
MOST_NAMED = 3
MOST_FOLDERS = 100  # that are searched
DEPTH = 2  # levels of folders that are searched, such as torchvision's MNIST/raw
GZIPPED = re.compile(r"\.gz$", re.IGNORECASE)
CLOSE = 0.8  # least similarity of names, of 1


def near_misses(folder: Path, name: str, wanted: Collection[str], *, is_folder: bool = False) -> str:
    """End of a message that names candidates for a missing file, in its folder or up to `DEPTH` below; may be empty.

    Args:
        folder: that should contain it.
        name: of the missing file.
        wanted: names of all files that the folder should contain, `name` included. Candidates that are more similar to
            another of them are not named. If `name.gz` is among them, it may replace `name`.
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
    except OSError:  # an unreadable folder is reported where it must be read
        return


def _is_near(path: Path, name: str, wanted: Collection[str]) -> bool:
    if path.name == name:
        return True
    if path.name in wanted or max(wanted, key=lambda other: _similarity(path.name, other)) != name:
        return False
    return _begins_like(path, name) or _plain(name) in _plain(path.name) or _similarity(path.name, name) >= CLOSE


def _below(folder: Path, name: str) -> list[Path]:
    """Candidates in folders below another: the first in each, and none below it."""
    candidates: list[Path] = []
    places = [folder]
    for _ in range(DEPTH):
        below = (path for place in places for path in _entries(place) if path.name != name and path.name[0] != ".")
        places = []
        for place in islice(filter(Path.is_dir, below), MOST_FOLDERS):
            alike = next((path for path in _entries(place) if _is_alike(path, name)), None)
            places += [place] if alike is None else []
            candidates += [alike] if alike else []
    return candidates


def _is_alike(path: Path, name: str) -> bool:
    return Path(GZIPPED.sub("", path.name)).suffix == Path(name).suffix and _begins_like(path, name)


def _begins_like(path: Path, name: str) -> bool:
    return _plain(path.name).startswith(_plain(name.partition(".")[0]))


def _similarity(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, _plain(one), _plain(other)).ratio()


def _plain(name: str) -> str:
    """A name without what varies in spelling: case, punctuation, and the suffix of gzip."""
    return re.sub(r"[^a-z0-9]", "", GZIPPED.sub("", name.lower()))


def _described(path: Path, folder: Path) -> str | None:
    """Hint about a candidate that is in a folder below, or a broken link; None for others."""
    if path.parent != folder:
        place = path.parent.relative_to(folder)
        return f"there is {path.name} in the folder {place}: move it up, or name that folder as the path"
    return None if path.exists() else f"{path.name} is a link to nowhere"


def _file_described(path: Path, name: str, wanted: Collection[str]) -> str:
    if path.is_dir():
        inside = ", ".join(each.name for each in islice(_entries(path), MOST_NAMED)) or "empty"
        return f"{path.name} is a folder there ({inside}), where one file is needed, called {name}"
    needed = f"called {name}"
    if GZIPPED.search(path.name) and f"{name}.gz" in wanted:
        needed += ".gz"
    elif GZIPPED.search(path.name) and not GZIPPED.search(name):
        needed = f"unpacked, and {needed}"
    return f"there is {path.name}, which may be it: it must be {needed}"


def _folder_described(path: Path, name: str, _: Collection[str]) -> str:
    if path.is_dir():
        return f"there is a folder {path.name}, which may be it: it must be called {name}"
    return f"{path.name} is a file there, where a folder is needed, called {name}"
