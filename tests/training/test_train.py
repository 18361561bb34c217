"""Training: learning, independence of the ensemble, gradients, and stopping."""

from dataclasses import replace

import pytest
import reference
import torch
from helpers import train

from slowpoints.core.presets.network import Layers
from slowpoints.core.schemas.training import TRAINING
from slowpoints.core.tables import read_table, write_table
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.networks.weights import save_networks
from slowpoints.task.curricula import Stage, class_orders, snapshot_steps, stages
from slowpoints.task.loss import trial_loss
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.training.batches import Batches
from slowpoints.training.loop import Diverged, clip_gradients


def orders(networks):
    return class_orders(PROTOCOLS["vocu"], networks.spec.classes, networks.spec.dataset, networks.seeds)


def full_task(training):
    return Stage(0, training.steps, 3, 20, 1.0, training.learning_rate)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
@pytest.mark.parametrize("front_end", [None, Layers((2,), (8,))])
@pytest.mark.parametrize("noise", ["bank", "fresh"])
def test_a_network_alone_equals_itself_in_an_ensemble(make_networks, images, training, architecture, front_end, noise):
    """Bit for bit where rows x units of every layer are multiples of 32, as in every preset: PyTorch's CPU kernels may
    round a tensor's last few numbers otherwise than those before."""
    training = replace(training, noise=noise, batch_size=8, bank=24)
    changes = {"front_end": front_end, "double": False, "hidden": 8}
    together, table, _ = train(make_networks(architecture, (0, 1, 2), **changes), images, training)
    alone, history, _ = train(make_networks(architecture, (1,), **changes), images, training)
    for name, weight in alone.weights.items():
        assert torch.equal(together.weights[name][1], weight[0]), name
    assert table[table["seed"] == 1].reset_index(drop=True).equals(history)


def test_same_seed_same_bits(make_networks, images, training, tmp_path):
    for run in ("first", "second"):
        networks, table, _ = train(make_networks(double=False), images, training)
        save_networks(networks, tmp_path / run / "weights.safetensors")
        write_table(table, tmp_path / run / "training.parquet", TRAINING)
    for file in ("weights.safetensors", "training.parquet"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_another_seed_is_another_network(make_networks, images, training):
    networks, _, _ = train(make_networks(double=False), images, training)
    assert not torch.equal(networks.weights["recurrent"][0], networks.weights["recurrent"][1])


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
@pytest.mark.parametrize("readout", ["softmax", "sigmoid_softmax"])
def test_gradient_equals_finite_differences_of_the_reference(make_networks, images, training, architecture, readout):
    networks = make_networks(architecture, seeds=(0,), readout=readout)
    for weight in networks.weights.values():
        weight.requires_grad_()
    batches = Batches(networks, images, training, orders(networks), "test")
    batches.enter(full_task(training))
    batches.batch.frames = batches.batch.frames.double()
    batch = batches.next()
    outputs, trials = networks.run_trials(batch), batch.trials
    loss = trial_loss(outputs, trials, batches.mask, 1.0, readout)
    gradients = torch.autograd.grad(loss.sum(), list(networks.weights.values()))
    frames = batch.frames[0].numpy()
    rows = batches.bank.rows(batches.uniform[..., -2:], 20)[:, 0].numpy()

    def expected(weights):
        total = 0
        for trial in range(training.batch_size):
            shown = frames[rows[:, trial]].copy()
            shown[trials.stimulus[0, trial]] = frames[training.bank + trial]
            report, label = int(trials.report[0, trial]), int(trials.label[0, trial])
            trial_outputs = reference.run_trial(shown, report, weights, architecture)
            total += reference.trial_loss(trial_outputs, label, report, [0, 1, 2], 1.0, readout)
        return total / training.batch_size

    weights = reference.network(networks, 0)
    assert loss.item() == pytest.approx(expected(weights), abs=1e-12)
    width = 1e-5
    for name, gradient in zip(networks.weights, gradients, strict=True):
        for place in (0, gradient[0].numel() // 2, gradient[0].numel() - 1):
            change = []
            for sign in (1, -1):
                moved = {key: value.copy() for key, value in weights.items()}
                moved[name].ravel()[place] += sign * width
                change.append(expected(moved))
            slope = (change[0] - change[1]) / (2 * width)
            assert gradient[0].ravel()[place].item() == pytest.approx(slope, abs=1e-7), (name, place)


def test_frames_beyond_t_max_change_nothing(make_networks, images, training):
    """The loss of a 6-frame stage equals that of the same trials simulated for all 20 frames."""
    networks = make_networks()
    batches = Batches(networks, images, training, orders(networks), "test")
    batches.enter(replace(full_task(training), t_max=6))
    batches.batch.frames = batches.batch.frames.double()
    batch = batches.next()
    short, trials = networks.run_trials(batch), batch.trials
    assert len(short) == 6
    batch.show(trials, batches.table.pixels(trials.image), batches.bank.rows(batches.uniform[..., -2:], 20))
    long = networks.run_trials(batch)[:6]
    losses = [trial_loss(outputs, trials, batches.mask, 1.0, "softmax") for outputs in (short, long)]
    assert torch.equal(*losses)


@pytest.mark.parametrize(
    ("architecture", "rate", "least"),
    [
        ("brc", 0.01, 0.9),
        ("gru", 0.01, 0.9),
        ("gru-after", 0.01, 0.9),
        ("lru", 0.01, 0.5),
        ("nbrc", 0.01, 0.8),
        ("rg-lru", 0.01, 0.9),
        ("rnn", 0.003, 0.5),
        ("slstm", 0.01, 0.9),
        ("ugrnn", 0.01, 0.9),
    ],
)
def test_training_learns(make_networks, images, training, architecture, rate, least):
    """Guessing is correct in a third of the trials. For a minGRU see `tests/measures/test_affine_unit.py`."""
    training = replace(training, steps=400, batch_size=16, bank=32, learning_rate=rate)
    networks = make_networks(architecture, (0, 1), hidden=16, protocol="decu", double=False)
    _, table, _ = train(networks, images, training)
    last = table[table["step"] > 380].groupby("seed")[["report_accuracy", "null_accuracy"]].mean()
    assert (last > [least, 0.9]).all(axis=None)


def test_the_table_says_what_was_trained_on(make_networks, images, training, tmp_path):
    _, table, _ = train(make_networks(protocol="vocu", double=False), images, training)
    write_table(table, tmp_path / "training.parquet", TRAINING)
    stored = read_table(tmp_path / "training.parquet")
    one = stored[stored["seed"] == 0].set_index("step")
    assert one["classes_in_use"].tolist() == [2] * 6 + [3] * 6
    assert one["learning_rate"].tolist() == pytest.approx([0.01] * 10 + [0.001] * 2)
    assert set(one["t_max"]) == {20}


def test_clipping_is_each_network_own():
    first = torch.tensor([[3.0, 4.0], [0.3, 0.4]], requires_grad=True)
    second = torch.tensor([[[12.0]], [[0.0]]], requires_grad=True)
    for weight in (first, second):
        weight.grad = weight.detach().clone()
    clip_gradients([first, second], 6.5)
    torch.testing.assert_close(first.grad, torch.tensor([[1.5, 2.0], [0.3, 0.4]]))  # norms 13 and 0.5
    torch.testing.assert_close(second.grad, torch.tensor([[[6.0]], [[0.0]]]))


def test_divergence_names_seed_and_step(make_networks, images, training):
    networks = make_networks(seeds=(4, 7), double=False)
    networks.weights["recurrent"][1] = torch.nan
    with pytest.raises(Diverged, match=r"seed 7: the loss is not finite at step 0"):
        train(networks, images, training)


def test_training_leaves_its_start_alone(make_networks, images, training):
    networks = make_networks(double=False)
    before = {name: weight.clone() for name, weight in networks.weights.items()}
    train(networks, images, training)
    assert all(torch.equal(weight, before[name]) for name, weight in networks.weights.items())


def test_snapshots_are_of_the_steps_planned(make_networks, images, training):
    planned = [1, 2, 3, 6, 7, 9, 10, 12]  # the vocabulary grows at 6, the rate drops at 10
    assert snapshot_steps(stages(PROTOCOLS["vocu"], training, 3), 4) == planned
    networks, _, snapshots = train(make_networks(double=False), images, training, snapshots=4)
    assert list(snapshots) == planned
    last, now = snapshots[12], Dynamics.of(networks)
    assert torch.equal(last.recurrent, now.recurrent)
    assert torch.equal(last.drive, now.drive)
    assert not torch.equal(snapshots[3].recurrent, now.recurrent)
