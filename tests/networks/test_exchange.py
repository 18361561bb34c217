"""Conversion between networks and modules of PyTorch: equal outputs, and exact round trips."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from slowpoints.networks.ensemble import Networks
from slowpoints.networks.exchange import FORMS, from_torch, to_torch
from slowpoints.networks.recurrence.unroll import unroll

FRAMES, TRIALS, INPUTS, HIDDEN = 30, 4, 17, 6
LAYERS = {"rnn": nn.RNN, "gru-after": nn.GRU, "lstm": nn.LSTM}
CELLS = {"rnn": nn.RNNCell, "gru-after": nn.GRUCell, "lstm": nn.LSTMCell}


@pytest.fixture
def inputs():
    """Features and trigger `[T, B, F + 1]`."""
    generator = torch.Generator().manual_seed(2)
    return torch.randn(FRAMES, TRIALS, INPUTS, generator=generator, dtype=torch.float64)


def outputs(networks: Networks, inputs: torch.Tensor) -> torch.Tensor:
    """Outputs `[S, T, B, C + 1]`, the trigger being the last input."""
    rows = inputs.flatten(0, 1).expand(len(networks), -1, -1)
    drives = zip(networks.drive(rows[..., :-1]), networks.trigger, strict=True)
    tables = [drive + rows[..., -1:] * trigger[:, None] for drive, trigger in drives]
    index = torch.arange(FRAMES * TRIALS).view(FRAMES, 1, TRIALS).expand(-1, len(networks), -1)
    hidden = unroll(networks.spec.unit, tables, index, networks.weights["recurrent"])
    return networks.logits(hidden.transpose(0, 1).flatten(1, 2)).unflatten(1, (FRAMES, TRIALS))


@pytest.mark.parametrize("architecture", FORMS)
def test_a_network_computes_the_same_in_torch_and_comes_back_bit_for_bit(make_networks, inputs, architecture):
    networks = make_networks(architecture, seeds=(0, 1))
    networks.weights["bias"].mul_(50)  # as large as those of trained networks
    ours = outputs(networks, inputs)
    for row in range(2):
        layer, readout = to_torch(networks, row)
        assert type(layer) is LAYERS[architecture]
        torch.testing.assert_close(readout(layer(inputs)[0]), ours[row], atol=1e-12, rtol=0)
        name, weights = from_torch(layer, readout)
        assert name == architecture
        assert weights.keys() == networks.weights.keys()
        assert all(torch.equal(weight[0], networks.weights[name][row]) for name, weight in weights.items())


@pytest.mark.parametrize("architecture", FORMS)
@pytest.mark.parametrize("bias", [True, False])
def test_a_module_of_torch_computes_the_same_here(spec, inputs, architecture, bias):
    """With PyTorch's own initial weights, where both biases of every gate differ from 0."""
    torch.manual_seed(0)
    layer = LAYERS[architecture](INPUTS, HIDDEN, bias=bias).double()
    cell = CELLS[architecture](INPUTS, HIDDEN, bias=bias).double()
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in layer.state_dict().items()})
    readout = nn.Linear(HIDDEN, 4, bias=bias).double()
    expected = readout(layer(inputs)[0])
    for module in (layer, cell):
        name, weights = from_torch(module, readout)
        networks = Networks(replace(spec, architecture=name), (0,), weights)
        torch.testing.assert_close(outputs(networks, inputs)[0], expected, atol=1e-12, rtol=0)
        assert {key: weight.shape[1:] for key, weight in weights.items()} == networks.spec.shapes()


def test_weights_from_torch_are_copies():
    layer, readout = nn.RNN(3, 2), nn.Linear(2, 2)
    before = [weight.detach().clone() for module in (layer, readout) for weight in module.parameters()]
    for weight in from_torch(layer, readout)[1].values():
        weight.zero_()
    after = [weight for module in (layer, readout) for weight in module.parameters()]
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.GRU(3, 2, num_layers=2), "num_layers of the module is 2; it must be 1"),
        (nn.LSTM(3, 2, bidirectional=True), "bidirectional of the module is True"),
        (nn.LSTM(3, 2, proj_size=1), "proj_size of the module is 1"),
        (nn.RNN(3, 2, nonlinearity="relu"), "nonlinearity of the module is 'relu'; it must be 'tanh'"),
        (nn.RNNCell(3, 2, nonlinearity="relu"), "nonlinearity of the module is 'relu'; it must be 'tanh'"),
        (nn.Linear(3, 2), "a Linear is none of torch.nn.RNN, GRU, LSTM and their cells"),
    ],
)
def test_modules_that_no_unit_equals_are_refused(module, message):
    with pytest.raises(ValueError, match=message):
        from_torch(module)


def test_units_that_torch_lacks_are_refused(make_networks):
    with pytest.raises(ValueError, match=r"torch\.nn has no unit 'gru'; it has rnn, gru-after, lstm"):
        to_torch(make_networks("gru"))
