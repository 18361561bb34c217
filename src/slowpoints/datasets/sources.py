"""Files of a data set: where they are, their checksums, and how they come from their public addresses."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import pooch

from slowpoints.core.presets.source import Source
from slowpoints.datasets.readers import reader

log = logging.getLogger(__name__)

RETRIES = 2  # at each address, before the next is tried


def source_files(source: Source, folder: Path) -> list[Path]:
    """Files that a source reads.

    Raises:
        FileNotFoundError: if the folder, or a file that must be in it, is missing.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    return reader(source.kind).files(source, folder)


def verify(source: Source, folder: Path) -> dict[str, str]:
    """Checksums of the files of a source, compared with those that the preset knows by file name.

    Returns:
        SHA-256 by file name; one for all together where there are very many (PNG folders).

    Raises:
        ValueError: naming the file, its checksum and the one it should have.
    """
    known = source.checksums
    found = {}
    for path in source_files(source, folder):
        if path.name in known:
            compare(path, known[path.name])
        found[str(path.relative_to(folder))] = pooch.file_hash(str(path), alg="sha256")
    if source.kind == "png":
        joined = "".join(f"{name}\0{digest}\0" for name, digest in sorted(found.items()))
        return {"all files": hashlib.sha256(joined.encode()).hexdigest()}
    return found


def compare(path: Path, known: str) -> None:
    """Raises ValueError unless the file has the checksum `known`, written "md5:..." or "sha256:..."."""
    algorithm, _, wanted = known.partition(":")
    found = pooch.file_hash(str(path), alg=algorithm)
    if found != wanted.lower():
        raise ValueError(f"{path}: its {algorithm} checksum is {found} where {wanted} is expected; the file is damaged")


def checksums(*arrays: np.ndarray) -> dict[str, str]:
    """SHA-256 of generated images and labels."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return {"generated": digest.hexdigest()}


def download(name: str, source: Source, target: Path) -> None:
    """Brings one file of a source to `target`, from the first of its addresses that gives it whole.

    Args:
        name: file name, a key of `source.checksums`.
        source: preset section `source`, with `urls` (folders that hold the file).
        target: where it goes, under the same name; written only when its checksum is right.

    Raises:
        OSError: if no address gave it, naming what each said.
    """
    failures = []
    for address in source.urls:
        place = pooch.create(
            path=target.parent,
            base_url=f"{address.rstrip('/')}/",
            registry={name: source.checksums[name]},
            retry_if_failed=RETRIES,
        )
        try:
            place.fetch(name, progressbar=True)
            return
        except Exception as error:  # requests, urllib3 and pooch raise kinds of their own
            failures.append(f"{address}: {error}")
            log.warning("%s: %s", name, failures[-1])
    raise OSError(
        f"{name} could not be had from any address; put it into a folder of your own and set data_dir.\n  "
        + "\n  ".join(failures)
    )
