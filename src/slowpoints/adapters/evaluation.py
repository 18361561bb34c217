"""One frame of a network in evaluation mode, with the network's own weights, which are neither copied nor changed.

B states of n coordinates, N inputs, H hidden units.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import MethodType
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from slowpoints.adapters.frames import Frame, InputStep, Module, unwrapped
from slowpoints.adapters.states import as_input, as_states, without_layers
from slowpoints.core.arguments import type_named
from slowpoints.core.arrays import Array
from slowpoints.dynamics.checks import MIN_ROWS, require_equal
from slowpoints.dynamics.maps import CheckedMap
from slowpoints.dynamics.relaxation import relaxation_path
from slowpoints.dynamics.residual import count_beyond

AnyModule = TypeVar("AnyModule", bound=nn.Module)


class Network:
    """A recurrent network whose frames are run in the precision of its weights.

    Args:
        module: see `frames.Module`; may be wrapped by `torch.compile` or `DistributedDataParallel`.
        inputs: the constant input `[N]`. None means zero, or, for a callable, none at all.

    Attributes:
        module: the network itself.
        inputs: the constant input in float64, on the device on which it was passed.
        widths: number of coordinates of each part of a state, as `Frame.widths`; empty for a callable.
        bounds: least and greatest value of each coordinate, as `Frame.bounds`; empty for a callable.

    Raises:
        TypeError: if the module is not callable.
        ValueError: if inputs are not finite, or do not fit it.
    """

    def __init__(self, module: Module, inputs: Array | None):
        self.module: Any = unwrapped(module)
        if not callable(self.module):
            raise TypeError(f"module is {type_named(module)}; it must be a recurrent module, or a callable")
        self.inputs = as_input(inputs, "inputs")
        self.widths: tuple[int, ...] = ()
        self.bounds: tuple[Tensor, ...] = ()
        self.layers = 1
        if self._is_known:
            frame = Frame(self.module, in_evaluation)
            self.widths, self.bounds, self.layers = frame.widths, frame.bounds(), frame.layers
            self.inputs = torch.zeros(self.module.input_size) if self.inputs is None else self.inputs
            frame.checked_inputs(self.inputs)

    @property
    def owner(self) -> nn.Module | None:
        """The module that owns the weights, if it is known."""
        owner = getattr(self.module, "__self__", self.module)
        return owner if isinstance(owner, nn.Module) else None

    @property
    def weight(self) -> Tensor | None:
        """One of the weights, for their precision and device; None for a function, whose weights are not known."""
        weights = () if self.owner is None else self.owner.parameters()
        return next((weight.detach() for weight in weights if weight.is_floating_point()), None)

    @property
    def _is_known(self) -> bool:
        return isinstance(self.module, nn.RNNBase | nn.RNNCellBase)

    def step(self, like: Tensor) -> Callable[[Tensor], Tensor]:
        """One frame under the constant input, `[B, n]` to `[B, n]`, for states like these in precision and device."""
        frame = self.frame()
        return frame if self.inputs is None else InputStep(frame, self.inputs.to(like))

    def frame(self) -> Callable[..., Tensor]:
        """One frame as a function of inputs `[B, N]` and states `[B, n]`, or of states alone if there is no input."""
        if self._is_known:
            return Frame(self.module, in_evaluation)
        function = callable_in_evaluation(self.module)
        return CheckedMap(function, "network") if self.inputs is None else _CheckedFrame(function)

    @torch.no_grad()
    def check_deterministic(self, states: Tensor) -> None:
        """Raises TypeError if a callable has different values for the same states `[B, n]` in two calls."""
        if not self._is_known:
            step, rows = self.step(states), states.repeat(-(-MIN_ROWS // len(states)), 1)
            require_equal(step(rows), step(rows), "network")

    @torch.no_grad()
    def path(self, states: Tensor, frames: Sequence[int]) -> Tensor:
        """As `relaxation_path`; layers of `torch.nn` run over whole sequences, which takes a tenth of the time."""
        frame = self.frame()
        if self.inputs is None or not isinstance(frame, Frame):
            return relaxation_path(self.step(states), states, frames)
        inputs, path = self.inputs.to(states), []
        for first, last in pairwise((0, *frames)):
            if last > first:
                states = frame.over(inputs.expand(last - first, len(states), -1), states)
            path.append(states)
        return torch.stack(path)

    def states(self, states: Array) -> Tensor:
        """States `[B, n]` in the precision and on the device of the weights; for a function, in their own.

        Raises:
            ValueError: if they are not finite, do not fit the module or are on another device.

        Warns:
            UserWarning: if hidden states exceed what the module can reach, as when they are swapped with cell states.
        """
        weight = self.weight
        parts = states if isinstance(states, tuple | list) else [states]
        tensors = [part for part in parts if isinstance(part, Tensor) and not part.is_meta]
        if weight is not None and (other := {part.device for part in tensors} - {weight.device}):
            raise ValueError(f"states are on {other.pop()}, the weights of the module on {weight.device}")
        start = without_layers(as_states(states, self.widths, self.layers))
        if start.dim() != 2:
            raise ValueError(
                f"states have the shape {tuple(start.shape)}; they must be [B, n], such as one frame of those that "
                "`states_of` returns, [T, B, n]"
            )
        self._warn_of_unreachable(start)
        if weight is not None:
            return start.to(weight)
        floating = [part.dtype for part in tensors if part.is_floating_point()]
        return start.to(floating[0] if floating else torch.get_default_dtype())

    def _warn_of_unreachable(self, states: Tensor) -> None:
        if not self.bounds:
            return
        low, high = (bound.to(states) for bound in self.bounds)
        if count := count_beyond(states, low, high):
            warnings.warn(
                f"{count} of {len(states)} states have hidden states that this module cannot reach, beyond -1 or 1 (or "
                "negative, with ReLU); states are laid out as `states_of` returns them, hidden before cell states",
                stacklevel=5,  # the caller of a public function, through the modes in which it runs
            )

    def hidden(self, states: Tensor) -> Tensor:
        """Input of a readout at states `[B, n]`: hidden states `[B, H]` of the last layer; for a callable, all."""
        if not self.widths:
            return states
        return states[:, : self.widths[0]].chunk(self.layers, dim=1)[-1]

    def displacement(self, before: Tensor, after: Tensor) -> Tensor:
        """Difference of states `[B, n]` in the coordinates of speed: for an LSTM h and tanh c."""
        return self._speed_coordinates(after) - self._speed_coordinates(before)

    def _speed_coordinates(self, states: Tensor) -> Tensor:
        if len(self.widths) < 2:
            return states
        hidden, cell = states.split(self.widths, dim=-1)
        return torch.cat([hidden, cell.tanh()], dim=-1)


class _CheckedFrame:
    """A callable of inputs and states with clear errors, as `CheckedMap`."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]):
        self.inputs: Tensor | None = None
        self.checked = CheckedMap(lambda states: function(self.inputs, states), "network")  # type: ignore[arg-type]

    def __call__(self, inputs: Tensor, states: Tensor) -> Tensor:
        self.inputs = inputs
        return self.checked(states)


def in_evaluation(module: AnyModule) -> AnyModule:
    """A view of a module in evaluation mode, while the caller's module keeps its own mode.

    Both share their parameters, so gradients reach the caller's. Whatever else a call assigns (derived weights, buffers
    that are replaced, a hidden state that a module keeps) stays in the view. Views are cheap: take a new one for each
    call, since weights may have moved to another device.
    """
    return _view(module, {})


def callable_in_evaluation(function: Any) -> Any:
    """As `in_evaluation`, also for methods of a module; other callables are returned as they are."""
    if isinstance(function, nn.Module):
        return in_evaluation(function)
    if inspect.ismethod(function) and isinstance(function.__self__, nn.Module):
        return MethodType(function.__func__, in_evaluation(function.__self__))
    return function


def _view(module: Any, views: dict[int, nn.Module]) -> Any:
    """A view of a module and all its submodules; `views` holds those taken already, since one may occur twice."""
    if id(module) not in views:
        if hasattr(module, "_orig_mod"):  # of torch.compile, which passes on to it whatever is assigned to the wrapper
            views[id(module)] = _view(module._orig_mod, views)
            return views[id(module)]
        view = views[id(module)] = module.__new__(type(module))
        view.__dict__ = vars(module) | {
            "training": False,
            "_compiled_call_impl": None,  # of `module.compile()`, bound to the caller's module and its mode
            "_buffers": dict(module._buffers),
            "_parameters": dict(module._parameters),
        }
        view._modules = {name: None if each is None else _view(each, views) for name, each in module._modules.items()}
        if isinstance(module, nn.RNNBase):
            view._flat_weights = list(module._flat_weights)
    return views[id(module)]
