"""Recurrent units: the equations of one step and their adjoint, for a whole ensemble.

Shapes: S networks, B states of each, H hidden units. A unit has input and recurrent weights for several
gates; `blocks` says which gates share a left operand of the recurrent product, in units of H columns.
The equations stand here once and serve training, roll-outs, the slow-point search and the Jacobian.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

State = tuple[Tensor, ...]  # each [S, B, H]; the first is the hidden state h


def tanh(x: Tensor) -> Tensor:
    """tanh x as 2 (sigmoid(2 x) - 1/2): on a CPU PyTorch takes half to a quarter of the time for it.

    The same to three roundings of 1, which is what a float32 network or a speed of 1e-12 can tell.
    """
    return torch.sigmoid(x + x).sub(0.5).mul_(2)


class Cell:
    """A recurrent unit.

    A new unit defines `blocks`, `parts` and `step`; with `adjoint` it also trains at full speed (without,
    `ensemble.unroll` differentiates `step` automatically).
    """

    name: ClassVar[str]
    blocks: ClassVar[tuple[int, ...]]
    """Widths of the column blocks of the recurrent weights, in units of H."""
    parts: ClassVar[int]
    """Tensors in a state: 1 for (h,), 2 for (h, c)."""

    @property
    def gates(self) -> int:
        """Columns of the weights, in units of H."""
        return sum(self.blocks)

    def step(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> tuple[State, tuple]:
        """One frame.

        Args:
            drive: input product plus bias for each block, `[S, B, width * H]`.
            state: state before the frame.
            recurrent: recurrent weights of each block, `[S, H, width * H]`.

        Returns:
            The state after the frame, and what `adjoint` needs of the way there.
        """
        raise NotImplementedError

    def adjoint(
        self, grad: State, state: State, kept: tuple, recurrent: list[Tensor]
    ) -> tuple[State, list[tuple[Tensor, Tensor]]]:
        """Gradient through one frame.

        Args:
            grad: gradient with respect to the state after the frame.
            state: state before the frame.
            kept: what `step` returned beside the new state.
            recurrent: as for `step`.

        Returns:
            Gradient with respect to the state before the frame, and for each block the left operand of its
            recurrent product `[S, B, H]` with the gradient of its drive `[S, B, width * H]`.
        """
        raise NotImplementedError

    def speed_coordinates(self, state: Tensor) -> Tensor:
        """Coordinates in which distances and speeds are measured, from a flat state `[..., parts * H]`."""
        return state

    def speed_adjoint(self, grad: Tensor, coordinates: Tensor) -> Tensor:
        """Gradient with respect to a flat state, from one with respect to its `speed_coordinates`."""
        return grad

    @property
    def has_adjoint(self) -> bool:
        return type(self).adjoint is not Cell.adjoint

    def split(self, weights: Tensor) -> list[Tensor]:
        """Columns `[..., gates * H]` as views of the blocks."""
        hidden = weights.shape[-1] // self.gates
        return list(weights.split([width * hidden for width in self.blocks], dim=-1))

    def initial_state(self, networks: int, trials: int, hidden: int, like: Tensor) -> State:
        """Zero state before the first frame, `[S, B, H]` for each part."""
        return tuple(like.new_zeros(networks, trials, hidden) for _ in range(self.parts))


class GRU(Cell):
    """Gated recurrent unit with the reset gate before the recurrent product.

    z, r = sigmoid(W x + U h + b), n = tanh(W x + U (r h) + b), h' = (1 - z) h + z n (Cho et al. 2014, as in the
    authors' code). `torch.nn.GRU` resets after the product: a different network.
    """

    name = "gru"
    blocks = (2, 1)  # (z, r) multiply h, n multiplies r * h
    parts = 1

    def step(self, drive, state, recurrent):
        (h,) = state
        gates = torch.baddbmm(drive[0], h, recurrent[0]).sigmoid()
        z, r = gates.chunk(2, dim=-1)
        reset = r * h
        n = tanh(torch.baddbmm(drive[1], reset, recurrent[1]))
        return (torch.lerp(h, n, z),), (gates, reset, n)

    def adjoint(self, grad, state, kept, recurrent):
        (grad_h,), (h,), (gates, reset, n) = grad, state, kept
        z, r = gates.chunk(2, dim=-1)
        through_n = grad_h * z
        grad_n = torch.addcmul(through_n, through_n * n, n, value=-1)
        grad_reset = torch.bmm(grad_n, recurrent[1].mT)
        through_r = grad_reset * r
        stay = grad_h - through_n
        grad_gates = torch.cat([stay * z * (n - h), torch.addcmul(through_r, through_r, r, value=-1) * h], dim=-1)
        before = torch.baddbmm(stay + through_r, grad_gates, recurrent[0].mT)
        return (before,), [(h, grad_gates), (reset, grad_n)]


class LSTM(Cell):
    """Long short-term memory without peepholes or forget-gate offset.

    i, f, o = sigmoid(W x + U h + b), g = tanh(W x + U h + b), c' = f c + i g, h' = o tanh(c') (Hochreiter &
    Schmidhuber 1997; Gers et al. 2000, as in the authors' code).
    """

    name = "lstm"
    blocks = (4,)  # (i, f, o, g), all multiply h
    parts = 2

    def step(self, drive, state, recurrent):
        h, c = state
        pre = torch.baddbmm(drive[0], h, recurrent[0])
        hidden = h.shape[-1]
        gates = pre[..., : 3 * hidden].sigmoid()
        g = tanh(pre[..., 3 * hidden :])
        i, f, o = gates.chunk(3, dim=-1)
        c_new = torch.addcmul(f * c, i, g)
        squashed = tanh(c_new)
        return (o * squashed, c_new), (gates, g, squashed)

    def adjoint(self, grad, state, kept, recurrent):
        (grad_h, grad_c), (h, c), (gates, g, squashed) = grad, state, kept
        i, f, o = gates.chunk(3, dim=-1)
        through_o = grad_h * o
        grad_c = grad_c + torch.addcmul(through_o, through_o * squashed, squashed, value=-1)
        grad_gates = torch.cat([grad_c * g, grad_c * c, grad_h * squashed], dim=-1)
        grad_gates.mul_(torch.addcmul(gates, gates, gates, value=-1))
        through_i = grad_c * i
        grad_g = torch.addcmul(through_i, through_i * g, g, value=-1)
        grad_pre = torch.cat([grad_gates, grad_g], dim=-1)
        return (torch.bmm(grad_pre, recurrent[0].mT), grad_c * f), [(h, grad_pre)]

    def speed_coordinates(self, state):
        h, c = state.chunk(2, dim=-1)
        return torch.cat([h, tanh(c)], dim=-1)

    def speed_adjoint(self, grad, coordinates):
        grad_h, grad_c = grad.chunk(2, dim=-1)
        squashed = coordinates.chunk(2, dim=-1)[1]
        return torch.cat([grad_h, torch.addcmul(grad_c, grad_c * squashed, squashed, value=-1)], dim=-1)


CELLS: dict[str, Cell] = {cell.name: cell for cell in (GRU(), LSTM())}
"""Recurrent units by name."""
