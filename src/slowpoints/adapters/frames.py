"""One frame of a network trained elsewhere, as a map of flat states in float64.

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
from slowpoints.dynamics.autonomous import AutonomousMap
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
        residual: step(z) - z, with its derivatives in closed form where they are known.
        lower: least value that each coordinate of its states takes, a number or `[n]`.
        upper: greatest value, likewise.
        widths: number of coordinates of each part of its states, as `Frame.widths`; empty for a callable.
        layers: number of layers; 1 for a callable.
    """

    step: Map
    residual: Residual
    lower: float | Tensor = -math.inf
    upper: float | Tensor = math.inf
    widths: tuple[int, ...] = ()
    layers: int = 1


class Frame:
    """One frame of a recurrent module of PyTorch, with all its layers in one state.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, or one of their cells.
        prepared: returns the module to run in its place; by default a copy in float64, without dropout.

    Raises:
        TypeError: if it is not such a module.
        ValueError: if it is bidirectional, so that no state determines the next, or its weights are not finite.
    """

    def __init__(
        self,
        module: nn.RNNBase | nn.RNNCellBase,
        prepared: Callable[[nn.Module], nn.Module] | None = None,
    ):
        if not isinstance(module, nn.RNNBase | nn.RNNCellBase):
            raise TypeError(
                f"a {type(module).__name__} is none of torch.nn.RNN, GRU, LSTM and their cells; for a larger "
                "network pass the recurrent layer, and for a custom network record its states while it runs"
            )
        if getattr(module, "bidirectional", False):
            raise ValueError(
                "bidirectional of the module is True; a network that reads its sequence from both ends has no state "
                "that determines the next"
            )
        self.module: Any = (prepared or _frozen_copy)(module)
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
        """One of the module's weights, for its device."""
        return next(self.module.parameters())

    def __call__(self, inputs: Tensor, states: Tensor) -> Tensor:
        """The states after a frame, `[P, n]`.

        Args:
            inputs: `[N]` or `[P, N]`.
            states: `[P, n]`.
        """
        return self.over(inputs.expand(len(states), -1)[None], states)

    def over(self, sequences: Tensor, states: Tensor) -> Tensor:
        """The states after sequences of inputs `[T, P, N]`, `[P, n]`."""
        flat = states.split(list(self.widths), dim=1)
        parts = [part.unflatten(1, (self.layers, -1)).transpose(0, 1) for part in flat]
        if self.is_cell:
            parts = [part[0] for part in parts]
            for inputs in sequences:
                after = self.module(inputs, tuple(parts) if self.has_cell_state else parts[0])
                parts = [*after] if self.has_cell_state else [after]
            return torch.cat(parts, dim=1) if self.has_cell_state else parts[0]
        parts = [part.contiguous() for part in parts]
        sequences = sequences.transpose(0, 1) if self.module.batch_first else sequences
        with torch.backends.cudnn.flags(enabled=False):  # cuDNN's kernels cannot be differentiated twice
            _, after = self.module(sequences, tuple(parts) if self.has_cell_state else parts[0])
        after = after if self.has_cell_state else (after,)
        return torch.cat([part.transpose(0, 1).flatten(1) for part in after], dim=1)

    def bounds(self) -> tuple[Tensor, Tensor]:
        """Least and greatest value of each coordinate of states reached from zero, `[n]` each."""
        upper = torch.full((self.coordinates,), math.inf, dtype=torch.float64, device=self.weight.device)
        lower = -upper
        if self.projected:
            return lower, upper
        relu = getattr(self.module, "nonlinearity", "tanh") == "relu"
        lower[: self.widths[0]] = 0 if relu else -1
        upper[: self.widths[0]] = math.inf if relu else 1
        return lower, upper

    def checked_inputs(self, inputs: Array) -> Tensor:
        """Inputs `[..., N]` in float64, on the module's device.

        Raises:
            ValueError: if they are not finite, or N is not the module's.
        """
        numbers, size = as_numbers(inputs, "inputs").to(self.weight.device), self.module.input_size
        if numbers.shape[-1] != size:
            raise ValueError(f"inputs have {numbers.shape[-1]} values each; the module takes {size}")
        return numbers

    def checked_states(self, states: Array) -> Tensor:
        """States `[..., n]`, or an LSTM's pair of hidden and cell states, in float64, on the module's device.

        Raises:
            ValueError: if they are not finite, or n is not the module's.
        """
        return as_states(states, self.widths, self.layers).to(self.weight.device)


class InputStep:
    """A frame under a constant input, as a map of states.

    Args:
        frame: a `Frame`, or a callable of inputs and states.
        inputs: `[N]`.
    """

    def __init__(self, frame: Callable[[Tensor, Tensor], Tensor], inputs: Tensor):
        self.frame, self.inputs = frame, inputs

    def __call__(self, states: Tensor) -> Tensor:
        return self.frame(self.inputs.to(states.device).expand(len(states), -1), states)


def unwrapped(module: Module) -> Any:
    """The network inside wrappers of `torch.compile`, `DataParallel` or `DistributedDataParallel`, in any order."""
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return unwrapped(module.module)
    for original in ("_orig_mod", "_torchdynamo_orig_callable"):  # of a module, of a function
        if hasattr(module, original):
            return unwrapped(getattr(module, original))
    return module


def frozen(module: Module | Frame, inputs: Tensor | None) -> Frozen:
    """A network under a constant input; the caller's module is not changed.

    Args:
        module: a `Frame`, or a callable.
        inputs: `[N]`; None for zero input, or for a callable of states alone.

    Raises:
        TypeError: if it is the map of networks of the grid.
    """
    if isinstance(module, Frame):
        constant = module.weight.new_zeros(module.module.input_size) if inputs is None else inputs
        step = InputStep(module, constant)
        closed = _closed_form(module, constant)
        return Frozen(
            step, MapResidual(step) if closed is None else closed, *module.bounds(), module.widths, module.layers
        )
    if isinstance(module, AutonomousMap):
        raise TypeError("networks of the grid are searched by find_slow_points(dynamics.step, ...)")
    function = _frozen_copy(module) if isinstance(module, nn.Module) else module
    checked = CheckedMap(function if inputs is None else InputStep(function, inputs), "network")
    return Frozen(checked, MapResidual(checked))


def device_of(module: Module) -> torch.device | None:
    """The device of a module's weights; None without weights, and for other callables."""
    weights = module.parameters() if isinstance(module, nn.Module) else iter(())
    return next((weight.device for weight in weights), None)


def _frozen_copy(module: nn.Module) -> nn.Module:
    copied = plain_copy(module).double()
    for submodule in copied.modules():
        vars(submodule).pop("_compiled_call_impl", None)  # of `module.compile()`, bound to the caller's module
    return copied


def _closed_form(frame: Frame, inputs: Tensor) -> Residual | None:
    """The residual with derivatives in closed form, if the module is equivalent to a unit of the grid.

    Modules with several layers, projections or other units, and subclasses or hooks that change the frame are
    differentiated automatically.
    """
    module = frame.module
    try:
        architecture, weights = from_torch(module)
    except ValueError:
        return None
    unit = unit_named(architecture)
    drive = [
        bias + inputs @ weight if weight.shape[-1] else bias
        for bias, weight in zip(unit.split(weights["bias"]), unit.split_input(weights["input"]), strict=True)
    ]
    drives = torch.cat([group.reshape(1, -1) for group in drive], dim=-1)
    network = AutonomousMap(architecture, weights["recurrent"], drives)
    state = torch.linspace(-0.9, 0.9, frame.coordinates, dtype=torch.float64, device=drives.device)[None]
    with torch.no_grad():
        same = torch.allclose(network(state), frame(inputs, state), rtol=1e-9, atol=1e-9)
    return StepResidual(network) if same else None
