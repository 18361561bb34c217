"""Relaxation paths of maps with closed forms."""

import pytest
import torch

from slowpoints.dynamics.relaxation import RELAXATION_FRAMES, relaxation_path

START = torch.tensor([[1.0, -2.0], [0.5, 4.0]], dtype=torch.float64)


def test_the_path_of_a_linear_map_decays_by_its_powers():
    path = relaxation_path(lambda states: 0.99 * states, START)
    assert path.shape == (6, 2, 2)
    for frame, states in zip(RELAXATION_FRAMES, path, strict=True):
        torch.testing.assert_close(states, 0.99**frame * START)


def test_the_path_starts_at_its_start_takes_any_shape_and_no_gradient():
    rate = torch.tensor(0.9, dtype=torch.float64, requires_grad=True)
    calls = []

    def step(states):
        calls.append(1)
        return rate * states

    path = relaxation_path(step, START[:, None], [0, 2])
    assert torch.equal(path[0], START[:, None])
    assert torch.equal(path[1], 0.9 * (0.9 * START[:, None]))
    assert not path.requires_grad
    assert len(calls) == 2  # no frame beyond the last


@pytest.mark.parametrize("frames", [[], [-1, 3], [5, 5], [20, 10]])
def test_frames_that_do_not_increase_are_refused(frames):
    with pytest.raises(ValueError, match="must increase"):
        relaxation_path(lambda states: states, START, frames)
