"""Pulses and signs of the flip-flop task."""

import pytest
import torch

from slowpoints.task.flip_flop import flip_flop_trials


@pytest.mark.parametrize("bits", [1, 3])
def test_targets_are_the_signs_of_the_last_pulses(bits):
    inputs, targets = flip_flop_trials(50, 40, bits, seed=1)
    assert inputs.shape == targets.shape == (40, 50, bits)
    assert set(inputs.unique().tolist()) == {-1, 0, 1}
    held = inputs[0]
    assert (held != 0).all()  # each channel has a pulse in the first frame
    for pulses, wanted in zip(inputs, targets, strict=True):
        held = torch.where(pulses != 0, pulses, held)
        assert torch.equal(wanted, held)


def test_pulses_come_at_their_rate_of_either_sign():
    inputs, _ = flip_flop_trials(500, 101, seed=2)
    later = inputs[1:]
    n = later.numel()
    assert inputs.shape[2] == 3
    assert later.abs().mean().item() == pytest.approx(0.1, abs=4 * (0.09 / n) ** 0.5)
    assert abs(later.sum()) < 4 * (0.1 * n) ** 0.5
    rare, _ = flip_flop_trials(500, 101, rate=0.01, seed=2)
    assert rare[1:].abs().mean().item() == pytest.approx(0.01, rel=0.1)


def test_a_seed_names_the_trials():
    assert torch.equal(flip_flop_trials(4, 30, seed=5)[0], flip_flop_trials(4, 30, seed=5)[0])
    assert not torch.equal(flip_flop_trials(4, 30, seed=5)[0], flip_flop_trials(4, 30, seed=6)[0])
