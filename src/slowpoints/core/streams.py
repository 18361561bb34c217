"""Named, explicit streams of random numbers.

Every draw of the project comes from a stream that is named after its purpose. Names of a network's streams include its
data set, architecture, protocol and seed, so its numbers do not depend on what else is trained with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from slowpoints.core.arguments import whole_number

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SEEDS = range(-(2**63), 2**64)
"""Seeds that PyTorch's generators accept."""


def stream_seed(*names: object) -> int:
    """Seed of the stream with these names, in [0, 2^63)."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(*names: object, device: torch.device | str = "cpu") -> torch.Generator:
    """PyTorch generator of the stream with these names."""
    import torch  # here, since statistics and figures do not need it

    return torch.Generator(device).manual_seed(stream_seed(*names))


def seeded(seed: int) -> torch.Generator:
    """PyTorch generator on the CPU from a caller's seed, which may be a number of NumPy.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is not a whole number that PyTorch accepts.
    """
    import torch

    number = whole_number(seed, "seed", least=SEEDS.start)
    if number not in SEEDS:
        raise ValueError(f"seed is {seed}; it must be less than 2^64")
    return torch.Generator("cpu").manual_seed(number)


def numpy_generator(*names: object) -> np.random.Generator:
    """NumPy generator of the stream with these names."""
    return np.random.default_rng(stream_seed(*names))


def uniform(streams: Sequence[torch.Generator], out: Tensor) -> Tensor:
    """Fills `out`, `[S, ...]`, with uniform numbers in [0, 1), for each network from its own stream, and returns it."""
    for numbers, stream in zip(out, streams, strict=True):
        numbers.uniform_(generator=stream)
    return out
