"""Modes of fine-tuning, each against NumPy, finite differences or a closed form."""

from dataclasses import replace

import numpy as np
import pytest
import reference
import torch
from helpers import train
from scipy import stats
from test_fine_tuning import SEARCH, SETTINGS, expected_penalty, points_table, same, stack, tune

from slowpoints.core.modes import LAMBDA_MEANS, LOOKS, MODES, OURS, PAPER, RIVALS
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.measures.centres import class_centres
from slowpoints.task.curricula import Stage, class_orders
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.training import modes
from slowpoints.training.batches import Batches
from slowpoints.training.changes import UNCHANGED, Changes, successive_differences
from slowpoints.training.fine_tuning import fine_tune, regularise
from slowpoints.training.loop import Run
from slowpoints.training.modes import changes_of, mode_file
from slowpoints.training.modes.flossing import FlossingPenalty, lyapunov_exponents
from slowpoints.training.modes.path import PathPenalty
from slowpoints.training.modes.setup import Setup
from slowpoints.training.penalties import DriftPenalty
from slowpoints.training.stopwatch import Stopwatch

GRADIENTS_OF = ("input", "recurrent", "bias")


@pytest.fixture
def learned(make_networks, images, training):
    """Networks trained enough to have class centres."""

    def make(architecture):
        longer = replace(training, steps=200, learning_rate=0.02, batch_size=16, bank=32)
        return train(make_networks(architecture, protocol="decu", double=False), images, longer)[0]

    return make


def check_gradient(networks, value, expected, **tolerance):
    """Compares gradients in a few weights with finite differences of `expected`, a function of NumPy weights."""
    gradients = torch.autograd.grad(value, [networks.weights[name] for name in GRADIENTS_OF])
    weights, width = reference.network(networks, 0), 1e-5
    for name, gradient in zip(GRADIENTS_OF, gradients, strict=True):
        for place in (0, gradient.numel() // 3, gradient.numel() // 2):
            change = []
            for sign in (1, -1):
                moved = {key: weight.copy() for key, weight in weights.items()}
                moved[name].ravel()[place] += sign * width
                change.append(expected(moved))
            slope = (change[0] - change[1]) / (2 * width)
            assert gradient.ravel()[place].item() == pytest.approx(slope, **tolerance), (name, place)


def step(architecture, x, state, weights):
    """One frame of the reference on a flat state."""
    parts = np.split(state, len(state) // weights["recurrent"].shape[0])
    return np.concatenate(np.atleast_2d(reference.STEPS[architecture](x, *parts, weights)))


def batches_of(networks, images, training, changes=UNCHANGED):
    orders = class_orders(PROTOCOLS["vocu"], 3, "small", networks.seeds)
    batches = Batches(networks, images, training, orders, "fine-tuning", changes.noise_scale)
    batches.enter(Stage(0, 1, 3, changes.t_max, 1.0, 0.01))
    return batches


def test_every_mode_has_a_module_a_look_and_a_meaning_of_its_lambda():
    files = {path.stem for path in mode_file("path").parent.glob("*.py")} - {"__init__", "setup"}
    assert files == set(MODES)
    assert set(LAMBDA_MEANS) == set(MODES) - {"control"}
    assert {*PAPER, *OURS, *RIVALS} <= set(MODES)
    assert len({*PAPER, *OURS, *RIVALS}) == len(PAPER + OURS + RIVALS)
    assert len({look.colour for look in LOOKS.values()}) == len(LOOKS)
    solid = [mode for mode, look in LOOKS.items() if look.line == "-"]
    assert solid == ["slow_points", "settled"]  # all other line styles are a mode's own
    assert len({str(look.line) for look in LOOKS.values()}) == len(LOOKS) - 1
    for asked in (changes_of, mode_file):
        with pytest.raises(ValueError, match=r"there is no mode 'settling' of fine-tuning; there are control, slow_"):
            asked("settling")
    assert modes.__doc__


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_path_is_penalised_at_six_states_on_from_each_centre(learned, images, architecture):
    networks = learned(architecture)
    setup = Setup(networks, images, points_table(networks), SEARCH, SETTINGS, longest_delay=1000)
    penalty = changes_of("path")(setup, 30.0).penalty
    centres = class_centres(networks, Dynamics.of(networks), images, SEARCH)
    assert centres.exist.sum() >= 4
    value, mean = penalty(networks), np.full(16, networks.spec.noise_mean)
    for row in range(2):
        weights, total = reference.network(networks, row), 0.0
        for label in np.flatnonzero(centres.exist.view(2, 3)[row]):
            state = centres.state.view(2, 3, -1)[row, label].numpy()
            for frame in range(801):
                if frame in (20, 50, 100, 200, 400, 800):
                    total += expected_penalty(weights, architecture, [state], [True], mean[None], 30.0)
                state = step(architecture, np.append(mean, 0.0), state, weights)
        assert value[row].item() == pytest.approx(total, rel=1e-3)  # in float32
    short = changes_of("path")(replace(setup, longest_delay=100), 30.0).penalty
    assert (penalty.points.shape[1], short.points.shape[1]) == (6 * 3, 3 * 3)
    torch.testing.assert_close(short.points, penalty.points[:, :9])


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_gradient_of_drift_equals_finite_differences(make_networks, architecture):
    networks = make_networks(architecture, seeds=(0,))
    points, exist = stack(points_table(networks, missing={(0, 1)}), networks)
    for weight in networks.weights.values():
        weight.requires_grad_()
    penalty = DriftPenalty(networks, points, exist, 30.0, 100)
    mean = penalty.mean[0].numpy()[None].repeat(3, 0)

    def expected(weights):
        return expected_penalty(weights, architecture, points[0].numpy(), exist[0], mean, 30.0)

    check_gradient(networks, penalty(networks).sum(), expected, rel=1e-5, abs=1e-7)


def test_states_of_the_path_are_sought_anew_every_so_many_steps(learned, images):
    networks = learned("gru")
    setup = Setup(networks, images, points_table(networks), SEARCH, SETTINGS, longest_delay=100)
    moved = replace(networks, weights={name: 0.9 * weight for name, weight in networks.weights.items()})
    penalty = changes_of("path")(setup, 1.0).penalty
    before = penalty.points.clone()
    for _ in range(SETTINGS.refresh):
        penalty.refresh(moved)
        assert torch.equal(penalty.points, before)
    penalty.refresh(moved)
    expected = setup.relaxed(moved, [20, 50, 100])
    assert torch.equal(penalty.points, expected.states)
    assert torch.equal(penalty.counts.bool(), expected.exist)
    resumed = changes_of("path")(setup, 1.0).penalty
    resumed.restore(penalty.state())
    assert torch.equal(resumed(networks), penalty(networks))
    fewer = replace(setup, settings=replace(SETTINGS, points=1)).relaxed(networks, [20, 50])
    assert not fewer.exist.view(2, 2, 3)[..., 1:].any()
    assert PathPenalty.capturable  # what changes is copied into the same memory, between calls


def test_lyapunov_exponents_of_a_linear_map_are_the_logarithms_of_its_eigenvalues():
    rates = torch.tensor([0.2, 0.9, 1.1, 0.5], dtype=torch.float64)
    start = torch.ones(1, 1, 4, dtype=torch.float64)
    drawn = torch.rand(1, 1, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    steps = [lambda states: rates * states] * 200
    _, settled = lyapunov_exponents(steps, start, torch.linalg.qr(drawn)[0])
    exponents, tangents = lyapunov_exponents(steps, start, settled)
    np.testing.assert_allclose(exponents[0, 0], np.log([1.1, 0.9]), rtol=1e-10)
    np.testing.assert_allclose(tangents[0, 0].abs(), np.eye(4)[:, [2, 1]], atol=1e-10)


def numpy_exponents(architecture, weights, state, tangents, frames):
    """Sum of squared exponents, from Jacobians by central differences and NumPy's QR."""
    growth, width = 0.0, 1e-6
    for pixels in frames:
        x = np.append(pixels, 0.0)
        steps = [
            [step(architecture, x, state + sign * width * unit, weights) for sign in (1, -1)]
            for unit in np.eye(len(state))
        ]
        jacobian = np.stack([(up - down) / (2 * width) for up, down in steps], axis=1)
        tangents, triangle = np.linalg.qr(jacobian @ tangents)
        growth = growth + np.log(np.abs(np.diag(triangle)))
        state = step(architecture, x, state, weights)
    return ((growth / len(frames)) ** 2).sum()


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_flossing_penalises_squared_lyapunov_exponents(make_networks, architecture):
    networks = make_networks(architecture, seeds=(0,))
    points, exist = stack(points_table(networks, missing={(0, 1)}), networks)
    for weight in networks.weights.values():
        weight.requires_grad_()
    penalty = FlossingPenalty(networks, points, exist, 2.0, 4)
    tangents = penalty.tangents.clone()
    identity = torch.eye(tangents.shape[-1], dtype=torch.float64).expand(1, 3, -1, -1)
    torch.testing.assert_close(tangents.mT @ tangents, identity)
    value = penalty(networks)
    frames = torch.empty(1, 12, 16, dtype=torch.float64)
    frames = networks.noise(networks.streams("fine-tuning penalty"), frames).view(4, 3, 16).numpy()

    def expected(weights):
        starts = [(points[0, label].numpy(), tangents[0, label].numpy(), frames[:, label]) for label in (0, 2)]
        return 2 * sum(numpy_exponents(architecture, weights, *start) for start in starts)

    assert value.item() == pytest.approx(expected(reference.network(networks, 0)), rel=1e-6)
    check_gradient(networks, value.sum(), expected, rel=1e-3, abs=1e-5)
    assert not torch.equal(penalty.tangents, tangents)  # the next call starts where this one ended
    assert not penalty.tangents.requires_grad


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_temporal_consistency_is_the_mean_squared_move_in_the_delay(make_networks, images, training, architecture):
    networks = make_networks(architecture, seeds=(0,))
    for weight in networks.weights.values():
        weight.requires_grad_()
    batches = batches_of(networks, images, training)
    batches.batch.frames = batches.batch.frames.double()
    batch = batches.next()
    value = successive_differences(networks.run_hidden(batch), batch.trials)
    frames, trials = batch.frames[0].numpy(), batch.trials

    def expected(weights):
        squares = []
        for trial in range(training.batch_size):
            stimulus, report = int(trials.stimulus[0, trial]), int(trials.report[0, trial])
            state = np.zeros(networks.spec.unit.parts * 6)
            for frame in range(report):
                after = step(architecture, np.append(frames[batch.rows[frame, 0, trial]], 0.0), state, weights)
                if frame > stimulus:
                    squares.append(((after - state)[:6] ** 2).sum())
                state = after
        return np.mean(squares)

    assert value.item() == pytest.approx(expected(reference.network(networks, 0)), rel=1e-10)
    check_gradient(networks, value.sum(), expected, rel=1e-5, abs=1e-8)


def test_long_delays_draw_timing_as_the_task_does_for_longer_trials(make_networks, images, training):
    """Image uniform on the frames that leave 4 to the report, report uniform on those after; no noise frame twice."""
    networks, many = make_networks(seeds=(0,)), replace(training, batch_size=40_000)
    changes = changes_of("long_delays")(None, 60.0)
    assert changes == Changes(t_max=60)
    batch, usual = (batches_of(networks, images, many, each).next() for each in (changes, UNCHANGED))
    stimulus, report = batch.trials.stimulus[0].numpy(), batch.trials.report[0].numpy()
    assert stats.chisquare(np.bincount(stimulus, minlength=56)).pvalue > 1e-3
    assert (stimulus.max(), report.max(), (report - stimulus).min()) == (55, 59, 4)
    place = (report - stimulus - 4 + 0.5) / (56 - stimulus)  # uniform where a report frame is
    assert stats.kstest(place[stimulus < 20], "uniform").statistic < 0.02
    rows = batch.rows[:, 0, :500]
    assert all(len(rows[:, trial].unique()) == 60 for trial in range(500))
    assert (batch.noise_frames, usual.noise_frames) == (60, training.bank)
    for drawn in ("image", "label"):  # the same trials otherwise
        assert torch.equal(getattr(batch.trials, drawn), getattr(usual.trials, drawn))


@pytest.mark.parametrize("frames", [19.0, 60.5])
def test_trials_of_no_such_length_are_refused(frames):
    with pytest.raises(ValueError, match=f"lambda of long_delays is {frames:g}; it must be a whole number of at least"):
        changes_of("long_delays")(None, frames)


def test_more_noise_is_the_same_noise_times_a_factor(make_networks, images, training):
    networks = make_networks()
    changes = changes_of("noise")(None, 1.5)
    louder, usual = (batches_of(networks, images, training, each).next() for each in (changes, UNCHANGED))
    mean = networks.spec.noise_mean
    torch.testing.assert_close(louder.noise - mean, 1.5 * (usual.noise - mean))
    assert torch.equal(louder.trials.report, usual.trials.report)
    assert torch.equal(louder.frames[:, training.bank :], usual.frames[:, training.bank :])  # images as they are


def test_weight_decay_is_that_of_adamw(make_networks, images, training):
    networks = make_networks(double=False)
    stage = Stage(0, 2, 3, 20, 1.0, 0.05)
    orders = class_orders(PROTOCOLS["vocu"], 3, "small", networks.seeds)
    changes = changes_of("weight_decay")(None, 0.3)
    run = Run(networks, images, training, [stage], "fine-tuning", orders=orders, changes=changes)
    expected = {name: weight.clone().requires_grad_() for name, weight in networks.weights.items()}
    optimiser = torch.optim.AdamW(expected.values(), lr=0.05, weight_decay=0.3)
    run.enter(stage)
    for _ in range(2):
        run.advance()
        for name, weight in run.networks.weights.items():
            expected[name].grad = weight.grad
        optimiser.step()
    for name, weight in run.networks.weights.items():
        torch.testing.assert_close(weight, expected[name])


SETTING = {"long_delays": 60.0, "noise": 1.5}


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "control"])
def test_every_mode_changes_what_control_comes_to(learned, images, training, mode):
    networks = learned("gru")
    control, _ = tune(networks, images, training, "control")
    tuned, history = tune(networks, images, training, mode, lambda_=SETTING.get(mode, 0.5))
    assert not same(tuned, control)
    assert history["t_max"].unique().tolist() == [60 if mode == "long_delays" else 20]


@pytest.mark.parametrize(("mode", "lambda_"), [("long_delays", 20.0), ("noise", 1.0), ("temporal_consistency", 0.0)])
def test_settings_that_change_nothing_are_control_bit_for_bit(make_networks, images, training, mode, lambda_):
    networks = make_networks(double=False)
    control, _ = tune(networks, images, training, "control")
    assert same(tune(networks, images, training, mode, lambda_=lambda_)[0], control)


def test_a_mode_may_take_steps_of_its_own(make_networks, images, training):
    networks = make_networks(double=False)
    for mode, last in (("path", 2), ("control", 7)):
        _, history = tune(networks, images, training, mode, lambda_=1.0, mode_steps={"path": 3})
        assert history["step"].max() == last


def test_the_stopwatch_runs_while_networks_are_fine_tuned(make_networks, images, training):
    watch, settings = Stopwatch(), replace(SETTINGS, steps=2)
    networks = make_networks(double=False)
    common = {"training": training, "protocol": PROTOCOLS["vocu"]}
    regularise(
        networks, images, points_table(networks), mode="control", lambda_=0.0, search=SEARCH, settings=settings,
        watch=watch, **common,
    )  # fmt: skip
    first = watch.seconds
    assert first > 0
    assert watch.seconds == first  # it stands still
    watch.before = 100.0  # of attempts before this one
    assert watch.seconds == 100 + first
    fine_tune(networks, images, UNCHANGED, steps=2, learning_rate=0.01, **common)
    assert watch.seconds == 100 + first
