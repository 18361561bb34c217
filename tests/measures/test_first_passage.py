"""Predicted lifetimes in noise, against closed forms of linear networks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.stats import norm

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.measures.centres import CENTRE_FRAMES
from slowpoints.measures.first_passage import (
    NoisyFrames,
    half_way,
    predicted_accuracy,
    predicted_lifetimes,
    several_frames,
)

SEEDS = tuple(range(10))
START = 1.0


@pytest.fixture
def linear_networks(make_networks):
    """minGRUs whose gate ignores the input: h' = h + rate (target + noise - h), an autoregressive process.

    Classes 0 and 1 are reported by the sign of h, null and class 2 never. The noise of a frame has the standard
    deviation `spread` in h.
    """

    def make(rate, target, spread):
        networks = make_networks("mingru", SEEDS, double=False, hidden=1, noise_mean=0.0, noise_std=1.0)
        weights = {name: torch.zeros_like(weight) for name, weight in networks.weights.items()}
        pixels = networks.spec.pixels
        weights["input"][:, :pixels, 1] = spread / (rate * pixels**0.5)
        weights["bias"][:] = torch.tensor([np.log(rate / (1 - rate)), target])
        weights["readout"][:, 0] = torch.tensor([0.0, 1.0, -1.0, 0.0])
        weights["readout_bias"][:] = torch.tensor([-1e6, 0.0, 0.0, -1e6])
        return replace(networks, weights=weights)

    return make


def predicted(networks, longest):
    """Predicted lifetimes of class 0 from `START`, `[S]`, and whether each was capped."""
    centres = torch.tensor([[START], [-START], [0.0]], dtype=torch.float64).repeat(len(networks), 1)
    parts = predicted_lifetimes(networks, Dynamics.of(networks), centres, longest)
    return [part.view(len(networks), -1)[:, 0].numpy() for part in parts]


def expected(rate, target, spread):
    """Delay at which P(h > 0) is half-way between that at delay 19 and chance, 1/3."""

    def accuracy(delay):
        frames = delay - CENTRE_FRAMES + 1  # the triggered frame is one more
        mean = target + (START - target) * (1 - rate) ** frames
        variance = spread**2 * (1 - (1 - rate) ** (2 * frames)) / (1 - (1 - rate) ** 2)
        return norm.cdf(mean / variance**0.5)

    level = (accuracy(19) + 1 / 3) / 2
    return brentq(lambda delay: accuracy(delay) - level, 19, 1e5)


@pytest.mark.parametrize(
    ("rate", "target", "spread"),
    [
        (1e-5, 0.0, 0.1),  # a random walk without drift
        (1e-3, -2.0, 0.03),  # drift and diffusion
        (0.01, -1.0, 0.003),  # drift alone, nearly
        (0.02, -0.05, 0.2),  # a stationary Ornstein-Uhlenbeck process about a wrong mean
    ],
)
def test_lifetime_of_a_linear_network_is_that_of_its_gaussian(linear_networks, rate, target, spread):
    """Noise frames are a sample, so variances of single networks are uncertain by an eighth; their mean by less."""
    lifetime, capped = predicted(linear_networks(rate, target, spread), 1500)
    assert not capped.any()
    assert np.exp(np.log(lifetime).mean()) == pytest.approx(expected(rate, target, spread), rel=0.08)
    assert len(set(lifetime)) > len(SEEDS) / 2  # each from its own stream


def test_a_memory_at_rest_is_capped(linear_networks):
    lifetime, capped = predicted(linear_networks(0.1, START, 0.01), 300)
    assert (lifetime == 300).all()
    assert capped.all()


def test_prediction_does_not_depend_on_the_ensemble(make_networks):
    networks = make_networks("lstm", (0, 1), double=False)
    dynamics = Dynamics.of(networks)
    centres = torch.rand(6, dynamics.coordinates, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    delays, together = predicted_accuracy(networks, dynamics, centres, 60)
    one = networks.select([1])
    assert delays[:6] == [15, 16, 17, 18, 19, 20]
    assert delays[-1] == 60
    _, alone = predicted_accuracy(one, Dynamics.of(one), centres[3:], 60)
    torch.testing.assert_close(together[:, 3:], alone, atol=2 / 2048, rtol=0)


@pytest.mark.parametrize("architecture", ["gru", "lru", "lstm", "mingru", "nbrc", "rg-lru", "slstm", "ugrnn"])
def test_jacobians_are_those_of_the_mean_over_noise(make_networks, architecture):
    """Against central differences of the mean over the same noise frames."""
    networks = make_networks(architecture, (0, 1))
    noise = NoisyFrames(networks, Dynamics.of(networks))
    states = torch.rand(2, 3, noise.dynamics.coordinates, generator=torch.Generator().manual_seed(2)).double() - 0.5
    direction = torch.randn(states.shape, generator=torch.Generator().manual_seed(3)).double()
    frames = noise.jacobian_drives[0].shape[1]
    drives = [drive.repeat(1, 3, 1) for drive in noise.jacobian_drives]
    for function, jacobian in ((noise.step, noise.step_jacobian), (noise.outputs, noise.output_jacobian)):

        def mean(at, function=function):
            rows = at[:, :, None].expand(-1, -1, frames, -1).flatten(1, 2)
            return function(drives, rows).unflatten(1, (3, frames)).mean(2)

        difference = (mean(states + 1e-5 * direction) - mean(states - 1e-5 * direction)) / 2e-5
        along = (jacobian(states) @ direction[..., None])[..., 0]
        torch.testing.assert_close(along, difference, atol=1e-7, rtol=1e-6)


def test_several_frames_are_frames_one_by_one():
    generator = torch.Generator().manual_seed(0)
    matrix, root = torch.randn(2, 2, 4, 4, generator=generator, dtype=torch.float64) / 2
    noise = root @ root.mT
    power, covariance = torch.eye(4, dtype=torch.float64).expand(2, 4, 4), torch.zeros(2, 4, 4, dtype=torch.float64)
    for frames in range(1, 14):
        power, covariance = matrix @ power, matrix @ covariance @ matrix.mT + noise
        torch.testing.assert_close(several_frames(matrix, noise, frames), (power, covariance))


def test_half_way_is_interpolated_in_log_delay():
    """0.9 at delay 19, so half-way to 0.1 is 0.5: midway in log between 20 and 80, never, at once, from chance."""
    accuracy = np.array([[1, 1, 1, 1], [0.9, 0.9, 0.9, 0.1], [0.8, 0.9, 0.4, 0], [0.2, 0.8, 0.4, 0]])
    lifetime, capped = half_way([15, 19, 20, 80], torch.tensor(accuracy), 0.1, 70)
    early = np.exp(np.log(19) + 0.8 * np.log(20 / 19))
    np.testing.assert_allclose(lifetime, [40, 70, early, 0])
    assert capped.tolist() == [False, True, False, False]
