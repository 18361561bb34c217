"""One frame of a network that was trained elsewhere, on flat states, in float64.

P states of n coordinates: the hidden states of all layers side by side, then, for an LSTM, their cell states.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slowpoints.adapters.states import as_states
from slowpoints.core.arrays import Array, as_numbers
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.maps import CheckedMap
from slowpoints.dynamics.residual import Map, MapResidual, Residual
from slowpoints.dynamics.speed import StepResidual
from slowpoints.networks.derived import plain_copy
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
        widths: coordinates of the parts of its states, as `Frame.widths`; none of a callable.
    """

    step: Map
    residual: Residual
    lower: float | Tensor = -math.inf
    upper: float | Tensor = math.inf
    widths: tuple[int, ...] = ()


class Frame:
    """One frame of a recurrent module of PyTorch, any number of layers taken as one state.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, or one of their cells; copied in float64, without dropout.

    Raises:
        TypeError: if it is no such module.
        ValueError: if it runs both ways through time, so that no state leads to the next, or its weights are no finite
            numbers.
    """

    def __init__(self, module: nn.RNNBase | nn.RNNCellBase):
        if not isinstance(module, nn.RNNBase | nn.RNNCellBase):
            raise TypeError(
                f"a {type(module).__name__} is none of torch.nn.RNN, GRU, LSTM and their cells; of a larger network "
                "give its recurrent layer, and states of a network of your own take as it visits them"
            )
        if getattr(module, "bidirectional", False):
            raise ValueError(
                "bidirectional of the module is True; a network that reads its sequence from both ends has no state "
                "that leads to the next"
            )
        self.module: Any = _frozen_copy(module)
        self.layers: int = getattr(module, "num_layers", 1)
        self.is_cell = isinstance(module, nn.RNNCellBase)
        self.has_cell_state = isinstance(module, nn.LSTM | nn.LSTMCell)
        projection: int = getattr(module, "proj_size", 0)
        self.projected = projection > 0
        width = self.layers * int(module.hidden_size)
        self.widths = (self.layers * projection or width, *[width] * self.has_cell_state)

    @property
    def coordinates(self) -> int:
        """Length n of a flat state."""
        return sum(self.widths)

    @property
    def weight(self) -> Tensor:
        """One of the module's, for its device."""
        return next(self.module.parameters())

    def __call__(self, inputs: Tensor, states: Tensor) -> Tensor:
        """The states after a frame, `[P, n]`.

        Args:
            inputs: `[N]` or `[P, N]`.
            states: `[P, n]`.
        """
        inputs = inputs.expand(len(states), -1)
        flat = states.split(list(self.widths), dim=1)
        parts = [part.unflatten(1, (self.layers, -1)).transpose(0, 1) for part in flat]
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
        upper = torch.full((self.coordinates,), math.inf, dtype=torch.float64, device=self.weight.device)
        lower = -upper
        if self.projected:
            return lower, upper
        relu = getattr(self.module, "nonlinearity", "tanh") == "relu"
        lower[: self.widths[0]] = 0 if relu else -1
        upper[: self.widths[0]] = math.inf if relu else 1
        return lower, upper

    def checked_inputs(self, inputs: Array) -> Tensor:
        """Inputs `[..., N]` in float64, where the module is.

        Raises:
            ValueError: if they are not finite, or N is not the module's.
        """
        given, wanted = as_numbers(inputs, "inputs").to(self.weight.device), self.module.input_size
        if given.shape[-1] != wanted:
            raise ValueError(f"inputs have {given.shape[-1]} values each; the module takes {wanted}")
        return given

    def checked_states(self, states: Array) -> Tensor:
        """States `[..., n]`, or an LSTM's pair of hidden and cell states, in float64, where the module is.

        Raises:
            ValueError: if they are not finite, or n is not the module's.
        """
        return as_states(states, self.widths).to(self.weight.device)


class InputStep:
    """A frame under one and the same input, as a map of states.

    Args:
        frame: a `Frame`, or a callable of inputs and states.
        inputs: `[N]`.
    """

    def __init__(self, frame: Callable[[Tensor, Tensor], Tensor], inputs: Tensor):
        self.frame, self.inputs = frame, inputs

    def __call__(self, states: Tensor) -> Tensor:
        return self.frame(self.inputs.to(states.device).expand(len(states), -1), states)


def unwrapped(module: Module) -> Any:
    """The network within what `torch.compile`, `DataParallel` or `DistributedDataParallel` made, in any order."""
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return unwrapped(module.module)
    for original in ("_orig_mod", "_torchdynamo_orig_callable"):  # of a module, of a function
        if hasattr(module, original):
            return unwrapped(getattr(module, original))
    return module


def frozen(module: Module | Frame, inputs: Tensor | None) -> Frozen:
    """A network under a constant input; the caller's module is not changed.

    Args:
        module: see `Module`; of PyTorch's own, a `Frame`.
        inputs: `[N]`, or None: zero, or for a callable none at all.

    Raises:
        TypeError: if it is the map of networks of the grid.
    """
    if isinstance(module, Frame):
        constant = module.weight.new_zeros(module.module.input_size) if inputs is None else inputs
        step = InputStep(module, constant)
        closed = _closed_form(module, constant)
        return Frozen(step, MapResidual(step) if closed is None else closed, *module.bounds(), module.widths)
    if isinstance(getattr(module, "__self__", None), Dynamics):
        raise TypeError("networks of the grid are searched by find_slow_points(dynamics.step, ...)")
    function = _frozen_copy(module) if isinstance(module, nn.Module) else module
    checked = CheckedMap(function if inputs is None else InputStep(function, inputs), "network")
    return Frozen(checked, MapResidual(checked))


def device_of(module: Module) -> torch.device | None:
    """Where a module's weights lie; None of one without any, and of other callables."""
    weights = module.parameters() if isinstance(module, nn.Module) else iter(())
    return next((weight.device for weight in weights), None)


def _frozen_copy(module: nn.Module) -> nn.Module:
    return plain_copy(module).double()


def _closed_form(frame: Frame, inputs: Tensor) -> Residual | None:
    """The residual with derivatives in closed form, where the module computes what a unit of the grid does.

    Layers, projections, units of other kinds, and subclasses or hooks that change the frame have none, and are
    differentiated automatically.
    """
    module = frame.module
    try:
        architecture, weights = from_torch(module)
    except ValueError:
        return None
    unit, bias = unit_named(architecture), weights["bias"]
    drive = [
        block + inputs @ weight if weight.shape[-1] else block
        for block, weight in zip(unit.split(bias), unit.split_input(weights["input"]), strict=True)
    ]
    drives = torch.cat([block.reshape(1, -1) for block in drive], dim=-1)
    nothing = bias.new_zeros(1, module.hidden_size, 0)
    residual = StepResidual(
        Dynamics(architecture, weights["recurrent"], drives, torch.zeros_like(bias), nothing, nothing[:, 0])
    )
    state = torch.linspace(-0.9, 0.9, frame.coordinates, dtype=torch.float64, device=bias.device)[None]
    with torch.no_grad():
        same = torch.allclose(residual(state), frame(inputs, state) - state, rtol=1e-9, atol=1e-9)
    return residual if same else None
