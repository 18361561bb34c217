"""The path from a class centre under the mean input, and the effect of noise on a state, against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_slow_points import leaky

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import jacobian
from slowpoints.measures.noise_at_points import margin_parts, noise_drives, noise_parts
from slowpoints.measures.relaxation import MARGIN_AT, SETTLED, margins, relax, relaxation_frames


def start(*values):
    return torch.tensor([[value] for value in values], dtype=torch.float64)


def test_a_path_is_noted_densely_at_first():
    frames = relaxation_frames(1000)
    assert frames[:21] == list(range(21))
    assert frames[21:37] == list(range(25, 101, 5))
    assert frames[-1] == 1000
    assert len(frames) == 21 + 16 + 10
    np.testing.assert_allclose(np.diff(np.log10(frames[37:])), 0.1, atol=0.005)
    assert {SETTLED, MARGIN_AT} <= set(relaxation_frames(50))  # also where memory is measured to 50 frames alone


def test_the_path_of_an_exponential_decay():
    """h after k frames is 0.9^k: speed 0.1 * 0.9^k; outputs are 0.05, h, -h, of the state one frame on."""
    path = relax(leaky(0.1), start(1.0, -1.0), torch.tensor([0, 1]), 300)
    frames = np.array(path.frames)
    np.testing.assert_allclose(path.speed, np.stack([0.1 * 0.9**frames] * 2, axis=1), rtol=1e-12)
    after = 0.9 ** (frames + 1)
    np.testing.assert_allclose(path.margin, np.stack([after - np.maximum(0.05, -after)] * 2, axis=1), rtol=1e-9)
    expected = np.where(after > 0.05, 1, 0)[:, None] * [1, 2] - 1
    np.testing.assert_array_equal(path.readout, expected)
    np.testing.assert_allclose(path.settled_speed, 0.1 * 0.9**SETTLED)
    np.testing.assert_allclose(path.states[SETTLED, :, 0], [0.9**SETTLED, -(0.9**SETTLED)])


def test_a_margin_lasts_as_long_as_it_takes_to_fall_at_its_rate():
    """Decay so slow that the margin is nearly linear: m / (m - m') frames remain."""
    rate = 1e-3
    path = relax(leaky(rate), start(1.0, 0.02), torch.tensor([0, 0]), 300)
    time, capped = path.margin_time(5000)
    h = (1 - rate) ** (MARGIN_AT + 1)
    assert time[0].item() == pytest.approx((h - 0.05) / (rate * h), rel=1e-9)
    assert time[1] == 0  # lost from the start
    assert capped.tolist() == [False, False]
    longer, capped = path.margin_time(500)
    assert (longer[0].item(), capped.tolist()) == (500, [True, False])


def test_a_margin_that_does_not_fall_is_capped():
    """The output of class 0 is -h, which rises as h decays; that of null stays at -2."""
    readout = torch.tensor([[[0.0, -1.0, 0.0]]], dtype=torch.float64)
    bias = torch.tensor([[-2.0, 0.0, -9.0]], dtype=torch.float64)
    rising = replace(leaky(0.01), readout=readout, readout_bias=bias)
    time, capped = relax(rising, start(1.0, 0.0), torch.tensor([0, 0]), 300).margin_time(3000)
    assert time.tolist() == [3000, 3000]
    assert capped.all()


def test_margins_are_to_the_best_other_output():
    logits = torch.tensor([[0.0, 2.0, 1.5], [3.0, 1.0, 2.0], [0.0, -1.0, -2.0]])
    assert margins(logits, torch.tensor([0, 1, 0])).tolist() == [0.5, -1.0, -1.0]


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_squared_speed_in_noise_is_drift_and_diffusion(make_networks, architecture):
    """Against many frames drawn independently: the mean move, its spread, and their sum, the mean squared speed."""
    networks = make_networks(architecture, seeds=(0, 1))
    unit, hidden = networks.spec.unit, networks.spec.hidden
    generator = torch.Generator().manual_seed(5)
    points = torch.rand(2, 3, unit.parts * hidden, generator=generator, dtype=torch.float64) - 0.5
    drift, diffusion = noise_parts(networks, points.flatten(0, 1))
    count = 40_000
    frames = networks.noise(networks.streams("other"), torch.empty(2, count, 16, dtype=torch.float64))
    drives, recurrent = networks.drive(frames), unit.split_recurrent(networks.weights["recurrent"])
    for place in range(3):
        state = points[:, place : place + 1].expand(-1, count, -1)
        after = torch.cat(unit.step(drives, tuple(state.split(hidden, -1)), recurrent)[0], dim=-1)
        move = unit.speed_coordinates(after) - unit.speed_coordinates(state)
        mean = move.mean(1)
        np.testing.assert_allclose(drift.view(2, 3)[:, place], mean.norm(dim=-1), rtol=0.02, atol=0.004)
        spread = (move - mean[:, None]).square().sum(-1).mean(1).sqrt()
        np.testing.assert_allclose(diffusion.view(2, 3)[:, place], spread, rtol=0.06)


def test_drift_is_speed_where_noise_does_nothing(make_networks):
    networks = make_networks()
    networks.weights["input"][:] = 0
    dynamics = Dynamics.of(networks)
    states = torch.rand(6, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    drift, diffusion = noise_parts(networks, states)
    np.testing.assert_allclose(drift, dynamics.speed(states), rtol=1e-6)
    np.testing.assert_allclose(diffusion, 0, atol=1e-6)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_diffusion_of_the_margin_is_the_linearised_one_where_noise_is_weak(make_networks, architecture):
    """Covariance of one noisy frame projected on the gradient of the margin; drift from the margins themselves."""
    networks = make_networks(architecture, seeds=(0, 1), noise_std=1e-3)
    dynamics = Dynamics.of(networks)
    states = torch.rand(6, dynamics.coordinates, generator=torch.Generator().manual_seed(4), dtype=torch.float64) - 0.5
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    drift, diffusion = margin_parts(networks, dynamics, states, labels)

    def margin(at):
        return margins(dynamics.logits(at), labels)

    after = dynamics.step(states)
    torch.testing.assert_close(drift, margin(after) - margin(states))
    gradient = jacobian(lambda at: margin(at)[:, None], after)[:, 0]
    drives = torch.cat(noise_drives(networks), dim=-1)
    for place in range(6):
        moved = torch.stack([replace(dynamics, drive=drive).step(states)[place] for drive in drives.unbind(1)])
        covariance = torch.cov(moved.T, correction=0)
        expected = (gradient[place] @ covariance @ gradient[place]).sqrt()
        assert diffusion[place].item() == pytest.approx(expected.item(), rel=0.01)
