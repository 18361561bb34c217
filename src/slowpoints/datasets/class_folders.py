"""Folders of images by class: which files belong to which class, in what order, and what is left out."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from slowpoints.datasets.near_misses import near_misses

PARTS = ("train", "test")
SUFFIX = ".png"
SYSTEM = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"}
"""Files and folders of file managers, in lower case; skipped, as are names that begin with a dot."""
NOTES = {".csv", ".html", ".json", ".log", ".md", ".rst", ".toml", ".tsv", ".txt", ".xml", ".yaml", ".yml"}
"""Suffixes of files that describe images."""
WORDS = {"readme", "license", "licence", "copying", "notice", "changelog", "md5sums", "sha1sums", "sha256sums"}
"""Names of such files without a suffix, in lower case."""
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
MOST_NAMED = 5  # names in a message


@dataclass(frozen=True)
class ClassFolders:
    """Images of both parts.

    Attributes:
        names: of the classes, in the order of their labels.
        images: of each part, files of each class.
        left_out: files and folders that hold no images of a class, hidden ones aside.
    """

    names: list[str]
    images: dict[str, list[list[Path]]]
    left_out: list[Path]


def class_folders(folder: Path, classes: int) -> ClassFolders:
    """Images of `train/<class>/*.png` and `test/<class>/*.png`.

    Raises:
        FileNotFoundError: naming the folder that is missing, or has no image in it.
        ValueError: if the folders are not those of the classes, or hold images that would not be read.
    """
    absent = [part for part in PARTS if not (folder / part).is_dir()]
    if absent:
        hints = "".join(near_misses(folder, part, PARTS, is_folder=True) for part in absent)
        raise FileNotFoundError(f"{folder}: folders train and test are needed, each with one folder a class{hints}")
    if (folder / PARTS[0]).samefile(folder / PARTS[1]):
        raise ValueError(f"{folder}: train and test are the same folder; test images must not be trained on")
    left_out = [path for paths in _entries(folder) for path in paths if path.name not in PARTS]
    by_class: dict[str, dict[str, list[Path]]] = {}
    for part in PARTS:
        by_class[part], others = _part(folder / part)
        left_out += others
    train, test = (_in_order(folder / part, by_class[part]) for part in PARTS)
    _check_classes(folder, train, test, classes)
    for part, paths in by_class.items():
        if empty := [name for name in train if not paths[name]]:
            raise FileNotFoundError(f"{folder / part / empty[0]}: no PNG there; each class needs images")
    return ClassFolders(train, {part: [by_class[part][name] for name in train] for part in PARTS}, left_out)


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Folders in a folder, and files, sorted, without hidden and system files."""
    folders: list[Path] = []
    files: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name.lower() not in SYSTEM:
                (folders if entry.is_dir() else files).append(folder / entry.name)
    return sorted(folders), sorted(files)


def _part(folder: Path) -> tuple[dict[str, list[Path]], list[Path]]:
    """PNGs of each class folder of a part, and what is left out.

    Raises:
        ValueError: if images would be left out, or a class name, which the data set stores, is not in UTF-8.
    """
    places, left_out = _entries(folder)
    _refuse_images(folder, left_out, "being in no folder of a class")
    classes = {}
    for place in places:
        try:
            place.name.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"{folder}: the folder {place.name!a} has a name that is not in UTF-8; rename it"
            ) from None
        below, files = _entries(place)
        classes[place.name] = [path for path in files if path.suffix.lower() == SUFFIX]
        others = [path for path in files if path.suffix.lower() != SUFFIX]
        _refuse_images(place, others, "since only PNGs are read (convert or remove what is none)")
        for path in below:
            _refuse_images(path, _entries(path)[1], "being below a class folder")
        left_out += others + below
    return classes, left_out


def _refuse_images(folder: Path, files: list[Path], trouble: str) -> None:
    """Refuses files that may be images, which would otherwise be left out silently."""
    images = [path for path in files if path.suffix.lower() not in NOTES and path.name.lower() not in WORDS]
    if images:
        suffixes = Counter(path.suffix.lower() or "no suffix" for path in images)
        counts = ", ".join(f"{number} of {suffix}" for suffix, number in suffixes.most_common(MOST_NAMED))
        n_files = "1 file" if len(images) == 1 else f"{len(images)} files"
        raise ValueError(f"{folder}: {n_files} ({counts}) would be left out, {trouble}: {named(images, folder)}")


def named(paths: list[Path], folder: Path) -> str:
    """Names of the first files of a folder, and how many more there are."""
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return ", ".join(str(path.relative_to(folder)) for path in paths[:MOST_NAMED]) + more


def _in_order(folder: Path, names: dict[str, list[Path]]) -> list[str]:
    """Class names in the order of their labels: by number if all are numbers, else naturally, class2 before class10.

    Raises:
        ValueError: if two are the same number, such as 1 and 01.
    """
    if not all(map(NUMBER.fullmatch, names)):
        return sorted(names, key=lambda name: (_natural(name), name))
    by_number: dict[Decimal, str] = {}
    for name in sorted(names):
        other = by_number.setdefault(Decimal(name), name)
        if other != name:
            raise ValueError(f"{folder}: the folders {other} and {name} are the same number; is it one class, or two?")
    return [by_number[number] for number in sorted(by_number)]


def _natural(name: str) -> list[str | int]:
    """Sort key of a name: its text and numbers in turn."""
    return [int(piece) if place % 2 else piece for place, piece in enumerate(re.split(r"(\d+)", name))]


def _check_classes(folder: Path, train: list[str], test: list[str], classes: int) -> None:
    if train != test:
        only = [f"{name} only in train" for name in train if name not in test]
        only += [f"{name} only in test" for name in test if name not in train]
        raise ValueError(
            f"{folder}: classes differ between train ({', '.join(train)}) and test ({', '.join(test)}): "
            + ", ".join(only[:MOST_NAMED])
        )
    if len(train) != classes:
        raise ValueError(f"{folder}: {len(train)} class folders ({', '.join(train)}) where source.classes is {classes}")
