"""Closed-form derivatives of the squared speed, against automatic differentiation."""

import pytest
import torch

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.residual import Residual
from slowpoints.dynamics.speed import SpeedResidual, StepResidual
from slowpoints.networks.units import units


@pytest.mark.parametrize("architecture", units())
def test_derivatives_equal_automatic_ones(make_networks, architecture):
    networks = make_networks(architecture, (0, 1, 2))
    networks.weights["recurrent"].mul_(3)  # far from linear
    dynamics = Dynamics.of(networks)
    states = torch.randn(12, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for residual, function in (
        (SpeedResidual(dynamics), dynamics.move),
        (StepResidual(dynamics), lambda z: dynamics.step(z) - z),
    ):
        automatic = Residual(function)
        for derivative in ("gradient", "jacobian", "hessian"):
            closed, other = (getattr(each, derivative)(states) for each in (residual, automatic))
            torch.testing.assert_close(closed, other, rtol=1e-10, atol=1e-12)
    values = automatic(states)
    step = residual.newton(states)(values)
    exact = -torch.linalg.solve(automatic.jacobian(states), values)
    error = (step - exact).norm(dim=1) / exact.norm(dim=1)
    assert error.median() < 1e-5  # in float32
    assert error.max() < 0.02  # where the Jacobian is nearly singular


@pytest.mark.parametrize("residual_class", [SpeedResidual, StepResidual])
@pytest.mark.parametrize("rows", [[0, 1, 2, 5, 11], [7], [4, 5, 6, 7], list(range(12))])
def test_a_subset_of_points_has_the_values_it_has_among_all(make_networks, residual_class, rows):
    """Different numbers of points per network, a single point, one network only, and all."""
    networks = make_networks("lstm", (0, 1, 2))
    networks.weights["recurrent"].mul_(3)
    dynamics, rows = Dynamics.of(networks), torch.tensor(rows)
    states = torch.randn(12, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    everything = residual_class(dynamics)
    subset = everything.of_rows(rows, 12)
    torch.testing.assert_close(subset(states[rows]), everything(states)[rows])
    for name in ("objective", "gradient", "jacobian", "hessian"):
        expected = getattr(everything, name)(states)[rows]
        torch.testing.assert_close(getattr(subset, name)(states[rows]), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_a_unit_without_closed_forms_is_differentiated_automatically(make_networks, architecture, monkeypatch):
    from slowpoints.networks.units.unit import Unit

    dynamics = Dynamics.of(make_networks(architecture))
    states = torch.randn(6, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    residual = StepResidual(dynamics)
    closed = [derivative(states) for derivative in (residual.gradient, residual.jacobian, residual.hessian)]
    for derivative in ("adjoint", "jacobian", "hessian"):
        monkeypatch.setattr(type(dynamics.unit), derivative, getattr(Unit, derivative))
    for before, derivative in zip(closed, (residual.gradient, residual.jacobian, residual.hessian), strict=True):
        torch.testing.assert_close(derivative(states), before)


def test_speed_is_the_length_of_the_residual(make_networks):
    dynamics = Dynamics.of(make_networks("lstm"))
    states = torch.randn(6, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = dynamics.step(states)
    h, c = (moved - states)[:, :6], moved[:, 6:].tanh() - states[:, 6:].tanh()
    torch.testing.assert_close(dynamics.speed(states), (h.square().sum(1) + c.square().sum(1)).sqrt())
