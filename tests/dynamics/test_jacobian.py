"""Jacobians and eigenvalues, against finite differences and known matrices."""

import numpy as np
import pytest
import torch

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import jacobian, spectra, time_constant, unstable_directions
from slowpoints.networks.units import units


@pytest.mark.parametrize("architecture", units())
def test_jacobian_equals_autograd_and_finite_differences(make_networks, architecture):
    dynamics = Dynamics.of(make_networks(architecture))
    states = 0.5 * torch.randn(6, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours = jacobian(dynamics.step, states)
    full = torch.autograd.functional.jacobian(dynamics.step, states)  # [P, n, P, n], zero between points
    for point in range(6):
        torch.testing.assert_close(ours[point], full[point, :, point])
        assert (full[point, :, [p for p in range(6) if p != point]] == 0).all()
    width = 1e-6
    for coordinate in range(dynamics.coordinates):
        moved = states.clone()
        moved[:, coordinate] += width
        back = states.clone()
        back[:, coordinate] -= width
        slope = (dynamics.step(moved) - dynamics.step(back)) / (2 * width)
        torch.testing.assert_close(ours[:, :, coordinate], slope, atol=1e-8, rtol=0)


def test_eigenvalues_of_a_rotation_come_largest_first():
    angle, growth = 0.3, 1.02
    turn = growth * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = torch.block_diag(torch.tensor([[0.5]]), torch.tensor(turn)).double()
    values = spectra(lambda z: z @ matrix.T, torch.zeros(2, 3, dtype=torch.float64))
    np.testing.assert_allclose(np.abs(values.numpy()), [[growth, growth, 0.5]] * 2)
    np.testing.assert_allclose(np.abs(np.angle(values[:, :2].numpy())), angle)


def test_unstable_directions_are_those_in_which_a_known_map_grows():
    """In a sheared basis: a growing line, a plane with an expanding spiral, and a decaying line."""
    frame = torch.tensor(np.random.default_rng(0).normal(size=(4, 4)))
    frame = frame / frame.norm(dim=0)
    spiral = 1.1 * torch.tensor([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    diagonal = torch.block_diag(torch.tensor([[0.9]]).double(), spiral, torch.tensor([[-1.3]]).double())
    line, first, second = unstable_directions(frame @ diagonal @ torch.linalg.inv(frame))
    torch.testing.assert_close((line @ frame[:, 3]).abs(), torch.ones((), dtype=torch.float64))
    plane = torch.linalg.qr(frame[:, 1:3]).Q
    for axis in (first, second):
        torch.testing.assert_close((plane.T @ axis).norm(), torch.ones((), dtype=torch.float64))
    torch.testing.assert_close(first @ second, torch.zeros((), dtype=torch.float64), atol=1e-12, rtol=0)


def test_a_stable_point_has_no_unstable_direction():
    assert unstable_directions(0.9 * torch.eye(3).double()).shape == (0, 3)


def test_time_constants_of_decay_and_growth():
    leading = torch.tensor([np.exp(-1 / 50), np.exp(1 / 20)])
    torch.testing.assert_close(time_constant(leading), torch.tensor([50.0, 20.0], dtype=torch.float64))
