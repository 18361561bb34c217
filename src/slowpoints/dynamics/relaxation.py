"""Relaxation of memories under a constant input, for any map of states: the basis of penalties on their drift.

F frames, n state coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

Step = Callable[[Tensor], Tensor]
"""One frame under a constant input, `[..., n]` to `[..., n]`."""

RELAXATION_FRAMES = (20, 50, 100, 200, 400, 800)
"""Default frames along a relaxation path at which its speed is penalised."""


@torch.no_grad()
def relaxation_path(step: Step, states: Tensor, frames: Sequence[int] = RELAXATION_FRAMES) -> Tensor:
    """States along relaxation paths, without a gradient.

    Args:
        step: one frame under a constant input.
        states: starting points, `[..., n]`. Not changed.
        frames: numbers of frames since the start, increasing; 0 is the start itself.

    Returns:
        The states after these numbers of frames, `[F, ..., n]`.

    Raises:
        ValueError: if the frames do not increase, or the first is negative.
    """
    if not frames or min(frames) < 0 or list(frames) != sorted({*frames}):
        raise ValueError(f"frames is {list(frames)}; they must increase, from at least 0")
    return torch.stack(list(states_at(step, states, frames)))


def states_at(step: Step, states: Tensor, frames: Sequence[int]) -> Iterator[Tensor]:
    """The states `[..., n]` of `relaxation_path`, one frame number at a time."""
    for frame in range(frames[-1] + 1):
        if frame:
            states = step(states)
        if frame in frames:
            yield states
