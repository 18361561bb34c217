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

    From each state the network relaxes under the constant input. At the given frames of this path its squared speed
    |m(F(z)) - m(z)|^2 is taken, and summed over all states and frames. F is one frame in evaluation mode; m gives the
    coordinates in which speed is measured, for an LSTM h and tanh c. Gradients reach the weights through F alone: the
    states of the path are treated as constants. This is the mode `path` of the study, and its weight the study's
    lambda: 30 is a good first choice for a few dozen states. The penalty is a sum: twice as many states count twice.

    The path is computed at the first call and again at every `every`-th call after it, from the states and the weights
    of that call. In between the path is kept, and **the states of those calls are only checked**: states of each
    minibatch can be passed as they come, even if they are recomputed only rarely. With `every=1` each call follows its
    own states. A path costs `frames[-1]` frames of the network, a call in between one frame and its gradient.

    It acts on the module from which it was built: a copy that is trained needs a penalty of its own.

    The module's mode, buffers and gradients, and PyTorch's random number generators, are not changed. Dropout is off.
    Inside autocast the penalty keeps the precision of the weights. The module may be wrapped by `torch.compile`,
    `DataParallel` or `DistributedDataParallel`: the module inside is run, and `DistributedDataParallel` averages the
    penalty's gradients with all others. The penalty is a graph break in a compiled training step, which therefore
    cannot be compiled with `fullgraph=True`.

    Args:
        module: `torch.nn.RNN`, `GRU` or `LSTM` with any number of layers or projections, one of their cells, or any
            callable with weights: from states `[B, n]`, or with `inputs` from inputs `[B, N]` and states, to the next
            states `[B, n]`.
        inputs: the constant input of the delay, `[N]`. None means zero, or, for a callable, none at all.
        frames: numbers of frames since the start at which speed is penalised; 0 is the start itself.
        every: number of calls after which the path is computed again.

    Attributes:
        path: the states whose speed is penalised, `[K, B, n]`; None before the first call.
        calls: number of calls so far.

    Raises:
        TypeError: if the module is not callable, or a setting is not a number.
        ValueError: if the module has no trainable weight, its weights are not all float32 or all float64, or inputs or
            settings are invalid or do not fit the module.

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
            states: where memories start, `[B, n]`, laid out as by `states_of`, or for an LSTM a pair of hidden and cell
                states, also `[L, B, H]` as PyTorch returns them.

        Raises:
            ValueError: if they are not finite, do not fit the module or are on another device, the network diverges
                from them, or a weight is not finite.
            TypeError: if a callable does not map states to states, is not deterministic (noise, dropout; tried
                whenever the path is computed), or does not use its weights.
        """
        start = self.network.states(states)
        if self.calls % self.every == 0:
            self.network.check_deterministic(start)
            path = self.network.path(start, self.frames)
            if not path.isfinite().all():
                self._raise_of_weights()
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
        if not value.isfinite():
            self._raise_of_weights()
            raise ValueError("the penalty is not finite: the network diverges from states of its path")
        return value

    def _raise_of_weights(self) -> None:
        """Raises ValueError if a weight or buffer is not finite, naming it."""
        tensors = {} if self.network.owner is None else self.network.owner.state_dict()
        for name, tensor in tensors.items():
            if isinstance(tensor, Tensor) and not tensor.isfinite().all():
                raise ValueError(f"{name} of the module is not finite, so neither is the penalty")

    def state_dict(self) -> dict[str, Any]:
        """State for a checkpoint, from which the penalty continues bit for bit: path, number of calls, and settings."""
        path = None if self.path is None else self.path.clone()
        return {"path": path, "calls": self.calls, **self._settings}

    @property
    def _settings(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        inputs = self.network.inputs
        return {"inputs": None if inputs is None else inputs.tolist(), "frames": list(self.frames), "every": self.every}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` returned.

        Raises:
            TypeError: if it is not a dictionary.
            ValueError: if keys are missing or unknown, inputs, frames or `every` differ from this penalty's, or the
                path does not match the calls, the frames or the module.
        """
        instance(state, dict, "state")
        if not {"path", "calls"} <= set(state) <= {"path", "calls", *self._settings}:
            raise ValueError(f"state has the keys {sorted(state)}; it must have calls and path (state_dict)")
        for name, setting in self._settings.items():
            if state.get(name, setting) != setting:
                raise ValueError(f"{name} of the state is {state[name]}, of this penalty {setting}; they must agree")
        path, calls = state["path"], whole_number(state["calls"], "calls of the state")
        if (path is None) != (calls == 0):
            raise ValueError(f"state has {calls} calls and {'no' if path is None else 'a'} path: they do not fit")
        if path is not None:
            instance(path, Tensor, "path of the state")
            n = sum(self.network.widths)
            if path.dim() != 3 or len(path) != len(self.frames) or (n and path.shape[2] != n):
                raise ValueError(
                    f"path of the state has the shape {tuple(path.shape)}; with these frames and this module it must "
                    f"have [{len(self.frames)}, B, {n or 'n'}]"
                )
            path = path.detach().clone()
        self.path, self.calls = path, calls

    def __repr__(self) -> str:
        name = type(self.network.module).__name__
        return f"RelaxationPenalty({name}, frames={tuple(self.frames)}, every={self.every})"


def _check_weights(network: Network) -> None:
    """Raises ValueError if a module has no trainable weight, or weights too imprecise to resolve speeds."""
    if network.owner is None:
        return
    weights = [weight for weight in network.owner.parameters() if weight.requires_grad]
    if not weights:
        raise ValueError(f"the module, a {type(network.owner).__name__}, has no weight that requires a gradient")
    if (types := {weight.dtype for weight in weights}) not in ({torch.float32}, {torch.float64}):
        names = ", ".join(sorted(str(each).removeprefix("torch.") for each in types))
        raise ValueError(
            f"weights of the module are {names}; they must all be float32 or all be float64: in lower precision "
            "slow states do not move at all (keep weights in float32 and use torch.autocast)"
        )
