"""Flip-flop task: outputs remember the sign of the last pulse on their channel (Sussillo & Barak 2013).

What slow points of a network are usually first tried on: a network that solves it has an attractor for each of the
2^bits memories, and saddles between them.
"""

from __future__ import annotations

import torch
from torch import Tensor


def flip_flop_trials(trials: int, frames: int, bits: int = 3, *, rate: float = 0.1, seed: int) -> tuple[Tensor, Tensor]:
    """Pulses of 1 or -1, one on each channel in the first frame, later at random; and the sign of each channel's last.

    Args:
        trials: B.
        frames: T.
        bits: N, channels.
        rate: of pulses, a frame and channel.
        seed: of the trials.

    Returns:
        Inputs and targets, `[T, B, N]` each.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (frames, trials, bits)
    signs = 2.0 * torch.randint(2, shape, generator=generator) - 1
    pulse = torch.rand(shape, generator=generator) < rate
    pulse[0] = True
    last = torch.where(pulse, torch.arange(frames)[:, None, None], 0).cummax(0).values
    return signs * pulse, signs.gather(0, last)
