"""A user's callable as a map of states, with clear errors where it is not one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class CheckedMap:
    """A callable as a map of states, its results checked at every call.

    It is passed a copy of the states, which it may change.

    Args:
        function: `[P, n]` to `[P, n]`, or to `[P, m]`.
        name: used in error messages.
        residual: whether m may differ from n.

    Raises:
        TypeError: when called, if it does not return a tensor of as many states, of their data type and on their
            device, or fails at its first call.
    """

    def __init__(self, function: Callable[..., Any], name: str = "map", *, residual: bool = False):
        self.function, self.name, self.residual, self.works = function, name, residual, False

    def __call__(self, states: Tensor) -> Tensor:
        try:
            after = self.function(states.clone())
        except Exception as error:
            if self.works or isinstance(error, MemoryError | torch.OutOfMemoryError):
                raise  # not a problem of the callable as such
            raise TypeError(f"{self._requirement(error)} ({type(error).__name__}: {error})") from error
        self.works = True
        self._check(after, states)
        return after

    def _check(self, after: Any, states: Tensor) -> None:
        if not isinstance(after, Tensor):
            raise TypeError(f"{self._requirement()}; it returned {type(after).__name__}")
        result, shape = tuple(after.shape), tuple(states.shape)
        if len(result) != 2 or result[0] != shape[0] or (result != shape and not self.residual):
            values = "values for each of the" if self.residual else "the next"
            raise TypeError(f"the {self.name} must return {values} states {shape}; it returned {result}")
        if after.dtype != states.dtype:
            required, actual = (str(tensor.dtype).removeprefix("torch.") for tensor in (states, after))
            raise TypeError(
                f"the {self.name} returned {actual} for states in {required}; it must compute in {required} "
                "throughout, and so must its weights (`module.double()`, and no `.float()`)"
            )
        if after.device != states.device:
            raise TypeError(f"the {self.name} returned values on {after.device} for states on {states.device}")

    def _requirement(self, error: Exception | None = None) -> str:
        """What a callable must be, in particular one that raised this error."""
        if isinstance(error, RuntimeError) and ("dtype" in str(error) or "Double" in str(error)):
            return f"the {self.name} must take states in float64, and have its weights in float64"
        if self.name == "network" and error is not None and "missing" in str(error):  # an argument
            return "the network takes more than states: pass `inputs`, such as torch.zeros(N), for inputs and states"
        return (
            f"the {self.name} must take states, or inputs and states, to the next states, in operations of PyTorch, on "
            "the device of the states; for a larger network pass the recurrent layer"
        )
