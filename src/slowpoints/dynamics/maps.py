"""Callables that users bring as maps of states: what is asked of them, and what is said where they do not meet it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class CheckedMap:
    """A callable as a map of states that says what is wrong with it.

    It gets a copy of the states, which it may change.

    Args:
        function: `[P, n]` to `[P, n]`, or to `[P, m]`.
        name: what to call it.
        residual: whether m may be another number than n.

    Raises:
        TypeError: when called, if it gives no tensor of as many states, of their type and on their device, or fails on
            the first that it is given.
    """

    def __init__(self, function: Callable[..., Any], name: str = "map", *, residual: bool = False):
        self.function, self.name, self.residual, self.works = function, name, residual, False

    def __call__(self, states: Tensor) -> Tensor:
        try:
            after = self.function(states.clone())
        except Exception as error:
            if self.works or isinstance(error, MemoryError | torch.OutOfMemoryError):
                raise  # so it is not what was given
            raise TypeError(f"{self._wanted(error)} ({type(error).__name__}: {error})") from error
        self.works = True
        self._check(after, states)
        return after

    def _check(self, after: Any, states: Tensor) -> None:
        if not isinstance(after, Tensor):
            raise TypeError(f"{self._wanted()}; it gave {type(after).__name__}")
        given, shape = tuple(after.shape), tuple(states.shape)
        if len(given) != 2 or given[0] != shape[0] or (given != shape and not self.residual):
            values = "values for each of the" if self.residual else "the next"
            raise TypeError(f"the {self.name} must give {values} states {shape}; it gave {given}")
        if after.dtype != states.dtype:
            wanted_type, given_type = (str(each.dtype).removeprefix("torch.") for each in (states, after))
            raise TypeError(
                f"the {self.name} gave {given_type} where it was given states in {wanted_type}; it must compute in "
                f"{wanted_type} throughout, with weights of its own likewise (`module.double()`, and no `.float()`)"
            )
        if after.device != states.device:
            raise TypeError(f"the {self.name} gave values on {after.device} for states on {states.device}")

    def _wanted(self, error: Exception | None = None) -> str:
        """What a callable must be, above all one that raised this."""
        if isinstance(error, RuntimeError) and ("dtype" in str(error) or "Double" in str(error)):
            return f"the {self.name} must take states in float64, with weights of its own likewise"
        return (
            f"the {self.name} must lead from states, or inputs and states, to the next states, in operations of "
            "PyTorch, on the device where the states lie; of a larger one give its recurrent layer"
        )
