"""Relaxation of memories under a constant input, for any map of states: what penalties on their drift are made of.

F frames, n state coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

Step = Callable[[Tensor], Tensor]
"""One frame under a constant input, `[..., n]` to `[..., n]`."""

RELAXATION_FRAMES = (20, 50, 100, 200, 400, 800)
"""Frames along a relaxation path at which its speed is penalised, unless others are chosen."""


@torch.no_grad()
def relaxation_path(step: Step, states: Tensor, frames: Sequence[int] = RELAXATION_FRAMES) -> Tensor:
    """States along the paths that start from some states, without a gradient.

    Args:
        step: one frame under a constant input.
        states: starting points, `[..., n]`. Not changed.
        frames: numbers of frames since the start, increasing; 0 is the start itself.

    Returns:
        The states so many frames on, `[F, ..., n]`.

    Raises:
        ValueError: if the frames do not increase, or the first is negative.
    """
    if not frames or min(frames) < 0 or list(frames) != sorted({*frames}):
        raise ValueError(f"frames is {list(frames)}; they must increase, from 0 or later on")
    return torch.stack(list(states_at(step, states, frames)))


def states_at(step: Step, states: Tensor, frames: Sequence[int]) -> Iterator[Tensor]:
    """The states `[..., n]` of `relaxation_path`, one frame number at a time."""
    for frame in range(frames[-1] + 1):
        if frame:
            states = step(states)
        if frame in frames:
            yield states


def log_spaced_frames(first: int, last: int, n: int) -> tuple[int, ...]:
    """Whole frames at equal ratios, as nearly as whole numbers allow; fewer than `n` where several round to one.

    Args:
        first: at least 1.
        last: at least `first`.
        n: how many, both ends included.

    Raises:
        ValueError: if `first` is less than 1, `last` less than `first`, or `n` less than 1 (2 where the ends differ).
    """
    if not 1 <= first <= last or n < 1 + (first < last):
        raise ValueError(
            f"first, last and n are {first}, {last} and {n}; they must be whole numbers with 1 <= first <= last, and "
            "n at least 2, or 1 where first is last"
        )
    return tuple(sorted({*np.geomspace(first, last, n).round().astype(int).tolist()}))
