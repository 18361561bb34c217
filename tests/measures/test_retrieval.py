"""Accuracies of networks: the roll-out against separate runs, and counts."""

import numpy as np
import pandas as pd
import pytest
import torch

from slowpoints.core.presets.network import Layers
from slowpoints.core.streams import uniform
from slowpoints.measures.accuracy import measure_accuracy
from slowpoints.measures.retrieval import (
    _bank_drives,
    _noise_from_bank,
    chosen_rows,
    measure_in_less_noise,
    measure_memory,
    reports,
)
from slowpoints.networks.rollout import fresh_noise, mean_input
from slowpoints.task.trials import NoiseBank


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_roll_out_equals_a_separate_run_at_each_delay(make_networks, architecture):
    """With the same noise, a separate run of image, noise and triggered frame for each delay."""
    networks = make_networks(architecture)
    unit, recurrent = networks.spec.unit, networks.spec.unit.split_recurrent(networks.weights["recurrent"])
    generator = torch.Generator().manual_seed(0)
    trials, delays = 40, [4, 7, 19, 33]
    frames = torch.rand(34, 2, trials, 16, generator=generator, dtype=torch.float64)
    drives = [networks.drive(frame) for frame in frames]
    reported = reports(networks, drives[0], lambda frame: drives[frame], delays)
    for row, delay in enumerate(delays):
        state = unit.initial_state(2, trials, networks.spec.hidden, like=frames)
        for frame in range(delay + 1):
            drive = [d.clone() for d in drives[frame]]
            if frame == delay:
                drive = [d + trigger[:, None] for d, trigger in zip(drive, networks.trigger, strict=True)]
            state, _ = unit.step(drive, state, recurrent)
        assert torch.equal(reported[row], networks.logits(state[0]).argmax(-1) - 1)
    assert reported.unique().numel() > 1  # otherwise nothing was compared


def test_a_trial_of_which_nothing_is_said_counts_for_no_class(make_networks, images):
    """Null is an answer too: if its output is the largest, there is neither a hit nor a false alarm."""
    networks = make_networks(double=False)
    networks.weights["readout_bias"][0, 0] = 1e6
    table = measure_memory(networks, images, delays=[4, 19, 20], n_images=30, noise="fresh", bank=0)
    counts = table.groupby("seed")[["n_correct", "n_false"]].sum()
    assert counts.loc[0].tolist() == [0, 0]
    assert counts.loc[1].sum() > 0


def test_retrieval_counts_add_up(make_networks, images):
    networks = make_networks(double=False)
    table = measure_memory(networks, images, delays=[4, 19, 20, 30], n_images=30, noise="fresh", bank=0)
    assert len(table) == 2 * 4 * 3
    assert (table["n_trials"] == 10).all()
    np.testing.assert_allclose(table["accuracy"], table["n_correct"] / 10)
    # Wilson's interval for 10 of 10 and for 0 of 10, worked out by hand: z^2 / (n + z^2) = 0.2775
    for correct, low, high in ((10, 0.7225, 1.0), (0, 0.0, 0.2775)):
        rows = table[table["n_correct"] == correct]
        np.testing.assert_allclose(rows[["low", "high"]].drop_duplicates(), [[low, high]] * bool(len(rows)), atol=1e-4)


def test_false_alarms_are_reports_of_other_classes(make_networks, images):
    """A network that always reports class 1: all its own trials are hits, and all others false alarms."""
    networks = make_networks(double=False)
    networks.weights["readout_bias"][:, 2] = 1e6
    table = measure_memory(networks, images, delays=[4, 19, 20, 30], n_images=30, noise="fresh", bank=0)
    counts = table.groupby("label")[["n_correct", "n_false"]].agg(["min", "max"])
    assert counts.loc[1].tolist() == [10, 10, 20, 20]
    assert (counts.loc[[0, 2]] == 0).all(axis=None)


def test_memory_without_noise_is_a_replay_under_the_mean_frame(make_networks, images):
    networks = make_networks(double=False)
    settings = {"delays": [4, 19, 20, 33], "n_images": 30, "noise": "fresh", "bank": 64}
    table = measure_memory(networks, images, **settings, noise_scale=0.0)
    rows = chosen_rows(images, 30)
    frame = torch.full((2, 30, 16), networks.spec.noise_mean)
    drives = networks.drive(frame)
    reported = reports(networks, networks.image_drives(images.images[rows]), lambda _: drives, settings["delays"])
    right = (reported.numpy() == images.labels[rows]).sum(-1)  # [D, S]
    found = table.groupby(["delay", "seed"])["n_correct"].sum().unstack().to_numpy()
    np.testing.assert_array_equal(found, right)
    banked = measure_memory(networks, images, **settings | {"noise": "bank"}, noise_scale=0.0)
    np.testing.assert_array_equal(banked["n_correct"], table["n_correct"])


@pytest.mark.parametrize("noise", ["fresh", "bank"])
def test_less_noise_leaves_the_mean_input_as_it_is(make_networks, noise):
    """Also with a front end, where half the noise in pixels would change the mean."""
    networks = make_networks(seeds=(3,), front_end=Layers((2,), (5,)), double=False)
    networks.weights["front_end.dense0.weight"] *= 3.0
    mean = networks.drive(networks.mean_features()[:, None])[0]
    still = mean_input(networks, 6)(1)[0]
    assert torch.equal(still, mean.expand(-1, 6, -1))
    drives = {}
    for scale in (1.0, 0.5):
        source = (
            fresh_noise(networks, 4000, "test", scale)
            if noise == "fresh"
            else _noise_from_bank(networks, 4000, 4096, scale)
        )
        drives[scale] = source(1)[0]
        away = (drives[scale].mean(1) - mean[:, 0]).abs().max() / drives[scale].std()
        assert away < 0.1
    assert (drives[0.5].std(1) / drives[1.0].std(1)).median().item() == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("noise", ["fresh", "bank"])
@pytest.mark.parametrize("scale", [1.0, 0.5, 2.0])
def test_memory_is_a_replay_in_the_noise_of_its_streams(make_networks, images, noise, scale):
    """The same frames drawn again, from each network's own stream, with noise scaled about the mean."""
    networks = make_networks(double=False)
    for weight in networks.weights.values():
        weight.mul_(4)  # so that noise matters
    settings = {"delays": [4, 19, 20, 33], "n_images": 90, "noise": noise, "bank": 64}
    table = measure_memory(networks, images, **settings, noise_scale=scale)
    if scale == 1:
        pd.testing.assert_frame_equal(measure_memory(networks, images, **settings), table)
    rows = chosen_rows(images, 90)
    frames = networks.noise(networks.streams("memory noise"), torch.empty(2, 64, 16))
    draws = uniform(networks.streams("memory bank"), torch.empty(2, 90, 2, dtype=torch.float64))
    streams = networks.streams("memory noise")

    def drives(frame):
        if noise == "fresh":
            drawn = networks.noise(streams, torch.empty(2, 90, 16))
        else:
            drawn = frames[torch.arange(2)[:, None], NoiseBank(64).row(draws, frame)]
        mean = networks.spec.noise_mean
        return networks.drive(mean + scale * (drawn - mean))

    reported = reports(networks, networks.image_drives(images.images[rows]), drives, settings["delays"])
    found = table.set_index(["label", "delay", "seed"])
    for label in range(3):
        said = (reported == label).numpy()
        own = images.labels[rows] == label
        for delay, seed in np.ndindex(4, 2):
            row = found.loc[(label, settings["delays"][delay], seed)]
            assert row["n_correct"] == pytest.approx(said[delay, seed, own].sum(), abs=1)  # rounding may turn one
            assert row["n_false"] == pytest.approx(said[delay, seed, ~own].sum(), abs=1)
    assert table["n_correct"].nunique() > 3
    assert table["n_false"].nunique() > 3


def test_memory_in_less_noise_is_memory_with_half_and_with_none(make_networks, images):
    networks = make_networks(double=False)
    settings = {"delays": [4, 19, 20], "n_images": 30, "noise": "bank", "bank": 32}
    table = measure_in_less_noise(networks, images, **settings)
    parts = [measure_memory(networks, images, **settings, noise_scale=scale) for scale in (0.5, 0.0)]
    scales = np.repeat([0.5, 0.0], len(parts[0]))
    pd.testing.assert_frame_equal(table, pd.concat(parts, ignore_index=True).assign(noise_scale=scales))


def test_a_bank_has_as_many_frames_as_it_says(make_networks):
    """Drawn in parts, with and without a remainder."""
    networks = make_networks(double=False)
    for size in (5, 128, 300):
        (first, second) = _bank_drives(networks, size, 1.0)
        assert (first.shape, second.shape) == ((2, size, 12), (2, size, 6))
        assert len(first.flatten(0, 1).unique(dim=0)) == 2 * size


def test_a_memory_bank_gives_the_same_accuracy_as_fresh_noise(make_networks, images):
    """Ten thousand trials each way, so that a difference of 0.05 would show."""
    networks = make_networks(seeds=(3,), double=False)
    common = {"delays": [4, 19, 20, 30], "n_images": 9999, "bank": 128}
    fresh, bank = (measure_memory(networks, images, noise=noise, **common) for noise in ("fresh", "bank"))
    shares = [table.groupby("delay")["n_correct"].sum() / 9999 for table in (fresh, bank)]
    np.testing.assert_allclose(*shares, atol=0.03)


def test_images_are_balanced_and_gone_through_in_turn(images):
    rows = chosen_rows(images, 90)  # 30 a class, where there are 20
    labels = images.labels[rows]
    assert [int((labels == label).sum()) for label in range(3)] == [30, 30, 30]
    assert np.bincount(rows, minlength=60).min() == 1


def test_accuracy_of_networks_that_only_ever_say_null(make_networks, images):
    networks = make_networks(double=False)
    for name in ("readout", "readout_bias"):
        networks.weights[name].zero_()
    networks.weights["readout_bias"][:, 0] = 1
    table = measure_accuracy(networks, images, n_images=150)
    assert table["nominal_accuracy"].tolist() == [0, 0]
    assert table["null_accuracy"].tolist() == [1, 1]


@pytest.mark.parametrize("delays", [[33, 4, 19], (19, 33, 4), np.array([4, 33, 19])])
def test_delays_in_any_order_give_the_same_table(make_networks, images, delays):
    networks = make_networks(double=False)
    networks.weights["readout"].mul_(20)  # untrained, but what they report changes with the delay
    settings = {"n_images": 30, "noise": "fresh", "bank": 64}
    expected = measure_memory(networks, images, delays=[4, 19, 33], **settings)
    assert expected.groupby("delay")["n_correct"].sum().nunique() > 1
    pd.testing.assert_frame_equal(measure_memory(networks, images, delays=delays, **settings), expected)
