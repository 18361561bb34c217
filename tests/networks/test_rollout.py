"""Roll-outs of networks after an image, frame by frame."""

import pytest
import torch

from slowpoints.networks.rollout import fresh_noise, next_states, roll_out


@pytest.mark.parametrize("architecture", ["gru", "lstm", "gru-after"])
def test_each_frame_goes_on_from_the_one_before(make_networks, architecture):
    networks = make_networks(architecture)
    unit, recurrent = networks.spec.unit, networks.spec.unit.split_recurrent(networks.weights["recurrent"])
    images = torch.rand(5, 2, 3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    asked = []

    def noise(frame):
        asked.append(frame)
        return networks.drive(images[frame])

    frames = list(roll_out(networks, networks.drive(images[0]), noise, 5))
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4]
    assert asked == [1, 2, 3, 4]  # the image stands at frame 0
    state = unit.initial_state(2, 3, 6, like=images)
    for frame, pixels in zip(frames, images, strict=True):
        assert all(torch.equal(*pair) for pair in zip(frame.before, state, strict=True))
        before = torch.cat(state, dim=-1)
        state, _ = unit.step(networks.drive(pixels), state, recurrent)
        assert all(torch.equal(*pair) for pair in zip(frame.after, state, strict=True))
        assert torch.equal(frame.flat, torch.cat(state, dim=-1))
        assert torch.equal(next_states(networks, frame.drives, before), frame.flat)


def test_fresh_noise_is_that_of_the_data_set_unless_scaled(make_networks):
    networks = make_networks(double=False)
    drawn = networks.noise(networks.streams("some"), torch.empty(2, 500, 16))
    for ours, expected in zip(fresh_noise(networks, 500, "some")(1), networks.drive(drawn), strict=True):
        torch.testing.assert_close(ours, expected)
