"""Accuracies of networks: the roll-out against separate runs, and counts."""

import numpy as np
import pytest
import torch

from slowpoints.measures.accuracy import measure_accuracy
from slowpoints.measures.retrieval import chosen_rows, measure_memory, retrieved


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_roll_out_equals_a_separate_run_at_each_delay(make_networks, architecture):
    """The same noise, one run of image, noise and triggered frame for each delay by itself."""
    networks = make_networks(architecture)
    unit, recurrent = networks.spec.unit, networks.spec.unit.split(networks.weights["recurrent"])
    generator = torch.Generator().manual_seed(0)
    trials, delays = 40, [4, 7, 19, 33]
    labels = torch.arange(trials) % 3
    frames = torch.rand(34, 2, trials, 16, generator=generator, dtype=torch.float64)
    drives = [networks.drive(frame) for frame in frames]
    right = retrieved(networks, drives[0], lambda frame: drives[frame], labels, delays)
    some = 0
    for row, delay in enumerate(delays):
        state = unit.initial_state(2, trials, networks.spec.hidden, like=frames)
        for frame in range(delay + 1):
            drive = [d.clone() for d in drives[frame]]
            if frame == delay:
                drive = [d + trigger[:, None] for d, trigger in zip(drive, networks.trigger, strict=True)]
            state, _ = unit.step(drive, state, recurrent)
        expected = networks.logits(state[0]).argmax(-1) == labels + 1
        assert torch.equal(right[row], expected)
        some += int(expected.sum())
    assert some > 0  # otherwise nothing was compared


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
