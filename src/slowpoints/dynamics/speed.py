"""The speed of autonomous dynamics as a residual to minimise, and bounds for its search."""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.autonomous import AutonomousMap
from slowpoints.dynamics.residual import Residual
from slowpoints.networks.units.unit import Solver


class SpeedResidual(Residual):
    """F(z) - z in the coordinates of speed, its derivatives in closed form where the recurrent unit has them.

    Its P = S * C points are those of an ensemble, the first network's first.

    Args:
        dynamics: of S networks.
    """

    def __init__(self, dynamics: AutonomousMap):
        self.dynamics, self.unit = dynamics, dynamics.unit

    def of_rows(self, rows: Tensor, points: int) -> Residual:
        """As `Residual.of_rows`: networks without a point are left out, the others padded to the same number."""
        return self if len(rows) == points else _PointSubset(self, rows, points // self.dynamics.networks)

    def __call__(self, states: Tensor) -> Tensor:
        return self.unit.displacement(states, self.dynamics(states))

    def gradient(self, states: Tensor) -> Tensor:
        """As `Residual.gradient`, through the adjoint of the step."""
        unit = self.unit
        if not unit.has_adjoint:
            return super().gradient(states)
        drives, parts, recurrent = self.dynamics.step_arguments(states)
        next_parts, saved = unit.step(drives, parts, recurrent)
        after, before = (unit.speed_coordinates(torch.cat(state, dim=-1)) for state in (next_parts, parts))
        move = after - before
        grad = unit.speed_adjoint(move, after).split(self.dynamics.hidden, dim=-1)
        through_step, _ = unit.adjoint(grad, parts, saved, recurrent)
        return (torch.cat(through_step, dim=-1) - unit.speed_adjoint(move, before)).view(states.shape)

    def hessian(self, states: Tensor) -> Tensor:
        """As `Residual.hessian`, in closed form."""
        if not self.unit.has_hessian:
            return super().hessian(states)
        hessian = self.unit.hessian(*self.dynamics.step_arguments(states)).flatten(0, 1)
        return (hessian + hessian.mT) / 2


class StepResidual(SpeedResidual):
    """F(z) - z in h and c themselves."""

    def __init__(self, dynamics: AutonomousMap):
        super().__init__(dynamics)
        self.unit = dynamics.unit.raw

    def jacobian(self, states: Tensor) -> Tensor:
        """As `Residual.jacobian`, in closed form."""
        if not self.unit.has_jacobian:
            return super().jacobian(states)
        return self.unit.jacobian(*self.dynamics.step_arguments(states)).flatten(0, 1)

    def newton(self, states: Tensor) -> Solver:
        """As `Residual.newton`, in closed form."""
        if not self.unit.has_jacobian:
            return super().newton(states)
        drives, parts, recurrent = ([part.float() for part in each] for each in self.dynamics.step_arguments(states))
        step = self.unit.newton(drives, tuple(parts), recurrent)
        stacked = (self.dynamics.networks, -1, states.shape[1])
        return lambda values: step(values.float().view(stacked)).view(values.shape).to(values)


class _PointSubset(Residual):
    """The residual of some points of an ensemble, packed network by network.

    Args:
        residual: of all P = S * C points.
        rows: increasing.
        points: C.
    """

    def __init__(self, residual: SpeedResidual, rows: Tensor, points: int):
        networks, network, counts = torch.unique(rows // points, return_inverse=True, return_counts=True)
        most, first, order = int(counts.max()), counts.cumsum(0) - counts, torch.arange(len(rows), device=rows.device)
        self.packed = network * most + order - first[network]
        # A network with fewer points is padded with copies of its first.
        self.source = first.repeat_interleave(most).scatter(0, self.packed, order)
        ensemble = residual.dynamics
        subset = AutonomousMap(ensemble.architecture, ensemble.recurrent[networks], ensemble.drive[networks])
        self.residual = type(residual)(subset)

    def __call__(self, states: Tensor) -> Tensor:
        return self.residual(states[self.source])[self.packed]

    def gradient(self, states: Tensor) -> Tensor:
        return self.residual.gradient(states[self.source])[self.packed]

    def jacobian(self, states: Tensor) -> Tensor:
        return self.residual.jacobian(states[self.source])[self.packed]

    def newton(self, states: Tensor) -> Solver:
        step = self.residual.newton(states[self.source])
        return lambda values: step(values[self.source])[self.packed]

    def hessian(self, states: Tensor) -> Tensor:
        return self.residual.hessian(states[self.source])[self.packed]


def reachable(dynamics: AutonomousMap) -> tuple[Tensor, Tensor]:
    """Bounds of the authors' descent, `[n]` each: the unit's for h, which no state exceeds, and none for c."""
    upper = dynamics.recurrent.new_full((dynamics.coordinates,), torch.inf)
    upper[: dynamics.hidden] = dynamics.unit.bound
    return -upper, upper
