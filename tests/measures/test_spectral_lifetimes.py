"""How long mean outputs favour memories of affine units, against closed forms, NumPy and roll-outs in noise."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from reference import network, sigmoid
from scipy.integrate import quad
from scipy.stats import norm

from slowpoints.core.presets.network import Layers
from slowpoints.core.presets.search import Search
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import jacobian
from slowpoints.measures import spectral_lifetimes as module
from slowpoints.measures.lifetimes import lifetimes
from slowpoints.measures.slow_points import measure_slow_points
from slowpoints.measures.spectral_lifetimes import averaged_maps, favoured_frames, spectral_lifetimes
from slowpoints.networks.rollout import fresh_noise, next_states
from slowpoints.networks.units import units

AFFINE = [name for name, unit in units().items() if unit.affine]
SETTINGS = Search(adam_steps=1, max_iterations=1, tolerance=1e-8, images_per_class=10, noise_scale=Fraction(1, 3))
LOUD = 8.0  # factor on input weights, so that noise opens and closes gates


@pytest.fixture
def few_frames(monkeypatch):
    monkeypatch.setattr(module, "NOISE_FRAMES", 512)


@pytest.fixture
def loud_networks(make_networks):
    def make(architecture, **changes):
        networks = make_networks(architecture, **changes)
        networks.weights["input"].mul_(LOUD)
        networks.weights["readout"].mul_(3)
        return networks

    return make


def starts_of(networks, classes, scale=1.0):
    """`[S * classes, n]`."""
    generator = torch.Generator().manual_seed(1)
    shape = (len(networks) * classes, networks.spec.hidden)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


def single_unit(decay, rest, gap):
    """One unit, h' - rest = decay (h - rest); class 0 exceeds null by that less a gap, class 1 is below."""
    fall = (1 - decay) * rest
    frame = torch.tensor([[[decay, fall], [0.0, 1.0]]], dtype=torch.float64)
    outputs = torch.tensor([[[0.0, 0.0], [decay, fall - rest - gap], [0.0, -1.0]]], dtype=torch.float64)
    return frame, outputs


@pytest.mark.parametrize(("decay", "rest", "gap"), [(0.99, 0.3, 0.01), (0.5, -2.0, 0.2), (0.9, 0.0, 1.7)])
def test_a_single_unit_is_favoured_until_it_has_decayed_to_the_gap(decay, rest, gap):
    """h - rest falls from 2 to the gap; outputs are those after the triggered frame."""
    starts = torch.full((2, 1), rest + 2.0, dtype=torch.float64)
    favoured = favoured_frames(*single_unit(decay, rest, gap), starts, torch.tensor([0, 1]), 10_000)
    assert favoured.tolist() == [int(1 + np.log(2 * decay / gap) / -np.log(decay)), 0]


def test_the_class_at_rest_is_favoured_throughout_and_any_class_by_a_unit_that_keeps_its_state():
    starts, labels = torch.ones(2, 1, dtype=torch.float64), torch.tensor([0, 1])
    assert favoured_frames(*single_unit(0.9, 0.0, -0.5), starts, labels, 321).tolist() == [321, 0]
    assert favoured_frames(*single_unit(1.0, 0.0, 0.5), starts, labels, 321).tolist() == [321, 0]


@pytest.mark.parametrize(("longest", "last"), [(500, 131), (131, 131), (130, 129), (64, 63), (1, 1)])
def test_frames_count_up_to_the_last_that_favours_the_class(longest, last):
    """With the eigenvalue -0.99, in every other frame: outputs are read before the first frame, and so on."""
    frame, outputs = single_unit(-0.99, 0.0, 0.5)
    outputs[0, 1] = torch.tensor([1.0, -0.5])  # without a further frame
    start = torch.tensor([[0.5 * 0.99**-131]], dtype=torch.float64)
    assert favoured_frames(frame, outputs, start.repeat(2, 1), torch.tensor([0, 1]), longest).tolist() == [last, 0]


@pytest.mark.parametrize("front_end", [None, Layers((2,), (5,))])
@pytest.mark.parametrize("architecture", AFFINE)
def test_without_noise_the_averaged_map_is_that_of_the_mean_input(loud_networks, few_frames, architecture, front_end):
    networks = loud_networks(architecture, noise_std=0.0, front_end=front_end)
    dynamics = Dynamics.of(networks)
    frame, outputs = averaged_maps(networks, dynamics)
    origin = torch.zeros(2, 6, dtype=torch.float64)
    for averaged, function in ((frame[:, :-1], dynamics.step), (outputs, dynamics.logits)):
        torch.testing.assert_close(averaged[..., :-1], jacobian(function, origin), atol=1e-12, rtol=1e-10)
        torch.testing.assert_close(averaged[..., -1], function(origin), atol=1e-12, rtol=1e-10)
    assert (frame[:, -1] == torch.eye(7)[-1]).all()


@pytest.mark.parametrize("architecture", AFFINE)
def test_without_noise_no_lifetime_is_longer(loud_networks, few_frames, architecture):
    """And the mean is favoured until the last frame, of those visited under the mean input, that favours it."""
    networks = loud_networks(architecture, noise_std=0.0)
    dynamics = Dynamics.of(networks)
    states = starts_of(networks, 30, scale=5.0)
    labels = dynamics.read_out(states).clamp(min=0)
    favoured = spectral_lifetimes(networks, dynamics, states, labels, 200)
    assert (lifetimes(dynamics, states, labels, 200) <= favoured).all()
    last = torch.zeros_like(favoured)
    for frame in range(200):
        last[dynamics.read_out(states) == labels] = frame + 1
        states = dynamics.step(states)
    torch.testing.assert_close(favoured, last)
    assert ((favoured > 1) & (favoured < 200)).sum() >= 5


@pytest.mark.parametrize("architecture", AFFINE)
def test_no_memory_outlives_the_bound_of_the_spectrum(loud_networks, few_frames, architecture):
    """Differences of mean outputs are a gap at rest plus terms c_i lambda_i^t of the averaged map's eigenvalues."""
    networks = loud_networks(architecture)
    frame, outputs = (matrix.numpy() for matrix in averaged_maps(networks, Dynamics.of(networks)))
    states = starts_of(networks, 30, scale=5.0)
    labels = torch.arange(60) % 3
    favoured = favoured_frames(*map(torch.tensor, (frame, outputs)), states, labels, 500).numpy()
    bounds = []
    for row, (label, start) in enumerate(zip(labels + 1, states.numpy(), strict=True)):
        matrix, offset, read_out = frame[row // 30, :-1, :-1], frame[row // 30, :-1, -1], outputs[row // 30]
        rest = np.linalg.solve(np.eye(6) - matrix, offset)
        values, vectors = np.linalg.eig(matrix)
        assert np.abs(values).max() < 1
        outputs_at_rest = read_out[:, :-1] @ rest + read_out[:, -1]
        best = outputs_at_rest.argmax()
        if best == label:
            bounds.append(500)
            continue
        gap = outputs_at_rest[best] - outputs_at_rest[label]
        share = (read_out[label, :-1] - read_out[best, :-1]) @ vectors * np.linalg.solve(vectors, start - rest)
        frames = 1 + np.log(np.abs(share).sum() / gap) / -np.log(np.abs(values).max())
        bounds.append(np.clip(frames, 0, 500))
    assert (favoured <= bounds).all()
    assert ((favoured > 1) & (favoured < 500)).sum() >= 5


def averages_in_numpy(architecture, drives, weights):
    """E[A] and E[b], `[H]` each, from drives `[R, gates with input * H]`."""
    if architecture == "mingru":
        z, n = np.split(drives, 2, axis=1)
        return (1 - sigmoid(z)).mean(0), (sigmoid(z) * n).mean(0)
    r, i, n = np.split(drives, 3, axis=1)
    start = (0.9 + 0.099 * (np.arange(6) + 0.5) / 6) ** (1 / 8)
    a = sigmoid(np.log(start / (1 - start)) + weights["bias"][18:]) ** (8 * sigmoid(r))
    return a.mean(0), (np.sqrt(1 - a**2) * sigmoid(i) * n).mean(0)


@pytest.mark.parametrize("front_end", [None, Layers((2,), (5,))])
@pytest.mark.parametrize("architecture", ["mingru", "rg-lru"])
def test_averages_are_those_over_the_noise_frames(loud_networks, few_frames, monkeypatch, architecture, front_end):
    """Directly from the equations, with the same frames; the trigger opens and closes gates as well."""
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 50 * 36)  # 50 frames, which do not divide 128
    networks = loud_networks(architecture, front_end=front_end)
    frame, outputs = (matrix.numpy() for matrix in averaged_maps(networks, Dynamics.of(networks)))
    streams, batch = networks.streams("averaged map"), torch.empty(2, 128, 16, dtype=torch.float64)
    noise = torch.cat([networks.noise(streams, batch.clone()) for _ in range(4)], dim=1)
    for row, features in enumerate(networks.features(noise).numpy()):
        weights = network(networks, row)
        gates = weights["input"].shape[1]
        drives = features @ weights["input"][:-1] + weights["bias"][:gates]
        decay, added = averages_in_numpy(architecture, drives, weights)
        np.testing.assert_allclose(frame[row, :-1], np.column_stack([np.diag(decay), added]), atol=1e-12)
        decay, added = averages_in_numpy(architecture, drives + weights["input"][-1], weights)
        expected = weights["readout"].T @ np.column_stack([np.diag(decay), added])
        expected[:, -1] += weights["readout_bias"]
        np.testing.assert_allclose(outputs[row], expected, atol=1e-12)


@pytest.mark.parametrize("architecture", AFFINE)
def test_the_mean_of_many_trials_follows_the_averaged_map(loud_networks, architecture):
    """Means of 1,000 trials, within five standard errors; where there are gates, not that under the mean input."""
    networks, trials, frames = loud_networks(architecture, double=False), 1000, 12
    dynamics = Dynamics.of(networks)
    frame, outputs = averaged_maps(networks, dynamics)
    start = starts_of(networks, 1)[:, None]
    noise = fresh_noise(networks, trials, "trials")
    states = start.float().expand(-1, trials, -1)
    for number in range(frames):
        drives = noise(number)
        triggered = [drive + extra[:, None] for drive, extra in zip(drives, networks.trigger, strict=True)]
        read_out = networks.logits(next_states(networks, triggered, states))
        before, states = states, next_states(networks, drives, states)
    path = torch.linalg.matrix_power(frame, frames - 1) @ torch.cat([start[:, 0], torch.ones(2, 1)], dim=1)[..., None]
    for sample, expected in ((before, path[:, :-1]), (states, (frame @ path)[:, :-1]), (read_out, outputs @ path)):
        assert ((sample.mean(1) - expected[..., 0]).abs() < 5 * sample.std(1) / trials**0.5).all()
    under_mean = start[:, 0]
    for _ in range(frames):
        under_mean = dynamics.step(under_mean)
    distance = ((states.mean(1) - under_mean).abs() / (states.std(1) / trials**0.5)).amax()
    assert (distance > 10) == (architecture != "lru")  # whose A is the same for all inputs, and b linear in them


def test_noise_that_opens_a_gate_ends_a_memory_that_lasts_under_the_mean_input(make_networks):
    """A minGRU of one unit with the gate sigmoid(4 x - 12), x normal: closed under the mean input."""
    networks = make_networks("mingru", range(4), hidden=1, noise_mean=0.0, noise_std=1.0)
    weights = {name: torch.zeros_like(weight) for name, weight in networks.weights.items()}
    weights["input"][:, 0, 0], weights["bias"][:, 0] = 4.0, -12.0
    weights["readout"][:, 0, 1] = 1.0  # class 0 is h against 0.1, the output of null
    weights["readout_bias"][:] = torch.tensor([0.1, 0.0, -9.0, -9.0])
    networks = replace(networks, weights=weights)
    dynamics, quiet = Dynamics.of(networks), replace(networks, spec=replace(networks.spec, noise_std=0.0))
    starts, labels = torch.ones(12, 1, dtype=torch.float64), torch.arange(3).repeat(4)
    forgotten, _ = quad(lambda x: norm.pdf(x) / (1 + np.exp(12 - 4 * x)), -10, 10)
    expected = np.log(0.1) / np.log1p(-forgotten)
    favoured = spectral_lifetimes(networks, dynamics, starts, labels, 10_000).view(4, 3)
    np.testing.assert_allclose(favoured[:, 0], expected, rtol=0.1)
    assert len(set(favoured[:, 0].tolist())) == 4  # each network has its own noise
    assert (favoured[:, 1:] == 0).all()
    assert (
        spectral_lifetimes(quiet, Dynamics.of(quiet), starts, labels, 10_000).view(4, 3)[:, 0].tolist() == [10_000] * 4
    )


def test_averages_do_not_depend_on_the_ensemble(loud_networks, few_frames):
    networks = loud_networks("rg-lru")
    one = networks.select([1])
    together, alone = averaged_maps(networks, Dynamics.of(networks)), averaged_maps(one, Dynamics.of(one))
    for both, single in zip(together, alone, strict=True):
        torch.testing.assert_close(both[1:], single, atol=1e-14, rtol=1e-12)


def test_other_units_have_no_averaged_map(make_networks):
    networks = make_networks("gru")
    states = torch.zeros(6, 6, dtype=torch.float64)
    assert spectral_lifetimes(networks, Dynamics.of(networks), states, torch.zeros(6).long(), 100).isnan().all()


@pytest.mark.parametrize("noise_std", [0.2, 0.0])
@pytest.mark.parametrize("full", [False, True])
def test_it_is_measured_after_fine_tuning_too(make_networks, images, few_frames, full, noise_std):
    """Where neither a deep search nor lifetimes are. Classes that are never read out have no centre."""
    networks = make_networks("mingru", double=False, noise_std=noise_std)
    table = measure_slow_points(networks, images, SETTINGS, longest_delay=100, full=full).slow_points
    assert table["spectral_lifetime"].notna().equals(table["speed"].notna())
    assert table["spectral_lifetime"].dropna().between(0, 1000).all()
    assert table["lifetime"].notna().any() == full
    if full and not noise_std:
        centres = table.dropna(subset=["speed"])
        assert (centres["lifetime"] <= centres["spectral_lifetime"]).all()
