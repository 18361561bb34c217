"""A penalty on the drift of memories, for the training loop of any recurrent network.

B states of n coordinates, K frames, N inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from slowpoints.adapters.evaluation import Network
from slowpoints.adapters.frames import Module
from slowpoints.core.arguments import instance, whole_number, whole_numbers
from slowpoints.core.arrays import Array
from slowpoints.core.torch_modes import usual_modes
from slowpoints.dynamics.relaxation import RELAXATION_FRAMES


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
    its own states. A path costs `frames[-1]` frames of the network, a call in between one frame and its gradient.

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
        self.network = Network(module, inputs)
        _check_weights(self.network)
        self.frames = sorted(whole_numbers(frames, "frames"))
        self.every = whole_number(every, "every", least=1)
        self.path: Tensor | None = None
        self.calls = 0

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
        start = self.network.states(states)
        if self.calls % self.every == 0:
            path = self.network.path(start, self.frames)
            if not path.isfinite().all():
                raise ValueError("the path from these states is not finite: the network diverges under this input")
            self.path = path
        assert self.path is not None
        if self.path.shape[-1] != start.shape[-1]:
            raise ValueError(f"states have {start.shape[-1]} values each; those of the path {self.path.shape[-1]}")
        self.calls += 1
        points = self.path.to(start).flatten(0, 1)
        after = self.network.step(start)(points)
        value = self.network.displacement(points, after).square().sum(-1).sum()
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
        path, calls = state["path"], whole_number(state["calls"], "calls of the state")
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
        name = type(self.network.module).__name__
        return f"RelaxationPenalty({name}, frames={tuple(self.frames)}, every={self.every})"


def _check_weights(network: Network) -> None:
    """Raises ValueError if a module has no weight to train, or speeds cannot be told in their precision."""
    if network.owner is None:
        return
    weights = [weight for weight in network.owner.parameters() if weight.requires_grad]
    if not weights:
        raise ValueError(f"the module, a {type(network.owner).__name__}, has no weight that requires a gradient")
    if (types := {weight.dtype for weight in weights}) not in ({torch.float32}, {torch.float64}):
        names = ", ".join(sorted(str(each).removeprefix("torch.") for each in types))
        raise ValueError(
            f"weights of the module are {names}; they must be float32 or float64, all of them: rounded to less, slow "
            "states do not move at all (keep weights in float32 and use torch.autocast)"
        )
