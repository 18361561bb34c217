"""Where the files of a source lie or will be downloaded to, checked when a run is planned."""

from __future__ import annotations

import re
from pathlib import Path

from slowpoints.core.config import ConfigError
from slowpoints.core.layout import RESOURCES
from slowpoints.core.presets.source import Source
from slowpoints.datasets.readers import EMBEDDED, downloads
from slowpoints.datasets.sources import source_files

BRACES = re.compile(r"\{.*\}")


def source_folder(source: Source, data_dir: str | None, name: str) -> Path | None:
    """Folder of a source's files, or where they will be downloaded to; None for embedded kinds."""
    if source.kind in EMBEDDED:
        return None
    if source.path is None:
        raise ConfigError(f"{name}.path is missing; {source.kind} files need a folder")
    settings = f"{name}.path is {source.path!r} and data_dir is {data_dir!r}"
    try:
        path, above = (Path(text).expanduser() for text in (source.path, data_dir or "."))
        folder = above / path
        exists = folder.is_dir()
    except (OSError, RuntimeError) as error:  # a name too long, an unknown user's ~home
        raise ConfigError(f"{settings}: {error}") from None
    if source.urls and downloads(source.kind) and not path.is_absolute() and (data_dir is None or above == RESOURCES):
        _check_download(source, path, name)
        return RESOURCES / path
    if RESOURCES in (folder, *folder.parents):
        raise ConfigError(f"{settings}: {RESOURCES}/ is for downloads only; keep your own files elsewhere")
    if not exists:
        raise ConfigError(f"{settings}: there is no folder {folder}; set data_dir to the folder that contains it")
    return folder


def _check_download(source: Source, path: Path, name: str) -> None:
    if not path.parts or ".." in path.parts:
        raise ConfigError(f"{name}.path is {source.path!r}; it must name a folder of its own below {RESOURCES}/")
    for file in downloads(source.kind):
        if file not in source.checksums:
            raise ConfigError(f"{name}.checksums has no {file}; a file is only downloaded with its checksum known")


def needed_files(source: Source, folder: Path | None, name: str) -> list[Path]:
    """Files that a data set is made from; those to be downloaded need not exist."""
    if folder is None:
        return []
    try:
        downloaded = RESOURCES in folder.parents
        files = [folder / file for file in downloads(source.kind)] if downloaded else source_files(source, folder)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name}: {error}") from None
    for file in files:
        if not file.is_relative_to(folder) or ".." in file.relative_to(folder).parts:
            raise ConfigError(f"{name}: {file} is not below {folder}, the folder of its files")
        if BRACES.search(str(file)):
            raise ConfigError(f"{name}: {file}: Snakemake takes text between braces for a wildcard; rename it")
    return files
