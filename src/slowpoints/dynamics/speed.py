"""The speed of autonomous dynamics as a residual to be made small, and how far a search may go."""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.residual import Residual
from slowpoints.networks.units.unit import State


class SpeedResidual(Residual):
    """F(z) - z in the coordinates of speed, its derivatives in closed form where the recurrent unit has them.

    Args:
        dynamics: of S networks, for P = S * C points.
    """

    def __init__(self, dynamics: Dynamics):
        super().__init__(dynamics.move)
        self.dynamics = dynamics

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


def reachable(dynamics: Dynamics) -> tuple[Tensor, Tensor]:
    """Bounds of the authors' descent, `[n]` each: those of the unit for h, where every state lies, and none for c."""
    upper = dynamics.recurrent.new_full((dynamics.coordinates,), torch.inf)
    upper[: dynamics.hidden] = dynamics.unit.bound
    return -upper, upper
