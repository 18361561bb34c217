"""Units that are affine in their state under a constant input: one fixed point, and no memory by multistability.

Most tests are of the minGRU, whose units are independent.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from helpers import train

from slowpoints.core.presets.search import Search
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import spectra
from slowpoints.dynamics.search import find_slow_points
from slowpoints.dynamics.speed import SpeedResidual, reachable
from slowpoints.measures.centres import class_centres
from slowpoints.measures.lifetimes import lifetimes
from slowpoints.measures.slow_points import search_bounds
from slowpoints.measures.tracking import tracking_bounds
from slowpoints.networks.units import units

AFFINE = [name for name, unit in units().items() if unit.affine]
POINTS = 20  # of each network
SETTINGS = Search(adam_steps=1, max_iterations=1, tolerance=1e-8, images_per_class=10, noise_scale=Fraction(1, 3))


@pytest.fixture
def dynamics(make_networks):
    return Dynamics.of(make_networks("mingru", seeds=(0, 1)))


@pytest.fixture
def starts(dynamics):
    """Far beyond [-1, 1]."""
    generator = torch.Generator().manual_seed(0)
    return 10 * torch.randn(2 * POINTS, dynamics.coordinates, generator=generator, dtype=torch.float64)


def gate_and_goal(dynamics, points=POINTS):
    """z and n under the mean input, `[S * points, H]`."""
    z, n = np.split(dynamics.drive.numpy(), 2, axis=1)
    return (torch.tensor(each).repeat_interleave(points, 0) for each in (1 / (1 + np.exp(-z)), n))


def test_all_states_approach_one_point_each_unit_at_its_own_rate(dynamics, starts):
    z, n = gate_and_goal(dynamics)
    states = starts
    for frame in range(1, 201):
        states = dynamics.step(states)
        torch.testing.assert_close(states, n + (1 - z) ** frame * (starts - n), atol=1e-12, rtol=1e-10)
    torch.testing.assert_close(states, n)
    rates = spectra(dynamics.step, starts).abs()
    torch.testing.assert_close(rates, (1 - z).sort(dim=1, descending=True).values)


def test_the_search_finds_one_point_from_any_start(dynamics, starts):
    _, n = gate_and_goal(dynamics)
    residual = SpeedResidual(dynamics)
    found = find_slow_points(None, starts, *reachable(dynamics), residual=residual, tolerance=1e-12)
    assert found.converged.all()
    assert found.speed.max() < 1e-10
    torch.testing.assert_close(found.state, n, atol=1e-9, rtol=0)


def test_the_hessian_is_the_same_everywhere(dynamics, starts):
    z, _ = gate_and_goal(dynamics)
    torch.testing.assert_close(SpeedResidual(dynamics).hessian(starts), torch.diag_embed(z**2))


def test_no_search_bounds_what_no_squashing_bounds(dynamics, make_networks, images, starts):
    networks = make_networks("mingru", seeds=(0, 1), double=False)
    centres = class_centres(networks, dynamics, images, SETTINGS)
    for bounds in (reachable(dynamics), search_bounds(dynamics, centres), tracking_bounds(dynamics, starts)):
        assert (torch.stack(bounds) == torch.tensor([-torch.inf, torch.inf]).view(2, *[1] * bounds[0].dim())).all()


def test_a_trained_network_remembers_without_a_point_for_each_memory(make_networks, images, training):
    """It reports correctly, from states on the way to one point, where the memories of all classes but one end."""
    training = replace(training, steps=400, batch_size=16, bank=32, learning_rate=0.01)
    networks = make_networks("mingru", (0, 1), hidden=16, protocol="decu", double=False)
    networks, history, _ = train(networks, images, training)
    assert (history[history["step"] > 380].groupby("seed")["report_accuracy"].mean() > 0.9).all()
    dynamics = Dynamics.of(networks)
    centres = class_centres(networks, dynamics, images, SETTINGS)
    assert centres.exist.all()
    z, n = gate_and_goal(dynamics, images.classes)
    frames = int(np.log(1e-12) / np.log1p(-z.min().item()))
    labels = torch.arange(images.classes).repeat(2)
    assert (dynamics.read_out(centres.state) == labels).all()
    assert ((lifetimes(dynamics, centres.state, labels, frames) == frames).view(2, -1).sum(1) <= 1).all()
    states = centres.state
    for _ in range(frames):
        states = dynamics.step(states)
    torch.testing.assert_close(states, n, atol=1e-9, rtol=0)
    bounds, residual = search_bounds(dynamics, centres), SpeedResidual(dynamics)
    deep = find_slow_points(None, centres.state, *bounds, residual=residual, tolerance=1e-12)
    assert deep.speed.max() < 1e-9
    torch.testing.assert_close(deep.state, n, atol=1e-7, rtol=0)


@pytest.mark.parametrize("architecture", AFFINE)
def test_an_affine_unit_has_one_fixed_point(make_networks, architecture):
    """All states of a network approach it, and the spectrum is the same at all of them."""
    dynamics = Dynamics.of(make_networks(architecture))
    starts = 10 * torch.randn(2 * POINTS, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values = spectra(dynamics.step, starts).abs().view(2, POINTS, 6)
    torch.testing.assert_close(values, values[:, :1].expand(-1, POINTS, -1))
    states = starts
    for _ in range(int(np.log(1e-12) / np.log(values.max().item()))):
        states = dynamics.step(states)
    for of_network in states.view(2, POINTS, 6):
        torch.testing.assert_close(of_network, of_network[:1].expand(POINTS, -1), atol=1e-9, rtol=0)
    assert dynamics.speed(states).max() < 1e-9
