"""Principal components of states."""

from __future__ import annotations

import torch
from torch import Tensor


def principal_components(states: Tensor, number: int) -> tuple[Tensor, Tensor, Tensor]:
    """Principal components of states `[P, n]`.

    The largest entry of each axis is positive. There are at most min(P, n) axes; further ones are zero.

    Returns:
        Mean `[n]`, leading axes `[n, number]`, and their shares of the variance `[number]`.
    """
    mean = states.mean(0)
    _, spread, axes = torch.linalg.svd(states - mean, full_matrices=False)
    shares = spread.square() / spread.square().sum().clamp(min=torch.finfo(spread.dtype).tiny)
    axes, shares = axes[:number].T, shares[:number]
    axes = axes * axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
    missing = (0, number - axes.shape[1])
    return mean, torch.nn.functional.pad(axes, missing), torch.nn.functional.pad(shares, missing)
