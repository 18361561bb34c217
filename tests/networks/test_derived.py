"""Layers and cells whose weights are computed from others are copied with current weights, and not changed."""

import functools

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

from slowpoints import from_torch, slow_points_of, states_of
from slowpoints.networks.derived import plain_copy

DERIVED = {
    "pruned": lambda net, name: prune.l1_unstructured(net, name, 0.5),
    "pruned twice": lambda net, name: [prune.random_unstructured(net, name, 0.3) for _ in range(2)],
    "weight_norm": parametrizations.weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
    "old weight_norm": weight_norm,
    "old spectral_norm": spectral_norm,
}
MODULES = {
    "GRU": lambda: nn.GRU(3, 6),
    "two layers": lambda: nn.GRU(3, 6, num_layers=2),
    "projection": lambda: nn.LSTM(3, 6, proj_size=4),
    "LSTM": lambda: nn.LSTM(3, 6),
    "RNNCell": lambda: nn.RNNCell(3, 6),
}
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]


def output(module, inputs):
    after = module(inputs[:, 0] if isinstance(module, nn.RNNCellBase) else inputs)
    return after[0] if isinstance(after, tuple) else after


def step_of_an_optimiser(module, inputs):
    """Leaves derived weights stored in the module one step old."""
    output(module, inputs).square().sum().backward()
    with torch.no_grad():
        for weight in module.parameters():
            weight -= 0.1 * weight.grad


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("derive", DERIVED)
@pytest.mark.parametrize("kind", MODULES)
def test_a_copy_has_the_weights_of_now_and_the_module_stays(kind, derive, training):
    torch.manual_seed(0)
    module, inputs = MODULES[kind](), torch.randn(4, 2, 3)
    for name in [name for name, _ in module.named_parameters() if "weight_" in name]:
        DERIVED[derive](module, name)
    module.train(training)
    step_of_an_optimiser(module, inputs)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    gradients = [weight.grad.clone() for weight in module.parameters()]
    copied = plain_copy(module)
    states = states_of(module, inputs)
    slow_points_of(module, states, starts=2)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(torch.equal(weight.grad, grad) for weight, grad in zip(module.parameters(), gradients, strict=True))
    assert module.training == training
    assert all(weight.requires_grad for weight in module.parameters())
    assert not list(copied._forward_pre_hooks)
    torch.testing.assert_close(output(copied, inputs), output(module.eval(), inputs))
    if kind in ("GRU", "LSTM", "RNNCell"):
        _, weights = from_torch(module)
        suffix = "" if kind == "RNNCell" else "_l0"
        now = getattr(module, f"weight_hh{suffix}").detach()  # computed when the module ran
        torch.testing.assert_close(weights["recurrent"].abs().sum(), now.abs().sum())


def test_a_module_that_keeps_states_of_a_graph_is_copied():
    class Remembering(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.states = nn.Linear(5, 5), []

        def forward(self, states):
            after = torch.tanh(self.linear(states))
            self.last, self.states = after, [after]
            return after

    network = Remembering()
    network(torch.randn(2, 5))
    assert (slow_points_of(network, torch.randn(20, 5)).kind == "fixed point").all()
    assert len(network.last) == 2


def test_weights_computed_by_a_user_s_hook_are_current():
    module = nn.LSTM(3, 6)
    raw = module.weight_hh_l0.detach().clone()
    del module._parameters["weight_hh_l0"]
    module.register_parameter("raw", nn.Parameter(raw))
    module.weight_hh_l0 = torch.zeros_like(raw)
    module.register_forward_pre_hook(lambda module, _: setattr(module, "weight_hh_l0", 2 * module.raw))
    _, weights = from_torch(module)
    torch.testing.assert_close(weights["recurrent"].abs().sum(), 2 * raw.abs().sum())
    inputs = torch.randn(4, 2, 3)
    states = states_of(module, inputs)
    torch.testing.assert_close(states[..., :6].float(), module(inputs)[0].detach())
    slow_points_of(module, states, starts=2)


def test_a_module_with_hooks_that_change_outputs_is_no_unit():
    module = nn.GRU(3, 6)
    seen = []
    module.register_forward_hook(lambda module, inputs, after: seen.append(after[0].shape))
    assert from_torch(module)[0] == "gru-after"
    module.register_forward_hook(lambda module, inputs, after: (after[0] / 2, after[1] / 2))
    with pytest.raises(ValueError, match="hooks of the module, a GRU, change its inputs or outputs"):
        from_torch(module)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_replaced_forward_is_restored_if_compiled_and_otherwise_refused():
    module, states = nn.GRUCell(3, 6), 2 * torch.rand(4, 6) - 1
    expected = slow_points_of(module, states).state
    own = module.forward
    module.forward = torch.compile(own)
    assert torch.equal(slow_points_of(module, states).state, expected)
    module.forward = lambda inputs, states: own(inputs, states) / 2
    with pytest.raises(ValueError, match="forward of the module, a GRUCell, was replaced"):
        slow_points_of(module, states)
    module.forward = functools.wraps(own)(module.forward)
    with pytest.raises(ValueError, match="forward of the module, a GRUCell, was replaced"):
        slow_points_of(module, states)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_modules_of_torchscript_are_copied():
    cell = nn.GRUCell(3, 6)
    expected = slow_points_of(cell, torch.zeros(2, 6), torch.zeros(3)).state
    scripted = slow_points_of(torch.jit.script(cell), torch.zeros(2, 6), torch.zeros(3)).state
    torch.testing.assert_close(scripted, expected)


def test_a_derived_readout_is_the_one_of_now():
    readout = nn.utils.parametrizations.weight_norm(nn.Linear(6, 2))
    _, weights = from_torch(nn.GRU(3, 6), readout)
    torch.testing.assert_close(weights["readout"][0].T, readout.weight.detach())


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda: nn.GRU(3, 6, device="meta"), "is on the device meta"),
        (
            lambda: nn.GRU(3, 6).requires_grad_(False).apply(lambda each: each.weight_hh_l0.fill_(torch.nan)),
            "not finite",
        ),
    ],
)
def test_weights_without_finite_values_are_refused(module, message):
    with pytest.raises(ValueError, match=message):
        from_torch(module())


def test_a_subclass_with_its_own_forward_is_no_unit():
    class Leaky(nn.RNNCell):
        def forward(self, inputs, states):
            return 0.9 * states + 0.1 * super().forward(inputs, states)

    with pytest.raises(ValueError, match="a Leaky overrides the forward of"):
        from_torch(Leaky(3, 6))


def test_a_lazy_module_must_have_run():
    with pytest.raises(ValueError, match="weight of the module is not initialised yet"):
        slow_points_of(nn.LazyLinear(5), torch.randn(4, 5))
