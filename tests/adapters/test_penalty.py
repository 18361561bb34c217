"""The penalty on drifting memories: values and gradients against NumPy and closed forms, and its side effects."""

import copy
import io
import os
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from slowpoints import RelaxationPenalty, states_of
from slowpoints.adapters.evaluation import Network
from slowpoints.dynamics.relaxation import relaxation_path

DOUBLE = torch.float64
FRAMES = (0, 2, 5)
MODULES = {
    "RNN": lambda **more: nn.RNN(2, 3, **more),
    "GRU": lambda **more: nn.GRU(2, 3, **more),
    "LSTM": lambda **more: nn.LSTM(2, 3, **more),
    "RNNCell": lambda **more: nn.RNNCell(2, 3, **more),
    "GRUCell": lambda **more: nn.GRUCell(2, 3, **more),
    "LSTMCell": lambda **more: nn.LSTMCell(2, 3, **more),
    "relu": lambda **more: nn.RNN(2, 3, nonlinearity="relu", **more),
    "layers": lambda **more: nn.GRU(2, 3, num_layers=2, dropout=0.5, batch_first=True, **more),
    "projected": lambda **more: nn.LSTM(2, 3, num_layers=2, proj_size=2, **more),
}
INPUTS = torch.tensor([0.3, -0.8], dtype=DOUBLE)
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def seeded(kind, dtype=DOUBLE):
    torch.manual_seed(3)
    module = MODULES[kind](dtype=dtype)
    for weight in module.parameters():
        nn.init.normal_(weight, std=0.8)
    return module


def starts(module, trials=4):
    """States of some trials, from which memories start."""
    inputs = torch.randn(6, trials, 2, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    return states_of(module, inputs.transpose(0, 1) if getattr(module, "batch_first", False) else inputs)[-1]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def frame(kind, weights, x, z):
    """One frame in NumPy, as in PyTorch's documentation: states `[B, n]`."""
    w_in, w_rec, b_in, b_rec = weights
    hidden = w_rec.shape[1]
    h, c = z[:, :hidden], z[:, hidden:]
    drive, back = x @ w_in.T + b_in, h @ w_rec.T + b_rec
    if kind == "RNN":
        return np.tanh(drive + back)
    if kind == "GRU":
        (r, u, n), (back_r, back_u, back_n) = np.split(drive, 3, -1), np.split(back, 3, -1)
        r, u = sigmoid(r + back_r), sigmoid(u + back_u)
        return (1 - u) * np.tanh(n + r * back_n) + u * h
    i, f, g, o = np.split(drive + back, 4, 1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return np.concatenate([sigmoid(o) * np.tanh(c), c], 1)


def penalised(kind, weights, x, points):
    """Sum of squared speeds of states `[P, n]`, in NumPy."""

    def measured(z):
        return np.concatenate([z[:, :3], np.tanh(z[:, 3:])], 1)

    return ((measured(frame(kind, weights, x, points)) - measured(points)) ** 2).sum()


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_value_and_gradient_are_those_of_numpy(kind):
    module = seeded(kind)
    weights = [weight.detach().numpy().copy() for weight in module.parameters()]
    states, x = starts(module), INPUTS.numpy()
    z, points = states.numpy(), []
    for number in range(FRAMES[-1] + 1):
        points += [z] if number in FRAMES else []
        z = frame(kind, weights, x, z)
    points = np.concatenate(points)
    value = RelaxationPenalty(module, INPUTS, FRAMES)(states)
    value.backward()
    assert value.item() == pytest.approx(penalised(kind, weights, x, points), rel=1e-12)
    for parameter, array in zip(module.parameters(), weights, strict=True):
        for place in np.ndindex(array.shape):
            values, before = [], array[place]
            for change in (-1e-6, 1e-6):
                array[place] = before + change
                values.append(penalised(kind, weights, x, points))
            array[place] = before
            assert parameter.grad[place].item() == pytest.approx((values[1] - values[0]) / 2e-6, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("kind", MODULES)
def test_the_gradient_is_that_of_finite_differences_at_the_states_of_the_path(kind):
    module = seeded(kind)
    penalty, states = RelaxationPenalty(module, INPUTS, FRAMES, every=10**6), starts(module)
    torch.autograd.backward(penalty(states))
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        direction = torch.randn(parameter.shape, generator=generator, dtype=DOUBLE)
        values = []
        with torch.no_grad():
            for change in (-1e-6, 1e-6):
                parameter += change * direction
                values.append(penalty(states).item())
                parameter -= change * direction
        assert (parameter.grad * direction).sum().item() == pytest.approx((values[1] - values[0]) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("form", ["module", "method", "function", "states alone"])
def test_of_a_linear_network_it_is_known(form):
    """F(z) = z / 2 + b: from z = 2 b + d a path leads to 2 b + d / 2^t, where the speed is |d| / 2^(t + 1)."""

    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = nn.Parameter(torch.tensor([1.0, 2.0], dtype=DOUBLE))

        def forward(self, inputs, states):
            return states / 2 + self.bias + inputs

        def step(self, inputs, states):
            return self(inputs, states)

    network = Linear()
    forms = {
        "module": (network, torch.zeros(2)),
        "method": (network.step, torch.zeros(2)),
        "function": (lambda inputs, states: network(inputs, states), torch.zeros(2)),
        "states alone": (lambda states: network(0, states), None),
    }
    d = torch.tensor([[3.0, 4.0], [0.0, 1.0]], dtype=DOUBLE)
    value = RelaxationPenalty(*forms[form], FRAMES)(2 * network.bias.detach() + d)
    value.backward()
    shares = np.array([2.0 ** -(t + 1) for t in FRAMES])
    assert value.item() == pytest.approx((25 + 1) * (shares**2).sum())
    # d speed^2 / d b = 2 (F(z) - z) = -d / 2^t
    assert network.bias.grad.tolist() == pytest.approx((-2 * shares.sum() * d.sum(0)).tolist())


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
@pytest.mark.parametrize("kind", MODULES)
def test_nothing_but_gradients_of_the_weights_is_changed(kind, dtype):
    module = seeded(kind, dtype)
    states = starts(module).requires_grad_()
    weights, random = copy.deepcopy(module.state_dict()), torch.get_rng_state()
    attributes = {name: id(value) for name, value in vars(module).items()}
    value = RelaxationPenalty(module, INPUTS, FRAMES)(states)
    assert value.dtype == dtype
    assert value.shape == ()
    value.backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in module.parameters())
    assert states.grad is None
    assert module.training
    assert torch.equal(torch.get_rng_state(), random)
    assert attributes == {name: id(value) for name, value in vars(module).items()}
    for name, weight in module.state_dict().items():
        assert torch.equal(weight, weights[name])


class Own(nn.Module):
    """A network with state that evaluation must not change: dropout, running statistics, spectral norm, counter."""

    def __init__(self):
        super().__init__()
        self.first, self.drop = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3)), nn.Dropout(0.5)
        self.norm, self.calls = nn.BatchNorm1d(3), 0
        self.second = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))

    def forward(self, inputs, states):
        self.calls += 1
        return torch.tanh(self.norm(self.drop(self.first(states) + self.second(inputs))))


def test_a_network_of_ones_own_runs_in_evaluation_and_is_left_as_it_is():
    torch.manual_seed(0)
    network = Own()
    states, inputs = torch.randn(5, 3), torch.randn(2)
    before, random = copy.deepcopy(network.state_dict()), torch.get_rng_state()
    penalty = RelaxationPenalty(network, inputs, FRAMES)
    value = penalty(states)
    value.backward()
    assert network.training
    assert all(part.training for part in network.modules())
    assert network.calls == 0
    assert torch.equal(torch.get_rng_state(), random)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(weight.grad is not None for weight in network.parameters())
    still, z, wanted = copy.deepcopy(network).eval(), states, 0.0
    with torch.no_grad():
        for number in range(FRAMES[-1] + 1):
            after = still(inputs.expand(5, -1), z)
            wanted += (after - z).square().sum().item() if number in FRAMES else 0
            z = after
    assert value.item() == pytest.approx(wanted)


def test_a_derived_weight_passes_the_gradient_on():
    torch.manual_seed(0)
    module = nn.utils.parametrizations.orthogonal(nn.GRU(2, 3), "weight_hh_l0")
    RelaxationPenalty(module, [0.1, 0.2], FRAMES)(torch.rand(4, 3)).backward()
    assert module.parametrizations.weight_hh_l0.original.grad.abs().sum() > 0


def train(module, weight, steps=5, resume=None):
    """A few steps on random sequences, and the checkpoint after three of them."""
    optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
    penalty, states = RelaxationPenalty(module, INPUTS, FRAMES, every=2), torch.linspace(-1, 1, 12).view(4, 3)
    first, saved = 0, None
    if resume:
        first, (weights, moments, path) = 3, torch.load(resume, weights_only=True)
        module.load_state_dict(weights)
        optimiser.load_state_dict(moments)
        penalty.load_state_dict(path)
    for step in range(first, steps):
        if step == 3:
            saved = io.BytesIO()
            torch.save([module.state_dict(), optimiser.state_dict(), penalty.state_dict()], saved)
            saved.seek(0)
        inputs = torch.randn(6, 4, 2, generator=torch.Generator().manual_seed(step), dtype=DOUBLE)
        loss = module(inputs)[0].square().mean()
        if weight is not None:
            loss = loss + weight * penalty(states)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return torch.nn.utils.parameters_to_vector(module.parameters()), saved


def test_weight_zero_leaves_training_as_it_was_to_the_bit():
    assert torch.equal(train(seeded("GRU"), None)[0], train(seeded("GRU"), 0.0)[0])
    assert not torch.equal(train(seeded("GRU"), None)[0], train(seeded("GRU"), 1.0)[0])


def test_training_goes_on_from_a_checkpoint_to_the_same_bits():
    """The checkpoint lies between two searches for the path, so it must contain the path."""
    weights, saved = train(seeded("GRU"), 1.0)
    assert torch.equal(train(seeded("GRU"), 1.0, resume=saved)[0], weights)


def test_training_with_it_slows_memories_down():
    module = seeded("LSTM", torch.float32)
    penalty, states = RelaxationPenalty(module, INPUTS, FRAMES, every=10), starts(module)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
    values = []
    for _ in range(100):
        value = penalty(states)
        values.append(value.item())
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    assert values[-1] < values[0] / 20


def test_the_path_is_sought_anew_every_so_many_calls():
    module = seeded("GRU")
    penalty, states = RelaxationPenalty(module, INPUTS, FRAMES, every=3), starts(module)
    paths = []
    for shift in range(7):
        penalty(states + 0.01 * shift)
        paths.append(penalty.path.clone())
    changed = [not torch.equal(one, other) for one, other in pairwise(paths)]
    assert changed == [False, False, True, False, False, True]
    assert torch.equal(paths[3][0], states + 0.03)
    assert paths[0].shape == (len(FRAMES), *states.shape)
    each = RelaxationPenalty(module, INPUTS, FRAMES, every=1)
    assert each(states).item() != each(states[:2]).item()


@pytest.mark.parametrize("kind", MODULES)
def test_its_path_is_the_relaxation_path_of_single_frames(kind):
    module = seeded(kind)
    states, penalty = starts(module), RelaxationPenalty(module, INPUTS, (0, 1, 7, 300))
    penalty(states)
    wanted = relaxation_path(Network(module, INPUTS).step(states), states, penalty.frames)
    torch.testing.assert_close(penalty.path, wanted)


def test_the_states_of_an_lstm_may_be_a_pair():
    module = seeded("LSTM")
    states = starts(module)
    value = RelaxationPenalty(module, INPUTS, FRAMES)(states)
    assert torch.equal(RelaxationPenalty(module, INPUTS, FRAMES)(tuple(states.split(3, dim=1))), value)
    assert torch.equal(RelaxationPenalty(module, INPUTS, FRAMES)(states.numpy()), value)


def test_autocast_does_not_round_it():
    module = seeded("GRU", torch.float32)
    states = starts(module)
    wanted = RelaxationPenalty(module, INPUTS, FRAMES)(states)
    with torch.autocast("cpu", torch.bfloat16):
        value = RelaxationPenalty(module, INPUTS, FRAMES)(states)
    assert torch.equal(value, wanted)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, of what it imports to compile
@pytest.mark.parametrize("whole", [False, True])
def test_a_compiled_module_or_training_step(whole):
    module = seeded("GRU", torch.float32)
    states = starts(module)
    wanted = RelaxationPenalty(module, INPUTS, FRAMES)(states)
    if not whole:
        compiled = torch.compile(module, backend="eager")
        assert torch.equal(RelaxationPenalty(compiled, INPUTS, FRAMES)(states), wanted)
        return
    penalty = RelaxationPenalty(module, INPUTS, FRAMES)

    @torch.compile(backend="eager")
    def loss(sequences, states):
        return module(sequences)[0].square().mean() + 2 * penalty(states)

    sequences = torch.randn(5, 4, 2)
    torch.testing.assert_close(loss(sequences, states), module(sequences)[0].square().mean() + 2 * wanted)


@pytest.fixture
def process_group(tmp_path):
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("process_group")
def test_distributed_training_reduces_its_gradients_with_the_others():
    alone = seeded("GRU", torch.float32)
    module = nn.parallel.DistributedDataParallel(seeded("GRU", torch.float32))
    sequences, states = torch.randn(5, 4, 2), starts(alone)
    handed = []  # to the reducer, of each bucket
    module.register_comm_hook(None, lambda _, bucket: _as_it_is(handed, bucket))
    for network in (alone, module):
        (network(sequences)[0].square().mean() + 2 * RelaxationPenalty(network, INPUTS, FRAMES)(states)).backward()
    for one, other in zip(alone.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    reduced = torch.cat(handed).sort().values
    torch.testing.assert_close(reduced, torch.cat([w.grad.flatten() for w in alone.parameters()]).sort().values)


def _as_it_is(handed, bucket):
    handed.append(bucket.buffer().clone())
    future = torch.futures.Future()
    future.set_result(bucket.buffer())
    return future


class Noisy(nn.Module):
    """A cell with noise inside."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(3))

    def forward(self, states):
        return torch.tanh(states @ self.weight) + 0.01 * torch.randn_like(states)


def with_nan(module, name):
    with torch.no_grad():
        dict(module.named_parameters())[name].view(-1)[0] = torch.nan
    return module


def test_a_weight_that_is_not_finite_is_named_also_while_the_path_is_kept():
    module = seeded("GRU")
    penalty, states = RelaxationPenalty(module, INPUTS, FRAMES, every=100), starts(module)
    penalty(states)
    with_nan(module, "bias_hh_l0")
    with pytest.raises(ValueError, match="bias_hh_l0 of the module is not finite, so neither is the penalty"):
        penalty(states)


def saved(module, inputs=INPUTS, **settings):
    penalty = RelaxationPenalty(module, inputs, FRAMES, **settings)
    penalty(torch.zeros(4, module.hidden_size, dtype=DOUBLE))
    return penalty.state_dict()


class Weightless(nn.Module):
    def forward(self, states):
        return states / 2


def frozen():
    return seeded("GRU").requires_grad_(False)


def unbounded():
    module = MODULES["relu"]()
    nn.init.constant_(module.weight_hh_l0, 1e9)
    return module


GRU = seeded("GRU")
REFUSED = {
    "a Weightless, has no weight that requires a gradient": lambda: RelaxationPenalty(Weightless()),
    "a GRU, has no weight that requires a gradient": lambda: RelaxationPenalty(frozen()),
    "weights of the module are bfloat16": lambda: RelaxationPenalty(seeded("GRU", torch.bfloat16)),
    "module is a str": lambda: RelaxationPenalty("gru"),
    "bidirectional": lambda: RelaxationPenalty(nn.GRU(2, 3, bidirectional=True)),
    "inputs have 3 values each; the module takes 2": lambda: RelaxationPenalty(GRU, torch.zeros(3)),
    r"inputs have the shape \(5, 2\)": lambda: RelaxationPenalty(GRU, torch.zeros(5, 2)),
    "inputs must be finite": lambda: RelaxationPenalty(GRU, [0.0, np.nan]),
    "each of frames is -1": lambda: RelaxationPenalty(GRU, INPUTS, (-1, 5)),
    r"frames is \[\]": lambda: RelaxationPenalty(GRU, INPUTS, ()),
    "every is 0": lambda: RelaxationPenalty(GRU, INPUTS, every=0),
    "states must be finite": lambda: RelaxationPenalty(GRU)(torch.full((4, 3), torch.nan)),
    "states have 4 values each; those of the module have 3": lambda: RelaxationPenalty(GRU)(torch.zeros(4, 4)),
    r"states have the shape \(2, 4, 3\)": lambda: RelaxationPenalty(GRU)(torch.zeros(2, 4, 3)),
    "states are on the device meta": lambda: RelaxationPenalty(GRU)(torch.zeros(4, 3, device="meta")),
    "the path from these states is not finite": lambda: RelaxationPenalty(unbounded())(torch.ones(4, 3)),
    "no weight of the module takes part": lambda: RelaxationPenalty(lambda z: z / 2)(torch.ones(4, 3)),
    "the network must return the next states": lambda: RelaxationPenalty(nn.Linear(3, 2))(torch.ones(4, 3)),
    "the network gives different values for the same states in another call; it is random": lambda: RelaxationPenalty(
        Noisy()
    )(torch.ones(1, 3)),
    "the network takes more than states: pass `inputs`": lambda: RelaxationPenalty(nn.Bilinear(3, 3, 3))(
        torch.ones(4, 3)
    ),
    "weight_hh_l0 of the module is not finite": lambda: RelaxationPenalty(with_nan(seeded("GRU"), "weight_hh_l0"))(
        torch.ones(4, 3)
    ),
    r"inputs of the state is \[0.3, -0.8\], of this penalty \[0.0, 0.0\]": lambda: RelaxationPenalty(
        GRU, None, FRAMES
    ).load_state_dict(saved(GRU)),
    "every of the state is 100, of this penalty 7": lambda: RelaxationPenalty(
        GRU, INPUTS, FRAMES, every=7
    ).load_state_dict(saved(GRU)),
    r"path of the state has the shape \(3, 4, 5\); .* it must have \[3, B, 3\]": lambda: RelaxationPenalty(
        GRU, INPUTS, FRAMES
    ).load_state_dict(saved(nn.GRU(2, 5, dtype=DOUBLE))),
    "state is a list": lambda: RelaxationPenalty(GRU).load_state_dict([]),
    r"state has the keys \['calls'\]": lambda: RelaxationPenalty(GRU).load_state_dict({"calls": 0}),
    "state has 3 calls and no path": lambda: RelaxationPenalty(GRU).load_state_dict({"path": None, "calls": 3}),
    r"path of the state has the shape \(2, 4, 3\)": lambda: RelaxationPenalty(GRU, INPUTS, FRAMES).load_state_dict(
        {"path": torch.zeros(2, 4, 3), "calls": 1}
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused(message):
    with pytest.raises((TypeError, ValueError), match=message):
        REFUSED[message]()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no second device")
def test_states_on_another_device_are_refused():
    with pytest.raises(ValueError, match="states are on cpu, the weights of the module on cuda:0"):
        RelaxationPenalty(seeded("GRU").cuda(), INPUTS)(torch.zeros(4, 3))
