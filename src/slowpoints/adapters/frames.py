"""One frame of a network that was trained elsewhere, on flat states, in float64.

P states of n coordinates: the hidden states of all layers side by side, then, for an LSTM, their cell states.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.residual import Map, Residual
from slowpoints.dynamics.speed import StepResidual
from slowpoints.networks.exchange import from_torch
from slowpoints.networks.units import unit_named

Module = nn.Module | Callable[..., Tensor]
"""`torch.nn.RNN`, `GRU`, `LSTM`, one of their cells, or any callable from states, or inputs and states, to states."""


class Frozen(NamedTuple):
    """A network under a constant input.

    Attributes:
        step: one frame, `[P, n]` to `[P, n]`.
        residual: step(z) - z, with what is known of its derivatives.
        lower: least value of each coordinate that its states take, a number or `[n]`.
        upper: greatest.
    """

    step: Map
    residual: Residual
    lower: float | Tensor = -math.inf
    upper: float | Tensor = math.inf


def frozen(module: Module, inputs: Tensor | None) -> Frozen:
    """A network under a constant input; the caller's module is not changed.

    Args:
        module: see `Module`.
        inputs: `[N]`, or None for a callable of states alone.

    Raises:
        ValueError: if the module has no states of one frame to the next, or not so many inputs.
    """
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        frame = Frame(module)
        constant = frame.checked_input(inputs)
        residual = _closed_form(frame.module, constant)
        if residual is None:
            residual = Residual(lambda states: frame(constant, states) - states)
        return Frozen(lambda states: frame(constant, states), residual, *frame.bounds())
    step = _as_map(module, inputs)
    return Frozen(step, Residual(lambda states: step(states) - states))


class Frame:
    """One frame of a recurrent module of PyTorch, any number of layers taken as one state.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, or one of their cells; copied in float64, without dropout.

    Raises:
        ValueError: if it runs both ways through time, so that no state leads to the next.
    """

    def __init__(self, module: nn.RNNBase | nn.RNNCellBase):
        if getattr(module, "bidirectional", False):
            raise ValueError(
                "bidirectional of the module is True; a network that reads its sequence from both ends has no state "
                "that leads to the next"
            )
        self.module = copy.deepcopy(module).double().eval().requires_grad_(False)
        self.layers: int = getattr(module, "num_layers", 1)
        self.is_cell = isinstance(module, nn.RNNCellBase)
        self.has_cell_state = isinstance(module, nn.LSTM | nn.LSTMCell)
        projection: int = getattr(module, "proj_size", 0)
        self.projected = projection > 0
        width = self.layers * int(module.hidden_size)
        self.widths = [self.layers * projection or width, *[width] * self.has_cell_state]

    @property
    def coordinates(self) -> int:
        """Length n of a flat state."""
        return sum(self.widths)

    def __call__(self, inputs: Tensor, states: Tensor) -> Tensor:
        """The states after a frame, `[P, n]`.

        Args:
            inputs: `[N]` or `[P, N]`.
            states: `[P, n]`.
        """
        inputs = inputs.expand(len(states), -1)
        parts = [part.unflatten(1, (self.layers, -1)).transpose(0, 1) for part in states.split(self.widths, dim=1)]
        if self.is_cell:
            parts = [part[0] for part in parts]
            after = self.module(inputs, tuple(parts) if self.has_cell_state else parts[0])
            return torch.cat(after, dim=1) if self.has_cell_state else after
        parts = [part.contiguous() for part in parts]
        sequence = inputs[:, None] if self.module.batch_first else inputs[None]
        with torch.backends.cudnn.flags(enabled=False):  # whose kernels cannot be differentiated twice
            _, after = self.module(sequence, tuple(parts) if self.has_cell_state else parts[0])
        after = after if self.has_cell_state else (after,)
        return torch.cat([part.transpose(0, 1).flatten(1) for part in after], dim=1)

    def bounds(self) -> tuple[Tensor, Tensor]:
        """Least and greatest value of each coordinate from the zero state on, `[n]` each."""
        weight = next(self.module.parameters())
        upper = torch.full((self.coordinates,), math.inf, dtype=weight.dtype, device=weight.device)
        lower = -upper
        if self.projected:
            return lower, upper
        relu = getattr(self.module, "nonlinearity", "tanh") == "relu"
        lower[: self.widths[0]] = 0 if relu else -1
        upper[: self.widths[0]] = math.inf if relu else 1
        return lower, upper

    def checked_input(self, inputs: Tensor | None) -> Tensor:
        """Inputs `[..., N]` in float64, where the module is; zeros `[N]` if there are none.

        Raises:
            ValueError: if N is not the module's.
        """
        weight, wanted = next(self.module.parameters()), self.module.input_size
        if inputs is None:
            return weight.new_zeros(wanted)
        if inputs.shape[-1] != wanted:
            raise ValueError(f"inputs have {inputs.shape[-1]} values each; the module takes {wanted}")
        return inputs.detach().to(weight)


def _closed_form(module: nn.RNNBase | nn.RNNCellBase, inputs: Tensor) -> Residual | None:
    """The residual of a module in float64 with derivatives in closed form, where the grid has the same unit."""
    try:
        architecture, weights = from_torch(module)
    except ValueError:  # layers, projections and units of other kinds, which are differentiated automatically
        return None
    unit, bias = unit_named(architecture), weights["bias"]
    through_input = unit.split_input(weights["input"])
    drive = [
        block + inputs @ weight if weight.shape[-1] else block
        for block, weight in zip(unit.split(bias), through_input, strict=True)
    ]
    nothing = bias.new_zeros(1, module.hidden_size, 0)
    none = torch.zeros_like(bias)
    drives = torch.cat([block.reshape(1, -1) for block in drive], dim=-1)
    return StepResidual(Dynamics(architecture, weights["recurrent"], drives, none, nothing, nothing[:, 0]))


def _as_map(module: Module, inputs: Tensor | None) -> Map:
    """Any other network as a map of states.

    Raises:
        TypeError: by the map, if it gives no tensor of as many states, or takes no float64.
    """
    function: Callable[..., Any] = module
    if isinstance(module, nn.Module):
        function = copy.deepcopy(module).double().eval().requires_grad_(False)
    constant = None if inputs is None else inputs.detach().double()

    def step(states: Tensor) -> Tensor:
        arguments = [states] if constant is None else [constant.to(states.device).expand(len(states), -1), states]
        try:
            after = function(*arguments)
        except RuntimeError as error:
            if "dtype" in str(error) or "Double" in str(error):
                message = f"the network must take states in float64, with weights of its own likewise ({error})"
                raise TypeError(message) from error
            raise
        if not isinstance(after, Tensor) or after.shape != states.shape:
            given = tuple(after.shape) if isinstance(after, Tensor) else type(after).__name__
            raise TypeError(f"the network must give the next states {tuple(states.shape)}; it gave {given}")
        return after

    return step
