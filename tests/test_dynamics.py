"""Closed-form derivatives of the squared speed against automatic differentiation, which knows no closed form."""

import pytest
import torch

from slowpoints.residual import Residual


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_gradient_and_hessian_equal_automatic_ones(make_networks, architecture):
    networks = make_networks(architecture, (0, 1, 2))
    networks.weights["recurrent"].mul_(3)  # far from linear
    dynamics = networks.dynamics()
    states = torch.randn(12, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    automatic = Residual(dynamics.residual._move)
    torch.testing.assert_close(dynamics.residual.gradient(states), automatic.gradient(states), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(dynamics.residual.hessian(states), automatic.hessian(states), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_a_unit_without_closed_forms_is_differentiated_automatically(make_networks, architecture, monkeypatch):
    from slowpoints.cells import Cell

    dynamics = make_networks(architecture).dynamics()
    states = torch.randn(6, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gradient, hessian = dynamics.residual.gradient(states), dynamics.residual.hessian(states)
    monkeypatch.setattr(type(dynamics.cell), "adjoint", Cell.adjoint)
    monkeypatch.setattr("slowpoints.dynamics.CURVATURES", {})
    torch.testing.assert_close(dynamics.residual.gradient(states), gradient)
    torch.testing.assert_close(dynamics.residual.hessian(states), hessian)


def test_speed_is_the_length_of_the_residual(make_networks):
    dynamics = make_networks("lstm").dynamics()
    states = torch.randn(6, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = dynamics.step(states)
    h, c = (moved - states)[:, :6], moved[:, 6:].tanh() - states[:, 6:].tanh()
    torch.testing.assert_close(dynamics.speed(states), (h.square().sum(1) + c.square().sum(1)).sqrt())
