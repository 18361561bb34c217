"""The speed penalty and fine-tuning, against NumPy, finite differences and control."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import reference
import torch
from helpers import train

from slowpoints.core.modes import MODES
from slowpoints.core.presets.network import Layers
from slowpoints.core.presets.regularisation import Regularisation
from slowpoints.core.presets.search import Search
from slowpoints.core.schemas.training import TRAINING
from slowpoints.core.tables import read_table, write_table
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.relaxation import relaxation_path
from slowpoints.measures.relaxation import SETTLED
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.training.fine_tuning import regularise
from slowpoints.training.penalties import DriftPenalty, SpeedPenalty

SETTINGS = Regularisation(steps=8, learning_rate=0.005, points=None, noise_frames=10, refresh=3)
SEARCH = Search(adam_steps=1, max_iterations=1, tolerance=1e-8, images_per_class=10, noise_scale=Fraction(1, 3))
FINE_TUNING = {"search": SEARCH, "settings": SETTINGS, "protocol": PROTOCOLS["vocu"]}


def points_table(networks, *, missing=()):
    """A made-up table `slow_points`, without a state for some (seed, label)."""
    generator = torch.Generator().manual_seed(1)
    length = networks.spec.unit.parts * networks.spec.hidden
    rows = []
    for seed in networks.seeds:
        for label in range(networks.spec.classes):
            state = torch.rand(length, generator=generator, dtype=torch.float64).numpy() - 0.5
            rows.append({"seed": seed, "label": label, "state": None if (seed, label) in missing else state})
    return pd.DataFrame(rows)


def stack(table, networks):
    length = networks.spec.unit.parts * networks.spec.hidden
    states = [np.zeros(length) if state is None else state for state in table["state"]]
    found = torch.tensor([state is not None for state in table["state"]])
    shape = (len(networks), networks.spec.classes)
    return torch.tensor(np.stack(states)).view(*shape, length), found.view(shape)


def expected_penalty(weights, architecture, points, found, frames, lambda_):
    """lambda * sum over points and their frames of squared speed, one network, from the equations."""
    total = 0.0
    hidden = weights["recurrent"].shape[0]
    per_point = len(frames) // len(points)
    for row, pixels in enumerate(frames):
        label = row // per_point
        if not found[label]:
            continue
        x, state = np.append(pixels, 0.0), points[label]
        if architecture == "gru":
            difference = reference.gru_step(x, state, weights) - state
        else:
            h, c = reference.lstm_step(x, state[:hidden], state[hidden:], weights)
            difference = np.concatenate([h - state[:hidden], np.tanh(c) - np.tanh(state[hidden:])])
        total += (difference**2).sum()
    return lambda_ * total


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_penalty_is_the_sum_over_points_and_frames(make_networks, architecture):
    networks = make_networks(architecture)
    table = points_table(networks, missing={(1, 2)})
    points, found = stack(table, networks)
    penalty = SpeedPenalty(networks, points, found, 0.3, 10)
    value = penalty(networks)
    frames = torch.empty(2, 30, 16, dtype=torch.float64)
    networks.noise(networks.streams("fine-tuning penalty"), frames)  # the same numbers again
    for row in range(2):
        weights = reference.network(networks, row)
        expected = expected_penalty(weights, architecture, points[row].numpy(), found[row], frames[row].numpy(), 0.3)
        assert value[row].item() == pytest.approx(expected, rel=1e-10)


def test_penalty_frames_are_fresh_and_at_full_deviation(make_networks):
    networks = make_networks()
    points, found = stack(points_table(networks), networks)
    penalty = SpeedPenalty(networks, points, found, 1.0, 10)
    assert not torch.equal(penalty(networks), penalty(networks))
    frames = networks.noise(penalty.streams, torch.empty(2, 5000, 16, dtype=torch.float64))
    assert frames.std().item() == pytest.approx(networks.spec.noise_std, rel=0.02)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_penalty_gradient_equals_finite_differences(make_networks, architecture):
    networks = make_networks(architecture, seeds=(0,))
    points, found = stack(points_table(networks), networks)
    frames = torch.rand(1, 30, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for weight in networks.weights.values():
        weight.requires_grad_()
    penalty = SpeedPenalty(networks, points, found, 1.0, 10)
    value = penalty.squared_speeds(networks, frames).sum()
    used = ("input", "recurrent", "bias")
    gradients = torch.autograd.grad(value, [networks.weights[name] for name in used])
    weights = reference.network(networks, 0)
    width = 1e-6
    for name, gradient in zip(used, gradients, strict=True):
        for place in (0, gradient.numel() // 3, gradient.numel() - 1):
            change = []
            for sign in (1, -1):
                moved = {key: weight.copy() for key, weight in weights.items()}
                moved[name].ravel()[place] += sign * width
                every = [True] * 3
                change.append(expected_penalty(moved, architecture, points[0].numpy(), every, frames[0].numpy(), 1.0))
            slope = (change[0] - change[1]) / (2 * width)
            assert gradient.ravel()[place].item() == pytest.approx(slope, rel=1e-5, abs=1e-7), (name, place)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_settled_penalty_is_the_sum_of_squared_speeds_under_the_mean_input(make_networks, architecture):
    networks = make_networks(architecture)
    points, found = stack(points_table(networks, missing={(1, 2)}), networks)
    penalty = DriftPenalty(networks, points, found, 30.0, 100)
    value = penalty(networks)
    assert torch.equal(value, penalty(networks))  # no noise
    speeds = Dynamics.of(networks).speed(points.flatten(0, 1)).view(2, 3)
    np.testing.assert_allclose(value, 30 * (speeds.square() * found).sum(1), rtol=1e-10)
    mean = np.full(16, networks.spec.noise_mean)
    for row in range(2):
        weights = reference.network(networks, row)
        expected = expected_penalty(weights, architecture, points[row].numpy(), found[row], np.stack([mean] * 3), 30.0)
        assert value[row].item() == pytest.approx(expected, rel=1e-6)  # spec.noise_mean in float32


def test_settled_penalty_takes_the_mean_input_of_a_front_end_anew(make_networks, monkeypatch):
    """At every third call, from the current front end; without a front end the mean frame never changes."""
    networks = make_networks(front_end=Layers((2,), (5,)))
    points, found = stack(points_table(networks), networks)
    penalty = DriftPenalty(networks, points, found, 1.0, 3)
    assert penalty.capturable

    def value():
        penalty.refresh(networks)
        return penalty(networks)

    first = value()
    networks.weights["front_end.dense0.bias"] += 1.0
    assert [torch.equal(value(), first) for _ in range(3)] == [True, True, False]
    speeds = Dynamics.of(networks).speed(points.flatten(0, 1)).view(2, 3)
    np.testing.assert_allclose(penalty(networks), speeds.square().sum(1), rtol=1e-8)
    resumed = DriftPenalty(make_networks(front_end=Layers((2,), (5,))), points, found, 1.0, 3)
    resumed.restore(penalty.state())
    assert torch.equal(resumed(networks), penalty(networks))


def tune(networks, images, training, mode, lambda_=0.01, **changes):
    return regularise(
        networks,
        images,
        points_table(networks),
        mode=mode,
        lambda_=lambda_,
        training=training,
        search=SEARCH,
        settings=replace(SETTINGS, **changes),
        protocol=PROTOCOLS["vocu"],
    )


def same(one, other):
    return all(torch.equal(weight, other.weights[name]) for name, weight in one.weights.items())


@pytest.fixture
def networks(make_networks, images, training):
    """Networks trained enough to have class centres."""
    training = replace(training, steps=300, learning_rate=0.02, batch_size=16, bank=32)
    return train(make_networks("gru", hidden=16, protocol="decu", double=False), images, training)[0]


def test_control_of_no_steps_is_the_very_same_network(networks, images, training, tmp_path):
    tuned, history = tune(networks, images, training, "control", steps=0)
    assert same(tuned, networks)
    write_table(history, tmp_path / "training.parquet", TRAINING)
    assert len(read_table(tmp_path / "training.parquet")) == 0


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "control"])
def test_lambda_0_is_control_bit_for_bit(networks, images, training, mode):
    control, _ = tune(networks, images, training, "control")
    assert not same(control, networks)
    assert same(tune(networks, images, training, mode, lambda_=0)[0], control)


def test_modes_see_the_same_trials(networks, images, training):
    """A negligible penalty changes only the last digits relative to control."""
    control, _ = tune(networks, images, training, "control")
    tuned, _ = tune(networks, images, training, "slow_points", lambda_=1e-12)
    torch.testing.assert_close(tuned.weights["recurrent"], control.weights["recurrent"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["slow_points", "centre_of_mass", "tracking", "settled", "path"])
def test_a_penalty_slows_its_points(networks, images, training, mode):
    from slowpoints.measures.centres import class_centres

    dynamics = Dynamics.of(networks)
    points = class_centres(networks, dynamics, images, SEARCH).state
    if mode in ("settled", "path"):
        (points,) = relaxation_path(dynamics.step, points, [SETTLED])
    elif mode != "centre_of_mass":
        points = stack(points_table(networks), networks)[0].flatten(0, 1)
    control, _ = tune(networks, images, training, "control", steps=60)
    tuned, _ = tune(networks, images, training, mode, lambda_=0.1, steps=60)
    assert Dynamics.of(tuned).speed(points).mean() < 0.9 * Dynamics.of(control).speed(points).mean()


def test_only_so_many_points_are_penalised(networks, images, training):
    one, _ = tune(networks, images, training, "slow_points", lambda_=0.1, points=1)
    every, _ = tune(networks, images, training, "slow_points", lambda_=0.1)
    assert not same(one, every)


def test_tracking_seeks_its_points_anew(networks, images, training):
    still, _ = tune(networks, images, training, "slow_points", lambda_=0.1)
    tracked, _ = tune(networks, images, training, "tracking", lambda_=0.1)
    never, _ = tune(networks, images, training, "tracking", lambda_=0.1, refresh=100)
    assert same(never, still)
    assert not same(tracked, still)
