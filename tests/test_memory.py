"""Memory measures: known curves, and the roll-out against separate runs."""

import numpy as np
import pytest
import torch

from slowpoints.memory import chosen_rows, half_life, measure_accuracy, measure_memory, memory_score, roll_out

DELAYS = np.array([4, 10, 19, 20, 50, 100, 1000])


def test_memory_score_of_constant_accuracy_is_that_accuracy():
    np.testing.assert_allclose(memory_score(DELAYS, np.full((3, 7), 0.7)), 0.7)


def test_memory_score_averages_over_log_delay():
    fine = np.union1d(np.round(np.geomspace(20, 1000, 400)), [19, 20])
    falling = 1 - np.log(fine / 20) / np.log(50)  # from 1 at 20 to 0 at 1000, a line in log delay
    np.testing.assert_allclose(memory_score(fine, falling[None]), 0.5, atol=1e-12)
    step = (fine < np.sqrt(20 * 1000)).astype(float)  # all or nothing, half-way in log delay
    np.testing.assert_allclose(memory_score(fine, step[None]), 0.5, atol=0.01)


def test_memory_score_ignores_delays_of_training():
    accuracy = np.where(DELAYS < 20, 0.0, 0.6)
    np.testing.assert_allclose(memory_score(DELAYS, accuracy), 0.6)


@pytest.mark.parametrize("delays", [[4, 19, 50, 1000], [4, 19, 20]])
def test_memory_score_refuses_delays_without_20_or_nothing_beyond(delays):
    with pytest.raises(ValueError, match="20"):
        memory_score(np.array(delays), np.ones(len(delays)))


def test_half_life_of_an_exponential_memory():
    delays = np.union1d(np.geomspace(4, 1000, 2000), [19])
    accuracy = 0.1 + 0.9 * 0.5 ** ((delays - 19) / 50)  # half of what was there at 19 is gone at 69
    life = half_life(delays, accuracy[None], chance=0.1, trained=19)
    np.testing.assert_allclose(life, 69, rtol=1e-3)


def test_half_life_is_interpolated_in_log_delay():
    accuracy = np.array([[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1]])  # from 1 at 100 to 0.1 at 1000: 0.55 half-way
    np.testing.assert_allclose(half_life(DELAYS, accuracy, chance=0.1, trained=19), np.sqrt(100 * 1000))


def test_half_life_is_missing_where_memory_never_fades():
    assert np.isnan(half_life(DELAYS, np.ones((1, 7)), chance=0.1, trained=19)).all()
    assert np.isnan(half_life(DELAYS, np.full((1, 7), 0.1), chance=0.1, trained=19)).all()  # nor was there any


def test_half_life_refuses_a_trained_delay_it_was_not_given():
    with pytest.raises(ValueError, match="delay 18 is not among"):
        half_life(DELAYS, np.ones((1, 7)), chance=0.1, trained=18)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_roll_out_equals_a_separate_run_at_each_delay(make_networks, architecture):
    """The same noise, one run of image, noise and triggered frame for each delay by itself."""
    networks = make_networks(architecture)
    cell, recurrent = networks.spec.cell, networks.spec.cell.split(networks.weights["recurrent"])
    generator = torch.Generator().manual_seed(0)
    trials, delays = 40, [4, 7, 19, 33]
    labels = torch.arange(trials) % 3
    frames = torch.rand(34, 2, trials, 16, generator=generator, dtype=torch.float64)
    drives = [networks.drive(frame) for frame in frames]
    right = roll_out(networks, drives[0], lambda frame: drives[frame], labels, delays)
    some = 0
    for row, delay in enumerate(delays):
        state = cell.initial_state(2, trials, networks.spec.hidden, like=frames)
        for frame in range(delay + 1):
            drive = [d.clone() for d in drives[frame]]
            if frame == delay:
                drive = [d + trigger[:, None] for d, trigger in zip(drive, networks.trigger, strict=True)]
            state, _ = cell.step(drive, state, recurrent)
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
