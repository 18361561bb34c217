"""Flip-flop task: outputs remember the sign of the last pulse on their channel (Sussillo & Barak 2013).

The usual first example for slow points: a network that solves it has an attractor for each of the 2^bits memories, and
saddles between them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from slowpoints.core.arguments import finite, whole_number
from slowpoints.core.streams import seeded


def flip_flop_trials(trials: int, frames: int, bits: int = 3, *, rate: float = 0.1, seed: int) -> tuple[Tensor, Tensor]:
    """Pulses of 1 or -1, on every channel in the first frame and later at random, and each channel's last pulse.

    Args:
        trials: B.
        frames: T.
        bits: N, channels.
        rate: probability of a pulse per frame and channel.
        seed: of the trials.

    Returns:
        Inputs and targets, `[T, B, N]` each.

    Raises:
        TypeError, ValueError: naming the argument, if it is impossible.
    """
    trials, frames, bits = (
        whole_number(size, name, least=1) for name, size in (("trials", trials), ("frames", frames), ("bits", bits))
    )
    if finite(rate, "rate", least=0) > 1:
        raise ValueError(f"rate is {rate}; it must be at most 1, a pulse in every frame")
    generator = seeded(seed)
    shape = (frames, trials, bits)
    # Fixed, since draws depend on the default device and dtype.
    single: dict[str, Any] = {"device": "cpu", "dtype": torch.float32}
    signs = 2 * torch.randint(2, shape, generator=generator, **single) - 1
    pulse = torch.rand(shape, generator=generator, **single) < rate
    pulse[0] = True
    last = torch.where(pulse, torch.arange(frames, device="cpu")[:, None, None], 0).cummax(0).values
    return signs * pulse, signs.gather(0, last)
