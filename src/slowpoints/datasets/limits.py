"""How much is read of a file at most: what its header promises, up to a ceiling."""

from __future__ import annotations

from typing import BinaryIO

MOST_BYTES = 2**31
"""Of a file as unpacked, and of the images of a part: eleven times those of CIFAR-10, forty of MNIST."""
CHUNK = 2**20


def check_size(n_bytes: int, what: object) -> None:
    """Refuses what would take too much memory, before any is taken.

    Args:
        n_bytes: as unpacked.
        what: a file, or what of it, for the message.

    Raises:
        ValueError: if that is more than `MOST_BYTES`.
    """
    if n_bytes > MOST_BYTES:
        raise ValueError(
            f"{what}: unpacks to {n_bytes:,} bytes; at most {MOST_BYTES:,} are read, so take fewer or smaller images"
        )


def read_up_to(file: BinaryIO, n_bytes: int) -> bytearray:
    """The next bytes of a file, or all that are left where there are fewer; no more memory is taken than is there."""
    data = bytearray()
    while len(data) < n_bytes:
        chunk = file.read(min(CHUNK, n_bytes - len(data)))
        if not chunk:
            break
        data += chunk
    return data
