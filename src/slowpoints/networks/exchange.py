"""Conversion of networks to modules of PyTorch and back, for the recurrent units that `torch.nn` has.

F features, C classes. PyTorch stores weights transposed, gates in another order, and two biases, which only add up
except where the GRU's reset gate multiplies one of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slowpoints.core.arguments import instance, whole_number
from slowpoints.core.torch_modes import usual_modes
from slowpoints.networks.derived import plain_copy
from slowpoints.networks.ensemble import Networks


class _Form(NamedTuple):
    """A recurrent unit in `torch.nn`.

    Attributes:
        layer: the module for sequences.
        cell: the module for one step.
        gates: for each of PyTorch's gates the index of ours, and the sign of its weights: -1 for one minus our gate.
    """

    layer: type[nn.RNN | nn.GRU | nn.LSTM]
    cell: type[nn.RNNCell | nn.GRUCell | nn.LSTMCell]
    gates: tuple[tuple[int, int], ...]


FORMS = {
    "rnn": _Form(nn.RNN, nn.RNNCell, ((0, 1),)),
    "gru-after": _Form(nn.GRU, nn.GRUCell, ((1, 1), (0, -1), (2, 1))),  # r, 1 - z, n
    "lstm": _Form(nn.LSTM, nn.LSTMCell, ((0, 1), (1, 1), (3, 1), (2, 1))),  # i, f, g, o
}
"""By our name of the unit."""


@usual_modes()
def to_torch(networks: Networks, row: int = 0) -> tuple[nn.RNNBase, nn.Linear]:
    """One network as modules of PyTorch.

    Args:
        networks: whose unit is one of `FORMS`.
        row: index of the network.

    Returns:
        `torch.nn.RNN`, `GRU` or `LSTM`, from features and trigger `[T, B, F + 1]`, the trigger last, to hidden states;
        and the readout `torch.nn.Linear` from these to outputs `[..., C + 1]`. A front end is left out.

    Raises:
        ValueError: if `torch.nn` has no such unit, or there is no such row.
        TypeError: if `networks` is not a `Networks`.
    """
    instance(networks, Networks, "networks", " (load_networks)")
    row = whole_number(row, "row")
    if row >= len(networks):
        raise ValueError(f"row is {row}; there are {len(networks)} networks")
    if networks.spec.architecture not in FORMS:
        raise ValueError(f"torch.nn has no unit {networks.spec.architecture!r}; it has {', '.join(FORMS)}")
    form = FORMS[networks.spec.architecture]
    weights = {name: weight[row].detach() for name, weight in networks.weights.items()}
    width = len(form.gates) * networks.spec.hidden
    bias, reset_bias = weights["bias"][:width], weights["bias"][width:]
    layer = _blank(form.layer, len(weights["input"]), networks.spec.hidden, like=bias)
    layer.load_state_dict(
        {
            "weight_ih_l0": _theirs(weights["input"], form).T,
            "weight_hh_l0": _theirs(weights["recurrent"], form).T,
            "bias_ih_l0": _theirs(bias, form),
            "bias_hh_l0": torch.cat([bias.new_zeros(width - len(reset_bias)), reset_bias]),
        }
    )
    readout = _blank(nn.Linear, *weights["readout"].shape, like=bias)
    readout.load_state_dict({"weight": weights["readout"].T, "bias": weights["readout_bias"]})
    return layer, readout


@usual_modes()
def from_torch(module: nn.RNNBase | nn.RNNCellBase, readout: nn.Linear | None = None) -> tuple[str, dict[str, Tensor]]:
    """The unit and the weights of a module of PyTorch, a layer or a cell, with or without biases.

    Weights that are computed from others (`weight_norm`, `spectral_norm`, `orthogonal`, pruning) are returned as the
    module would use them now, in evaluation mode.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, or one of their cells. Not changed.
        readout: from hidden states to outputs, whose weights are then returned, too.

    Returns:
        Name of the recurrent unit, and weights `[1, ...]` by name as in `Networks`, copied; the last input is the
        trigger.

    Raises:
        ValueError: if no unit here is equivalent, or the readout does not fit.
        TypeError: if the readout is not a `torch.nn.Linear`.
    """
    architecture = _architecture(module)
    if readout is not None:
        _check_readout(readout, module.hidden_size)
    return architecture, {name: weight[None] for name, weight in _weights(architecture, module, readout).items()}


def _weights(architecture: str, module: nn.RNNBase | nn.RNNCellBase, readout: nn.Linear | None) -> dict[str, Tensor]:
    """Weights by name, of one network."""
    form, plain = FORMS[architecture], plain_copy(module)
    _run_hooks(plain)
    suffix = "_l0" if isinstance(module, form.layer) else ""
    # By attribute, since a tied weight is listed only once among the parameters.
    named = {name: getattr(plain, name + suffix, None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    stored = {name: weight.detach() for name, weight in named.items() if weight is not None}
    zero = stored["weight_ih"].new_zeros(len(stored["weight_ih"]))
    input_bias, recurrent_bias = stored.get("bias_ih", zero), stored.get("bias_hh", zero)
    reset_bias = recurrent_bias[:0]
    if architecture == "gru-after":  # whose reset gate multiplies the recurrent bias of the new state
        gates = 2 * module.hidden_size
        recurrent_bias, reset_bias = recurrent_bias.clone(), recurrent_bias[gates:]
        recurrent_bias[gates:] = 0
    weights = {
        "input": _ours(stored["weight_ih"].T, form),
        "recurrent": _ours(stored["weight_hh"].T, form),
        "bias": torch.cat([_ours(input_bias + recurrent_bias, form), reset_bias]),
    }
    if readout is not None:
        stored = dict(plain_copy(readout).named_parameters())
        weights["readout"] = stored["weight"].detach().T.clone()
        weights["readout_bias"] = stored.get("bias", zero.new_zeros(readout.out_features)).detach().clone()
    return weights


@torch.no_grad()
def _run_hooks(module: nn.RNNBase | nn.RNNCellBase) -> None:
    """Runs a user's hooks on a copied module, so that they update its weights as before a frame.

    Raises:
        ValueError: if they also change inputs or outputs, so that the module is not equivalent to a unit.
    """
    if not (module._forward_hooks or module._forward_pre_hooks):
        return
    weight = next(module.parameters())
    inputs = torch.linspace(-1, 1, module.input_size, dtype=weight.dtype, device=weight.device)[None]
    if not _same(module(inputs), type(module).forward(module, inputs)):
        raise ValueError(f"hooks of the module, a {type(module).__name__}, change its inputs or outputs")


def _same(outputs: Any, others: Any) -> bool:
    """Whether outputs of a module, tensors or tuples of them, are close."""
    if isinstance(outputs, Tensor) and isinstance(others, Tensor):
        return outputs.shape == others.shape and torch.allclose(outputs, others)
    return isinstance(outputs, tuple) and isinstance(others, tuple) and all(map(_same, outputs, others))


def _blank(module_class: type[nn.Module], *sizes: int, like: Tensor) -> Any:
    """A module with the tensor's device and data type, without drawing random weights."""
    return module_class(*sizes, device="meta", dtype=like.dtype).to_empty(device=like.device)


def _check_readout(readout: nn.Linear, hidden: int) -> None:
    instance(readout, nn.Linear, "readout", " (torch.nn.Linear)")
    if readout.in_features != hidden:
        raise ValueError(f"readout takes {readout.in_features} features; the module has {hidden} hidden units")


def _architecture(module: nn.Module) -> str:
    """Our name of a module's unit.

    Raises:
        ValueError: if no unit here is equivalent.
    """
    single = {"num_layers": 1, "bidirectional": False, "proj_size": 0, "nonlinearity": "tanh"}
    for name, required in single.items():
        if getattr(module, name, required) != required:
            raise ValueError(f"{name} of the module is {getattr(module, name)!r}; it must be {required!r}")
    for architecture, form in FORMS.items():
        for base in (form.layer, form.cell):
            if isinstance(module, base):
                if type(module).forward is not base.forward:
                    raise ValueError(f"a {type(module).__name__} overrides the forward of {base.__name__}")
                return architecture
    raise ValueError(f"a {type(module).__name__} is none of torch.nn.RNN, GRU, LSTM and their cells")


def _theirs(columns: Tensor, form: _Form) -> Tensor:
    """Our columns in PyTorch's order and with its signs."""
    gates = columns.chunk(len(form.gates), dim=-1)
    return torch.cat([sign * gates[index] for index, sign in form.gates], dim=-1)


def _ours(columns: Tensor, form: _Form) -> Tensor:
    """PyTorch's columns in our order and with our signs."""
    gates = zip(columns.chunk(len(form.gates), dim=-1), form.gates, strict=True)
    return torch.cat([sign * gate for gate, (_, sign) in sorted(gates, key=lambda item: item[1])], dim=-1)
