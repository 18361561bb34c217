"""Adam (Kingma & Ba 2015) with its default settings, bit for bit equal to `torch.optim.Adam` on a CPU.

For small tensors, each step of PyTorch's optimiser takes longer, and its first use imports PyTorch's compiler, which
takes a second.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8


@torch.no_grad()
def adam_step(value: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int, rate: float) -> None:
    """One descent step of a tensor, in place.

    Args:
        value: the tensor; changed.
        gradient: its gradient, of the same shape.
        mean: running mean of gradients, likewise; changed.
        square: running mean of their squares, likewise; changed.
        step: number of this step, from 1.
        rate: learning rate.
    """
    mean.lerp_(gradient, 1 - DECAY)
    square.mul_(SQUARE_DECAY).addcmul_(gradient, gradient, value=1 - SQUARE_DECAY)
    spread = square.sqrt().div_((1 - SQUARE_DECAY**step) ** 0.5).add_(EPSILON)
    value.addcdiv_(mean, spread, value=-rate / (1 - DECAY**step))


class CpuAdam:
    """Adam for several tensors, with the attributes and methods of `torch.optim.Adam` that training uses.

    Args:
        weights: leaves with gradients.
        weight_decay: coefficient of decoupled weight decay (Loshchilov & Hutter 2019).

    Attributes:
        param_groups: a single group, with the learning rate as `lr`.
        state: `step`, `exp_avg` and `exp_avg_sq` of each weight, from its first step on.
    """

    def __init__(self, weights: Iterable[Tensor], weight_decay: float = 0.0):
        self.weights, self.weight_decay = list(weights), weight_decay
        self.param_groups = [{"lr": 1e-3}]
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Removes all gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One step of every weight that has a gradient."""
        rate = self.param_groups[0]["lr"]
        for weight in self.weights:
            if weight.grad is None:
                continue
            if weight not in self.state:
                zeros = torch.zeros_like(weight)
                self.state[weight] = {"step": torch.zeros(()), "exp_avg": zeros, "exp_avg_sq": zeros.clone()}
            state = self.state[weight]
            state["step"] += 1
            if self.weight_decay:
                weight.mul_(1 - rate * self.weight_decay)
            adam_step(weight, weight.grad, state["exp_avg"], state["exp_avg_sq"], int(state["step"]), rate)
