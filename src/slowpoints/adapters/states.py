"""States and sequences of a network in the forms in which users have them: lists of trials, an LSTM's pairs."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from slowpoints.core.arrays import Array, as_numbers, is_list_of_arrays, joined


def as_states(states: Array, widths: tuple[int, ...], *, name: str = "states") -> Tensor:
    """States `[..., n]` in float64.

    A list of arrays is one of trials. Two are hidden and cell states of an LSTM where their last axes are as long as
    these: those of trials have all n coordinates. Of a list, which may have been meant for trials, a warning says so.

    Args:
        states: in any form.
        widths: coordinates of the parts of a state: n, or an LSTM's hidden and cell states; none if not known.
        name: of the argument, for messages.

    Raises:
        ValueError: as `as_numbers`, or if they are not n.
    """
    given = _joined(states, widths, name)
    if widths and given.shape[-1] != sum(widths):
        parts = "hidden and cell states" if len(widths) == 2 else "hidden states"
        raise ValueError(
            f"{name} have {given.shape[-1]} values each; those of the module have {sum(widths)}, the {parts} of all "
            "layers (`states_of` gives them)"
        )
    return given


def paths_of(states: Array, visited: Tensor) -> list[Tensor] | None:
    """The states of each trial `[T, n]`, to be drawn as a path.

    Args:
        states: in the form in which they were given.
        visited: the same, as `as_states` has them.

    Returns:
        None where nothing says which frames belong together.
    """
    if is_list_of_arrays(states) and all(getattr(part, "ndim", 0) == 2 for part in states) and visited.dim() == 2:
        return list(visited.split([len(part) for part in states]))  # trials that differ in length
    if visited.dim() != 3:
        return None
    by_trial = is_list_of_arrays(states) and len(visited) == len(states)
    return list(visited.unbind(0 if by_trial else 1))


def _joined(states: Any, widths: tuple[int, ...], name: str) -> Tensor:
    if _is_pair(states, widths):
        return torch.cat([as_numbers(part, name) for part in states], dim=-1)
    if is_list_of_arrays(states):
        return joined([_joined(part, widths, name) for part in states], name)
    return as_numbers(states, name)


def _is_pair(states: Any, widths: tuple[int, ...]) -> bool:
    """Whether these are an LSTM's hidden and cell states.

    Raises:
        ValueError: if one of them fits and the other does not.
    """
    if len(widths) != 2 or not isinstance(states, tuple | list) or len(states) != 2:
        return False
    try:
        shapes = [tuple(as_numbers(part, "states").shape) for part in states]
    except ValueError:
        return False  # whatever they are, it is said when they are read
    fits = [shape[-1] == width for shape, width in zip(shapes, widths, strict=True)]
    if all(fits) and shapes[0][:-1] == shapes[1][:-1]:
        if isinstance(states, list):
            warnings.warn(
                "a list of two arrays was taken for the hidden and cell states of an LSTM, not for those of two "
                f"trials, which have {sum(widths)} values each; a tuple (h, c) says so without this warning",
                stacklevel=7,
            )
        return True
    if any(fits):
        raise ValueError(
            f"states are two arrays {shapes[0]} and {shapes[1]}; hidden and cell states of the module have "
            f"{widths[0]} and {widths[1]} values each, and as many axes, and trials have {sum(widths)}"
        )
    return False
