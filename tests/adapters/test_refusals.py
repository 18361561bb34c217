"""Networks, states and settings that `slow_points_of` and `states_of` refuse, and the error messages."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from slowpoints import Dynamics, slow_points_of, states_of


class Classifier(nn.Module):
    """A network of which the recurrent layer is a part."""

    def __init__(self):
        super().__init__()
        self.rnn, self.readout = nn.GRU(3, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, inputs):
        return self.readout(self.rnn(inputs)[0])


REFUSED = {
    "bidirectional of the module is True": lambda: slow_points_of(nn.GRU(3, 5, bidirectional=True), torch.zeros(1, 10)),
    "inputs have 2 values each; the module takes 3": lambda: slow_points_of(
        nn.GRU(3, 5), torch.zeros(1, 5), torch.ones(2)
    ),
    r"inputs have the shape \(2, 3\); they must be one constant input \[N\]": lambda: slow_points_of(
        nn.GRU(3, 5), torch.zeros(2, 5), torch.ones(2, 3)
    ),
    r"inputs have the shape \(7, 2, 3\)": lambda: slow_points_of(
        lambda inputs, states: states / 2, torch.zeros(2, 3), torch.ones(7, 2, 3)
    ),
    r"the network takes more than states: pass `inputs`, such as torch.zeros\(N\)": lambda: slow_points_of(
        lambda inputs, states: states / 2 + inputs, torch.zeros(2, 3)
    ),
    "states have 5 values each; those of the module have 10, the hidden and cell states": lambda: slow_points_of(
        nn.LSTM(3, 5), torch.zeros(1, 5)
    ),
    r"states have the shape \(0, 5\)": lambda: slow_points_of(nn.GRU(3, 5), torch.zeros(0, 5)),
    "inputs must be finite": lambda: slow_points_of(nn.GRU(3, 5), torch.ones(1, 5), torch.tensor([0, 0, torch.inf])),
    "lets no gradient through": lambda: slow_points_of(torch.no_grad()(torch.tanh), torch.ones(2, 2)),
    "a Linear is none of torch.nn.RNN, GRU, LSTM": lambda: states_of(nn.Linear(3, 3), torch.ones(3, 3)),
    "starts is 0; it must be a whole number": lambda: slow_points_of(torch.tanh, torch.ones(2, 2), starts=0),
    "noise is -1": lambda: slow_points_of(torch.tanh, torch.ones(2, 2), noise=-1),
    "tolerance is nan": lambda: slow_points_of(torch.tanh, torch.ones(2, 2)).unique(math.nan),
    "states must be finite": lambda: slow_points_of(nn.GRU(3, 5), torch.full((1, 5), torch.nan)),
    "inputs have 1 axes; they must have 3": lambda: states_of(nn.GRU(3, 5), torch.zeros(3)),
    "dimensions is 4; it must be 2 or 3": lambda: slow_points_of(torch.tanh, torch.ones(2, 3)).plot(dimensions=4),
    "they cannot be drawn in 3 dimensions": lambda: slow_points_of(torch.tanh, torch.ones(2, 2)).plot(dimensions=3),
    "it returned tuple": lambda: slow_points_of(lambda z: (z, z), torch.ones(2, 2)),
    r"it returned \(2, 1\)": lambda: slow_points_of(lambda z: z[:, :1], torch.ones(2, 2)),
    "for a larger network pass the recurrent layer": lambda: slow_points_of(Classifier(), torch.zeros(1, 5)),
    "in operations of PyTorch, .*; it returned ndarray": lambda: slow_points_of(
        lambda z: np.tanh(z.numpy()), torch.ones(2, 2)
    ),
    "inputs are packed; give them padded": lambda: states_of(
        nn.GRU(3, 5), nn.utils.rnn.pack_sequence([torch.ones(4, 3), torch.ones(2, 3)])
    ),
    "states must be an array of numbers": lambda: slow_points_of(nn.GRU(3, 5), [[0.0] * 5, [0.0]]),
    "states are complex": lambda: slow_points_of(nn.GRU(3, 5), torch.zeros(1, 5, dtype=torch.complex64)),
    "must take states in float64": lambda: slow_points_of(lambda z: z @ torch.eye(2), torch.ones(2, 2)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_invalid_arguments_are_refused(message):
    with pytest.raises((ValueError, TypeError), match=message):
        REFUSED[message]()


def test_networks_of_the_grid_are_searched_by_find_slow_points(make_networks):
    dynamics = Dynamics.of(make_networks())
    with pytest.raises(TypeError, match=r"find_slow_points\(dynamics\.step"):
        slow_points_of(dynamics.step, torch.ones(2, 6))


def test_later_errors_are_not_attributed_to_the_network():
    calls = []

    def tired(states):
        calls.append(states)
        if len(calls) > 3:
            raise MemoryError("no more")
        return torch.tanh(states)

    with pytest.raises(MemoryError, match=r"^no more$"):
        slow_points_of(tired, torch.ones(2, 2))
