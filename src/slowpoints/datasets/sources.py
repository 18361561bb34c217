"""Files of a data set: where they are, their checksums, and their download from public addresses."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pooch
from tqdm import tqdm

from slowpoints.core.presets.source import Source
from slowpoints.datasets.limits import CHUNK, check_size
from slowpoints.datasets.readers import reader

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

log = logging.getLogger(__name__)

RETRIES = 2  # at each address, before the next is tried
PAUSE, LONGEST_PAUSE = 1, 60  # seconds: before the first retry; beyond which the next address is tried instead
TIMEOUT = 30  # seconds without a byte
PATIENCE = 25 * 60  # seconds for all addresses together, less than the rule's half hour
PASSING = (408, 425, 429)  # refusals of a server that may pass, as may all from 500 on


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
    digests = {}
    for path in source_files(source, folder):
        if path.name in known:
            compare(path, known[path.name])
        digests[str(path.relative_to(folder))] = pooch.file_hash(str(path), alg="sha256")
    if source.kind == "png":
        joined = "".join(f"{name}\0{digest}\0" for name, digest in sorted(digests.items()))
        return {"all files": hashlib.sha256(joined.encode("utf-8", "surrogateescape")).hexdigest()}
    return digests


def compare(path: Path, known: str) -> None:
    """Raises ValueError unless the file has the checksum `known`, written "md5:..." or "sha256:..."."""
    algorithm, _, wanted = known.partition(":")
    digest = pooch.file_hash(str(path), alg=algorithm)
    if digest != wanted.lower():
        raise ValueError(
            f"{path}: its {algorithm} checksum is {digest} where {wanted} is expected; the file is damaged"
        )


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
        OSError: if no address gave it within `PATIENCE`, naming what each said.
    """
    failures = []
    end = time.monotonic() + PATIENCE
    for waiting, address in zip(range(len(source.urls), 0, -1), source.urls, strict=True):
        now = time.monotonic()
        try:
            _from_address(f"{address.rstrip('/')}/", name, source, target, until=now + (end - now) / waiting)
            return
        except Exception as error:  # requests, urllib3 and pooch raise kinds of their own
            failures.append(f"{address}: {error}")
    raise OSError(
        f"{name} could not be had from any address; put it into a folder of your own and set data_dir.\n  "
        + "\n  ".join(failures)
    )


def _from_address(address: str, name: str, source: Source, target: Path, until: float) -> None:
    """One file from one address, tried again after growing pauses where that may help.

    Args:
        address: the folder that holds it, with a slash.
        name: its name.
        source: has its checksum.
        target: where it goes.
        until: time of `time.monotonic()` at which the address is given up.

    Raises:
        Exception: what the last attempt said.
    """
    registry = {name: source.checksums[name]}
    place = pooch.create(path=target.parent, base_url=address, registry=registry)
    for attempt in range(RETRIES + 1):
        try:
            place.fetch(name, downloader=_downloader(address, until))
            return
        except Exception as error:
            log.warning("%s from %s: %s", name, address, error)
            pause = _pause(error, attempt)
            if attempt == RETRIES or pause > min(LONGEST_PAUSE, until - time.monotonic()):
                raise
            time.sleep(pause)


def _pause(error: Exception, attempt: int) -> float:
    """Seconds before the next attempt: twice as long each time, longer where the server asks; inf where none helps."""
    pause = float(PAUSE * 2**attempt)
    response = getattr(error, "response", None)
    if response is None:
        return pause
    if response.status_code < 500 and response.status_code not in PASSING:
        return math.inf
    asked = response.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdigit():
        return max(pause, float(asked))
    try:
        return max(pause, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):  # no date, or one without its zone
        return pause


def _downloader(address: str, until: float) -> Callable:
    """What pooch fetches a file with."""
    if address.startswith("ftp:"):
        return pooch.FTPDownloader(timeout=TIMEOUT)

    def fetch(url: str, output: str, _: pooch.Pooch) -> None:
        import requests  # slow, and not for those who only plan

        with requests.get(url, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}) as response:
            response.raise_for_status()
            _store(response.raw, url, Path(output), until)

    return fetch


def _store(body: HTTPResponse, url: str, output: Path, until: float) -> None:
    """Writes what comes of a file, however little at a time, unless that is too much or takes too long."""
    n_bytes = 0
    with output.open("wb") as file, tqdm(total=body.length_remaining, unit="B", unit_scale=True) as bar:
        for chunk in iter(lambda: body.read1(CHUNK), b""):
            n_bytes += len(chunk)
            check_size(n_bytes, url)
            file.write(chunk)
            bar.update(len(chunk))
            if time.monotonic() > until:
                raise TimeoutError(f"{n_bytes:,} bytes came, too slowly to go on")
