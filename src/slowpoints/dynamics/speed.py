"""The speed of autonomous dynamics as a residual to be made small, and how far a search may go."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.residual import Residual
from slowpoints.networks.units.unit import State


class EnsembleResidual(Residual):
    """A residual of P = S * C points of an ensemble, those of the first network first.

    Args:
        dynamics: of S networks.
    """

    def __init__(self, dynamics: Dynamics):
        self.dynamics = dynamics

    def of_rows(self, rows: Tensor, points: int) -> Residual:
        """As `Residual.of_rows`: networks without a point are left out, the others padded to the one with most."""
        return self if len(rows) == points else _SomePoints(self, rows, points // self.dynamics.networks)


class StepResidual(EnsembleResidual):
    """F(z) - z in h and c themselves."""

    def __call__(self, states: Tensor) -> Tensor:
        return self.dynamics.step(states) - states


class SpeedResidual(EnsembleResidual):
    """F(z) - z in the coordinates of speed, its derivatives in closed form where the recurrent unit has them."""

    def __call__(self, states: Tensor) -> Tensor:
        return self.dynamics.move(states)

    def gradient(self, states: Tensor) -> Tensor:
        """As `Residual.gradient`, through the adjoint of the step."""
        unit = self.dynamics.unit
        if not unit.has_adjoint:
            return super().gradient(states)
        drives, parts, recurrent = self._arguments(states)
        next_parts, kept = unit.step(drives, parts, recurrent)
        after, before = (unit.speed_coordinates(torch.cat(state, dim=-1)) for state in (next_parts, parts))
        move = after - before
        grad = unit.speed_adjoint(move, after).split(self.dynamics.hidden, dim=-1)
        through_step, _ = unit.adjoint(grad, parts, kept, recurrent)
        return (torch.cat(through_step, dim=-1) - unit.speed_adjoint(move, before)).view(states.shape)

    def hessian(self, states: Tensor) -> Tensor:
        """As `Residual.hessian`, in closed form."""
        if not self.dynamics.unit.has_hessian:
            return super().hessian(states)
        hessian = self.dynamics.unit.hessian(*self._arguments(states)).flatten(0, 1)
        return (hessian + hessian.mT) / 2

    def _arguments(self, states: Tensor) -> tuple[list[Tensor], State, list[Tensor]]:
        dynamics, parts = self.dynamics, self.dynamics.parts(states)
        recurrent = dynamics.unit.split_recurrent(dynamics.recurrent)
        return dynamics.drives(dynamics.drive, parts[0].shape[1]), parts, recurrent


class _SomePoints(Residual):
    """The residual of some points of an ensemble, packed network by network.

    Args:
        residual: of all P = S * C points.
        rows: increasing.
        points: C.
    """

    def __init__(self, residual: EnsembleResidual, rows: Tensor, points: int):
        networks, network, counts = torch.unique(rows // points, return_inverse=True, return_counts=True)
        most, first, order = int(counts.max()), counts.cumsum(0) - counts, torch.arange(len(rows), device=rows.device)
        self.packed = network * most + order - first[network]
        # What pads a network is its first point over again.
        self.source = first.repeat_interleave(most).scatter(0, self.packed, order)
        self.residual = type(residual)(_selected(residual.dynamics, networks))

    def __call__(self, states: Tensor) -> Tensor:
        return self.residual(states[self.source])[self.packed]

    def gradient(self, states: Tensor) -> Tensor:
        return self.residual.gradient(states[self.source])[self.packed]

    def hessian(self, states: Tensor) -> Tensor:
        return self.residual.hessian(states[self.source])[self.packed]


def _selected(dynamics: Dynamics, networks: Tensor) -> Dynamics:
    weights = ("recurrent", "drive", "trigger", "readout", "readout_bias")
    return replace(dynamics, **{name: getattr(dynamics, name)[networks] for name in weights})


def reachable(dynamics: Dynamics) -> tuple[Tensor, Tensor]:
    """Bounds of the authors' descent, `[n]` each: those of the unit for h, where every state lies, and none for c."""
    upper = dynamics.recurrent.new_full((dynamics.coordinates,), torch.inf)
    upper[: dynamics.hidden] = dynamics.unit.bound
    return -upper, upper
