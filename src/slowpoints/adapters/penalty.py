"""A penalty on the drift of memories, for the training loop of any recurrent network.

B states of n coordinates, K frames, N inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from slowpoints.adapters.evaluation import callable_in_evaluation, in_evaluation
from slowpoints.adapters.frames import Frame, InputStep, Module, unwrapped
from slowpoints.adapters.states import as_states
from slowpoints.core.arguments import instance, whole, whole_numbers
from slowpoints.core.arrays import Array, as_numbers
from slowpoints.core.torch_modes import usual_modes
from slowpoints.dynamics.maps import CheckedMap
from slowpoints.dynamics.relaxation import RELAXATION_FRAMES, Step, relaxation_path, squared_speed


class RelaxationPenalty:
    """Sum of squared speeds along the paths that memories take under a constant input, to be added to a loss.

    From each state the network relaxes under the constant input; at some frames of that path its squared speed
    |m(F(z)) - m(z)|^2 is summed over all states and frames. F is one frame in evaluation mode; m gives the coordinates
    of a state, of an LSTM h and tanh c. The gradient reaches the weights through F alone: the states of the path are
    taken as constants. It is mode `path` of the study, and its weight the study's lambda: 30 is a good first one for
    a few dozen states. As it is a sum, twice as many states count twice.

    The path is sought anew at the first call and at every `every`-th after it, from the states of that call and with
    the weights of that moment. In between the path stays, and **the states of those calls are only checked**: pass
    those of minibatches as they come, and work them out anew as seldom as you like. With `every=1` each call follows
    its own states. A path costs `frames[-1]` frames of the network, a call in between less than a tenth of a training
    step.

    The module's mode, buffers and gradients, and PyTorch's random numbers, are left alone. Dropout is off. Inside
    autocast the penalty keeps to the precision of the weights. A module that `torch.compile`, `DataParallel` or
    `DistributedDataParallel` made may be passed: the module within is run, and `DistributedDataParallel` averages the
    penalty's gradients with all others. A training step that is compiled as a whole is interrupted by the penalty, so
    `torch.compile(..., fullgraph=True)` cannot include it.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, with any number of layers or projections, one of their cells, or any
            callable with weights: of states `[B, n]`, or, where inputs are given, of inputs `[B, N]` and states, to the
            next states `[B, n]`.
        inputs: the constant input while memories last, `[N]`. None is zero, or of a callable none at all.
        frames: at which speed is penalised, increasing, from 0.
        every: calls after which the path is sought anew.

    Attributes:
        path: the states whose speed is penalised, `[K, B, n]`; None before the first call.
        calls: how many there have been.

    Raises:
        TypeError: if the module is no callable, or a setting no number.
        ValueError: if the module has no weight to train, its weights are not of one precision, float32 or float64, or
            inputs or settings are impossible or do not fit it.

    Example:
        >>> penalty = RelaxationPenalty(network, torch.zeros(3))
        >>> memories = states_of(network, stimuli)[-1]
        >>> loss = task_loss + 30 * penalty(memories)
    """

    def __init__(
        self,
        module: Module,
        inputs: Array | None = None,
        frames: Sequence[int] = RELAXATION_FRAMES,
        every: int = 100,
    ):
        self.module = unwrapped(module)
        self.frames = sorted(whole_numbers(frames, "frames"))
        self.every = whole(every, "every", least=1)
        self.path: Tensor | None = None
        self.calls = 0
        self.inputs = None if inputs is None else as_numbers(inputs, "inputs")
        if self.inputs is not None and self.inputs.dim() != 1:
            raise ValueError(f"inputs have the shape {tuple(self.inputs.shape)}; they must be one constant input [N]")
        if not callable(self.module):
            raise TypeError(f"module is a {type(self.module).__name__}; it must be a recurrent module, or a callable")
        _trained_weight(self.module)
        self._widths: tuple[int, ...] = ()
        if isinstance(self.module, nn.RNNBase | nn.RNNCellBase):
            frame = Frame(self.module, in_evaluation)
            self._widths = frame.widths
            if self.inputs is not None:
                frame.checked_inputs(self.inputs)

    @torch.compiler.disable
    @usual_modes()
    def __call__(self, states: Array) -> Tensor:
        """The sum, a scalar in the precision and on the device of the weights.

        Args:
            states: from which memories start, `[B, n]`, as `states_of` lays them out, or for an LSTM a pair of hidden
                and cell states.

        Raises:
            ValueError: if they are not finite, do not fit the module or lie on another device, or the network runs from
                them to values that are not finite.
            TypeError: if a callable does not lead from states to states, or no weight of it takes part.
        """
        weight = _trained_weight(self.module)
        start = _starts(states, self._widths, weight)
        step = self._step(start)
        if self.calls % self.every == 0:
            path = relaxation_path(step, start, self.frames)
            if not path.isfinite().all():
                raise ValueError("the path from these states is not finite: the network diverges under this input")
            self.path = path
        assert self.path is not None
        if self.path.shape[-1] != start.shape[-1]:
            raise ValueError(f"states have {start.shape[-1]} values each; those of the path {self.path.shape[-1]}")
        self.calls += 1
        value = squared_speed(step, self.path.to(start).flatten(0, 1), self._measure).sum()
        if torch.is_grad_enabled() and not value.requires_grad:
            raise TypeError("no weight of the module takes part in a frame, so the penalty has no gradient")
        return value

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs for the penalty to go on to the same bits: the path, and the calls so far."""
        return {"path": None if self.path is None else self.path.clone(), "calls": self.calls}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave.

        Raises:
            TypeError: if it is no dictionary.
            ValueError: if it lacks a part, or its path is none of as many frames.
        """
        instance(state, dict, "state")
        if set(state) != {"path", "calls"}:
            raise ValueError(f"state has the keys {sorted(state)}; it must have calls and path (state_dict)")
        path, calls = state["path"], whole(state["calls"], "calls of the state")
        if (path is None) != (calls == 0):
            raise ValueError(f"state has {calls} calls and {'no' if path is None else 'a'} path: they do not fit")
        if path is not None:
            instance(path, Tensor, "path of the state")
            if path.dim() != 3 or len(path) != len(self.frames):
                raise ValueError(
                    f"path of the state has the shape {tuple(path.shape)}; with these frames it must have "
                    f"[{len(self.frames)}, B, n]"
                )
            path = path.detach().clone()
        self.path, self.calls = path, calls

    def __repr__(self) -> str:
        return f"RelaxationPenalty({type(self.module).__name__}, frames={tuple(self.frames)}, every={self.every})"

    def _step(self, like: Tensor) -> Step:
        """One frame as a map of states of that precision, on that device."""
        inputs = None if self.inputs is None else self.inputs.to(like)
        if isinstance(self.module, nn.RNNBase | nn.RNNCellBase):
            frame = Frame(self.module, in_evaluation)
            return InputStep(frame, like.new_zeros(self.module.input_size) if inputs is None else inputs)
        function = callable_in_evaluation(self.module)
        return CheckedMap(function if inputs is None else InputStep(function, inputs), "network")

    def _measure(self, states: Tensor) -> Tensor:
        """The coordinates of speed: of an LSTM h and tanh c."""
        if len(self._widths) < 2:
            return states
        hidden, cell = states.split(self._widths, dim=-1)
        return torch.cat([hidden, cell.tanh()], dim=-1)


def _trained_weight(module: Module) -> Tensor | None:
    """One of the weights of a module, for its precision and device; None of a function, which may use some unseen.

    Raises:
        ValueError: if a module has no weight to train, or they are not of one precision that speeds can be told in.
    """
    owner = getattr(module, "__self__", module)
    if not isinstance(owner, nn.Module):
        return None
    weights = [weight for weight in owner.parameters() if weight.requires_grad]
    if not weights:
        raise ValueError(f"the module, a {type(owner).__name__}, has no weight that requires a gradient")
    if (types := {weight.dtype for weight in weights}) not in ({torch.float32}, {torch.float64}):
        names = ", ".join(sorted(str(each).removeprefix("torch.") for each in types))
        raise ValueError(
            f"weights of the module are {names}; they must be float32 or float64, all of them: rounded to less, slow "
            "states do not move at all (keep weights in float32 and use torch.autocast)"
        )
    return weights[0]


def _starts(states: Array, widths: tuple[int, ...], weight: Tensor | None) -> Tensor:
    """States `[B, n]` in the precision and on the device of the weights, or of a function in their own."""
    parts = states if isinstance(states, tuple | list) else [states]
    tensors = [part for part in parts if isinstance(part, Tensor) and not part.is_meta]
    if weight is not None and (other := {part.device for part in tensors} - {weight.device}):
        raise ValueError(f"states lie on {other.pop()}, the weights of the module on {weight.device}")
    start = as_states(states, widths)
    if start.dim() != 2:
        raise ValueError(f"states have the shape {tuple(start.shape)}; they must be [B, n]")
    if weight is not None:
        return start.to(weight.detach())
    floating = [part.dtype for part in tensors if part.is_floating_point()]
    return start.to(floating[0] if floating else torch.get_default_dtype())
