"""Autonomous dynamics: what a network does between the image and the trigger, under the mean input.

F is one step of the network with the mean noise frame as input and no trigger. States are flat vectors: h, or
h and c side by side. P = S * C states, those of the first network first, so that one batched product serves
all points of all networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from slowpoints.cells import CELLS, Cell, State
from slowpoints.curvature import CURVATURES
from slowpoints.residual import Residual


@dataclass(frozen=True)
class Dynamics:
    """The map F of each network of an ensemble, and its readout.

    Attributes:
        architecture: name of the recurrent unit.
        recurrent: `[S, H, gates * H]`.
        drive: input product plus bias under the mean input, `[S, gates * H]`.
        trigger: what the trigger adds to the drive, `[S, gates * H]`.
        readout: `[S, H, C + 1]`.
        readout_bias: `[S, C + 1]`.
    """

    architecture: str
    recurrent: Tensor
    drive: Tensor
    trigger: Tensor
    readout: Tensor
    readout_bias: Tensor

    @property
    def cell(self) -> Cell:
        return CELLS[self.architecture]

    @property
    def networks(self) -> int:
        return len(self.recurrent)

    @property
    def hidden(self) -> int:
        return self.recurrent.shape[1]

    @property
    def coordinates(self) -> int:
        """Length n of a flat state: H, or 2 H for an LSTM."""
        return self.cell.parts * self.hidden

    def step(self, states: Tensor) -> Tensor:
        """One frame under the mean input, `[P, n]` to `[P, n]`."""
        return self._advance(states, self.drive)

    def triggered(self, states: Tensor) -> Tensor:
        """One frame under the mean input with the trigger, `[P, n]` to `[P, n]`."""
        return self._advance(states, self.drive + self.trigger)

    @property
    def residual(self) -> SpeedResidual:
        """F(z) - z in the coordinates of speed, from `[P, n]` to `[P, n]`: h, and tanh c where there is a c."""
        return SpeedResidual(self)

    def speed(self, states: Tensor) -> Tensor:
        """|F(z) - z| per frame, `[P]`."""
        return self.residual(states).norm(dim=-1)

    def raw_speed(self, states: Tensor) -> Tensor:
        """|F(z) - z| in h and c themselves, `[P]`: large where a saturated cell state drifts unseen."""
        return (self.step(states) - states).norm(dim=-1)

    def distance(self, states: Tensor, others: Tensor) -> Tensor:
        """Distance in the coordinates of speed, `[P]`."""
        measure = self.cell.speed_coordinates
        return (measure(states) - measure(others)).norm(dim=-1)

    def read_out(self, states: Tensor) -> Tensor:
        """Class that a triggered step reports, `[P]`; -1 where it reports null."""
        hidden = self.triggered(states)[..., : self.hidden].reshape(self.networks, -1, self.hidden)
        logits = torch.baddbmm(self.readout_bias[:, None], hidden, self.readout)
        return logits.argmax(-1).flatten() - 1

    def parts(self, states: Tensor) -> State:
        """Flat states `[P, n]` as the cell takes them, `[S, C, H]` each."""
        return tuple(states.reshape(self.networks, -1, self.coordinates).split(self.hidden, dim=-1))

    def drives(self, drive: Tensor, points: int) -> list[Tensor]:
        """A drive `[S, gates * H]` for so many points of each network, block by block."""
        return [block[:, None].expand(-1, points, -1) for block in self.cell.split(drive)]

    def _advance(self, states: Tensor, drive: Tensor) -> Tensor:
        parts = self.parts(states)
        after, _ = self.cell.step(self.drives(drive, parts[0].shape[1]), parts, self.cell.split(self.recurrent))
        return torch.cat(after, dim=-1).reshape(states.shape)


class SpeedResidual(Residual):
    """F(z) - z in the coordinates of speed, its derivatives in closed form where the recurrent unit has them."""

    def __init__(self, dynamics: Dynamics):
        super().__init__(self._move)
        self.dynamics = dynamics

    def _move(self, states: Tensor) -> Tensor:
        measure = self.dynamics.cell.speed_coordinates
        return measure(self.dynamics.step(states)) - measure(states)

    def gradient(self, states: Tensor) -> Tensor:
        """As `Residual.gradient`, through the adjoint of the step."""
        if not self.dynamics.cell.has_adjoint:
            return super().gradient(states)
        cell, arguments = self.dynamics.cell, self._arguments(states)
        _, parts, recurrent = arguments
        after, kept = cell.step(*arguments)
        after, before = (cell.speed_coordinates(torch.cat(state, dim=-1)) for state in (after, parts))
        move = after - before
        grad = cell.speed_adjoint(move, after).split(self.dynamics.hidden, dim=-1)
        through_step, _ = cell.adjoint(grad, parts, kept, recurrent)
        return (torch.cat(through_step, dim=-1) - cell.speed_adjoint(move, before)).view(states.shape)

    def hessian(self, states: Tensor) -> Tensor:
        """As `Residual.hessian`, in closed form."""
        curvature = CURVATURES.get(self.dynamics.architecture)
        if curvature is None:
            return super().hessian(states)
        hessian = curvature(*self._arguments(states)).flatten(0, 1)
        return (hessian + hessian.mT) / 2

    def _arguments(self, states: Tensor) -> tuple[list[Tensor], State, list[Tensor]]:
        own, parts = self.dynamics, self.dynamics.parts(states)
        return own.drives(own.drive, parts[0].shape[1]), parts, own.cell.split(own.recurrent)
