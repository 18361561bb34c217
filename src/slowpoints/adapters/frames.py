"""One frame of a network that was trained elsewhere, on flat states, in float64.

P states of n coordinates: the hidden states of all layers side by side, then, for an LSTM, their cell states.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.residual import Map, MapResidual, Residual
from slowpoints.dynamics.speed import StepResidual
from slowpoints.networks.exchange import from_torch
from slowpoints.networks.units import unit_named

Module = nn.Module | Callable[..., Tensor]
"""`torch.nn.RNN`, `GRU`, `LSTM`, one of their cells, or any callable from states, or inputs and states, to states."""
Array = Tensor | np.ndarray | Sequence
"""Numbers in any form."""


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


class Frame:
    """One frame of a recurrent module of PyTorch, any number of layers taken as one state.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, or one of their cells; copied in float64, without dropout.

    Raises:
        TypeError: if it is no such module.
        ValueError: if it runs both ways through time, so that no state leads to the next.
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
        self.widths = [self.layers * projection or width, *[width] * self.has_cell_state]

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
        given = as_states(states).to(self.weight.device)
        if given.shape[-1] != self.coordinates:
            parts = "hidden and cell states" if self.has_cell_state else "hidden states"
            raise ValueError(
                f"states have {given.shape[-1]} values each; those of the module have {self.coordinates}, the "
                f"{parts} of all layers (`states_of` gives them)"
            )
        return given


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


class CheckedMap:
    """A callable as a map of states that says what is wrong with it.

    Args:
        function: `[P, n]` to `[P, n]`.

    Raises:
        TypeError: when called, if it gives no tensor of as many states, or fails on the first that it is given.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function, self.works = function, False

    def __call__(self, states: Tensor) -> Tensor:
        try:
            after = self.function(states)
        except Exception as error:
            if self.works:  # so it is not what was given, but memory, say, that has run out
                raise
            raise TypeError(f"{_wanted(error)} ({type(error).__name__}: {error})") from error
        self.works = True
        if not isinstance(after, Tensor) or after.shape != states.shape:
            given = tuple(after.shape) if isinstance(after, Tensor) else type(after).__name__
            raise TypeError(f"the network must give the next states {tuple(states.shape)}; it gave {given}")
        return after


def _wanted(error: Exception) -> str:
    """What a callable must be that raised this."""
    if isinstance(error, RuntimeError) and ("dtype" in str(error) or "Double" in str(error)):
        return "the network must take states in float64, with weights of its own likewise"
    return (
        "the network must lead from states, or inputs and states, to the next states, in operations of PyTorch; of a "
        "larger one give its recurrent layer"
    )


def unwrapped(module: Module) -> Any:
    """The network within what `torch.compile`, `DataParallel` or `DistributedDataParallel` made, in any order."""
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return unwrapped(module.module)
    for original in ("_orig_mod", "_torchdynamo_orig_callable"):  # of a module, of a function
        if hasattr(module, original):
            return unwrapped(getattr(module, original))
    return module


def frozen(module: Module, inputs: Tensor | None, states: Tensor) -> Frozen:
    """A network under a constant input; the caller's module is not changed.

    Args:
        module: see `Module`; of PyTorch's own, a `Frame`.
        inputs: `[N]`, or None: zero, or for a callable none at all.
        states: some that it will be run on, `[P, n]`.

    Raises:
        TypeError: if a callable does not lead from states to states, or not so that it can be differentiated.
    """
    if isinstance(module, Frame):
        constant = module.weight.new_zeros(module.module.input_size) if inputs is None else inputs
        step = InputStep(module, constant)
        closed = _closed_form(module, constant)
        return Frozen(step, MapResidual(step) if closed is None else closed, *module.bounds())
    if isinstance(getattr(module, "__self__", None), Dynamics):
        raise TypeError("networks of the grid are searched by find_slow_points(dynamics.step, ...)")
    function = _frozen_copy(module) if isinstance(module, nn.Module) else module
    checked = CheckedMap(function if inputs is None else InputStep(function, inputs))
    _check_gradient(checked, states)
    return Frozen(checked, MapResidual(checked))


def as_numbers(values: Array, name: str) -> Tensor:
    """Numbers in any form as float64, a copy.

    Raises:
        ValueError: naming them, if they are no array of real numbers, there are none, they have no axis, or are not
            finite.
    """
    if isinstance(values, nn.utils.rnn.PackedSequence):
        raise ValueError(f"{name} are packed; give them padded (torch.nn.utils.rnn.pad_packed_sequence), or one by one")
    try:
        given = values.detach() if isinstance(values, Tensor) else torch.as_tensor(np.asarray(values))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} must be an array of numbers ({error})") from None
    if given.is_complex():
        raise ValueError(f"{name} are complex; they must be real")
    with torch.inference_mode(False):
        given = given.to(torch.float64, copy=True)
    if not given.dim() or not given.numel():
        raise ValueError(f"{name} have the shape {tuple(given.shape)}; there must be at least one, of some values")
    if not given.isfinite().all():
        raise ValueError(f"{name} must be finite")
    return given


def as_states(states: Array) -> Tensor:
    """States `[..., n]`, or a pair of hidden and cell states side by side, as `as_numbers`."""
    if isinstance(states, tuple | list) and len(states) == 2 and all(isinstance(part, Tensor) for part in states):
        return torch.cat([as_numbers(part, "states") for part in states], dim=-1)
    return as_numbers(states, "states")


def _frozen_copy(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).double().eval().requires_grad_(False)


def _closed_form(frame: Frame, inputs: Tensor) -> Residual | None:
    """The residual with derivatives in closed form, where the module computes what a unit of the grid does.

    Layers, projections, units of other kinds, weights that are worked out from others, and subclasses or hooks that
    change the frame have none, and are differentiated automatically.
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


def _check_gradient(step: Map, states: Tensor) -> None:
    """Refuses a step that moves states but lets no gradient through, as under `torch.no_grad`.

    Raises:
        TypeError: if it does.
    """
    state = states[:1].detach().clone().requires_grad_()
    with torch.enable_grad():
        after = step(state)
    if after.requires_grad:
        return
    with torch.no_grad():
        elsewhere = step(state + 0.1)
    if not torch.equal(after, elsewhere):
        raise TypeError("the network lets no gradient through; it must not run under torch.no_grad, or detach states")
