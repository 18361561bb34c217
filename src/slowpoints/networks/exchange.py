"""Networks as modules of PyTorch and back, for the recurrent units that `torch.nn` has.

F features, C classes. PyTorch keeps weights transposed, gates in another order, and two biases that add up, but for the
one that the GRU's reset gate multiplies.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from slowpoints.networks.ensemble import Networks


class _Form(NamedTuple):
    """How `torch.nn` has a recurrent unit.

    Attributes:
        layer: the module over a sequence.
        cell: that of one step.
        gates: for each of PyTorch's gates which of ours it is, and the sign of its weights: -1 where one is open when
            the other is closed.
    """

    layer: type[nn.RNN | nn.GRU | nn.LSTM]
    cell: type[nn.RNNCell | nn.GRUCell | nn.LSTMCell]
    gates: tuple[tuple[int, int], ...]


FORMS = {
    "rnn": _Form(nn.RNN, nn.RNNCell, ((0, 1),)),
    "gru-after": _Form(nn.GRU, nn.GRUCell, ((1, 1), (0, -1), (2, 1))),  # r, 1 - z, n
    "lstm": _Form(nn.LSTM, nn.LSTMCell, ((0, 1), (1, 1), (3, 1), (2, 1))),  # i, f, g, o
}
"""Recurrent units that `torch.nn` has, by our name."""


def to_torch(networks: Networks, row: int = 0) -> tuple[nn.RNNBase, nn.Linear]:
    """One network as modules of PyTorch.

    Args:
        networks: whose unit is one of `FORMS`.
        row: which of them.

    Returns:
        `torch.nn.RNN`, `GRU` or `LSTM`, from features and trigger `[T, B, F + 1]`, the trigger last, to hidden states;
        and the readout `torch.nn.Linear` from these to outputs `[..., C + 1]`. A front end stays behind.

    Raises:
        ValueError: if `torch.nn` has no such unit.
    """
    if networks.spec.architecture not in FORMS:
        raise ValueError(f"torch.nn has no unit {networks.spec.architecture!r}; it has {', '.join(FORMS)}")
    form = FORMS[networks.spec.architecture]
    weights = {name: weight[row].detach() for name, weight in networks.weights.items()}
    width = len(form.gates) * networks.spec.hidden
    bias, inside_reset = weights["bias"][:width], weights["bias"][width:]
    layer = form.layer(len(weights["input"]), networks.spec.hidden).to(bias)
    layer.load_state_dict(
        {
            "weight_ih_l0": _theirs(weights["input"], form).T,
            "weight_hh_l0": _theirs(weights["recurrent"], form).T,
            "bias_ih_l0": _theirs(bias, form),
            "bias_hh_l0": torch.cat([bias.new_zeros(width - len(inside_reset)), inside_reset]),
        }
    )
    readout = nn.Linear(*weights["readout"].shape).to(bias)
    readout.load_state_dict({"weight": weights["readout"].T, "bias": weights["readout_bias"]})
    return layer, readout


def from_torch(module: nn.RNNBase | nn.RNNCellBase, readout: nn.Linear | None = None) -> tuple[str, dict[str, Tensor]]:
    """The unit and the weights of a module of PyTorch; of a layer or a cell, with biases or without.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, or one of their cells. Not changed.
        readout: from hidden states to outputs, if its weights are wanted too.

    Returns:
        Name of the recurrent unit, and weights `[1, ...]` by name as in `Networks`, copied; the last input is the
        trigger.

    Raises:
        ValueError: if no unit here computes the same.
    """
    architecture = _architecture(module)
    form = FORMS[architecture]
    suffix = "_l0" if isinstance(module, form.layer) else ""
    # By attribute, not among the parameters: a parametrised weight is worked out from others, a tied one listed once.
    found = {name: getattr(module, name + suffix, None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    stored = {name: weight.detach() for name, weight in found.items() if weight is not None}
    none = stored["weight_ih"].new_zeros(len(stored["weight_ih"]))
    bias, other = stored.get("bias_ih", none), stored.get("bias_hh", none)
    inside_reset = other[:0]
    if architecture == "gru-after":
        outside = 2 * module.hidden_size
        other, inside_reset = other.clone(), other[outside:]
        other[outside:] = 0
    weights = {
        "input": _ours(stored["weight_ih"].T, form),
        "recurrent": _ours(stored["weight_hh"].T, form),
        "bias": torch.cat([_ours(bias + other, form), inside_reset]),
    }
    if readout is not None:
        stored = {name: weight.detach() for name, weight in readout.named_parameters()}
        weights["readout"] = stored["weight"].T.clone()
        weights["readout_bias"] = stored.get("bias", none.new_zeros(readout.out_features)).clone()
    return architecture, {name: weight[None] for name, weight in weights.items()}


def _architecture(module: nn.Module) -> str:
    """Our name of a module's unit.

    Raises:
        ValueError: if no unit here computes the same.
    """
    single = {"num_layers": 1, "bidirectional": False, "proj_size": 0, "nonlinearity": "tanh"}
    for name, wanted in single.items():
        if getattr(module, name, wanted) != wanted:
            raise ValueError(f"{name} of the module is {getattr(module, name)!r}; it must be {wanted!r}")
    for architecture, form in FORMS.items():
        if isinstance(module, (form.layer, form.cell)):
            return architecture
    raise ValueError(f"a {type(module).__name__} is none of torch.nn.RNN, GRU, LSTM and their cells")


def _theirs(columns: Tensor, form: _Form) -> Tensor:
    """Our columns in PyTorch's order and signs."""
    blocks = columns.chunk(len(form.gates), dim=-1)
    return torch.cat([sign * blocks[gate] for gate, sign in form.gates], dim=-1)


def _ours(columns: Tensor, form: _Form) -> Tensor:
    """PyTorch's columns in our order and signs."""
    blocks = zip(columns.chunk(len(form.gates), dim=-1), form.gates, strict=True)
    return torch.cat([sign * block for block, (gate, sign) in sorted(blocks, key=lambda item: item[1])], dim=-1)
