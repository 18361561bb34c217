"""States and sequences of a network in the forms that users provide: arrays, lists of trials, an LSTM's pairs."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from slowpoints.core.arrays import Array, as_numbers, is_list_of_arrays, joined


def as_input(inputs: Array | None, name: str) -> Tensor | None:
    """A constant input `[N]` in float64; None is returned as is.

    Raises:
        ValueError: if it is not finite, or there are several.
    """
    if inputs is None:
        return None
    if isinstance(inputs, int | float) or getattr(inputs, "ndim", 1) == 0:
        raise ValueError(f"{name} must be one constant input [N]; it is a single number")
    values = as_numbers(inputs, name)
    if values.dim() != 1:
        raise ValueError(
            f"{name} have the shape {tuple(values.shape)}; they must be one constant input [N] (their mean?)"
        )
    return values


def as_states(states: Array, widths: tuple[int, ...], layers: int = 1, *, name: str = "states") -> Tensor:
    """States `[..., n]` in float64.

    A list of arrays is a list of trials. Two arrays are the hidden and cell states of an LSTM if their last axes have
    those lengths, since states of trials have all n coordinates; or if they are `[L, B, H]` with its L > 1 layers, as
    PyTorch returns them. A warning is given for a list, which may be ambiguous. A single array `[L, B, H]` is refused,
    since it could be outputs of L frames.

    Args:
        states: in any form.
        widths: number of coordinates of each part of a state: n, or an LSTM's hidden and cell states; empty if unknown.
        layers: L.
        name: of the argument, for error messages.

    Raises:
        ValueError: as `as_numbers`, or if they do not have n coordinates.
    """
    flat = _joined(states, widths, layers, name)
    if widths and flat.shape[-1] != sum(widths):
        parts = "hidden and cell states" if len(widths) == 2 else "hidden states"
        raise ValueError(
            f"{name} have {flat.shape[-1]} values each; those of the module have {sum(widths)}, the {parts} of all "
            f"layers side by side, as `states_of` returns them{_advice(widths, layers)}"
        )
    return flat


def without_layers(states: Tensor) -> Tensor:
    """States `[B, n]` of `[1, B, n]`: one frame, or PyTorch's final state of a single layer; others as they are."""
    return states[0] if states.dim() == 3 and len(states) == 1 else states


def _advice(widths: tuple[int, ...], layers: int) -> str:
    """How to lay out the final state that PyTorch returns."""
    if len(widths) == 2:
        return "; of PyTorch's final state pass the pair (h_n, c_n)"
    return "; of PyTorch's final state pass h_n.transpose(0, 1).flatten(1)" if layers > 1 else ""


def paths_of(states: Array, visited: Tensor) -> list[Tensor] | None:
    """The states of each trial `[T, n]`, to be drawn as a path.

    Args:
        states: in the user's form.
        visited: the same as returned by `as_states`.

    Returns:
        None if it is unknown which frames belong to the same trial.
    """
    if is_list_of_arrays(states) and all(getattr(part, "ndim", 0) == 2 for part in states) and visited.dim() == 2:
        return list(visited.split([len(part) for part in states]))  # trials of different lengths
    if visited.dim() != 3:
        return None
    by_trial = is_list_of_arrays(states) and len(visited) == len(states)
    return list(visited.unbind(0 if by_trial else 1))


def _joined(states: Any, widths: tuple[int, ...], layers: int, name: str) -> Tensor:
    if _is_pair(states, widths, layers):
        parts = [as_numbers(part, name) for part in states]
        if parts[0].shape[-1] != widths[0]:  # [L, B, H]
            parts = [part.transpose(0, 1).flatten(1) for part in parts]
        return torch.cat(parts, dim=-1)
    if is_list_of_arrays(states):
        return joined([_joined(part, widths, layers, name) for part in states], name)
    return as_numbers(states, name)


def _is_pair(states: Any, widths: tuple[int, ...], layers: int) -> bool:
    """Whether these are an LSTM's hidden and cell states.

    Raises:
        ValueError: if only one of them fits.
    """
    if len(widths) != 2 or not isinstance(states, tuple | list) or len(states) != 2:
        return False
    try:
        shapes = [tuple(as_numbers(part, "states").shape) for part in states]
    except ValueError:
        return False  # `as_numbers` will raise an error for the whole
    if layers > 1 and shapes[0][1:2] == shapes[1][1:2]:
        of_pytorch = [(layers, *shapes[0][1:2], width // layers) for width in widths]
        if shapes == of_pytorch:
            return True
    fits = [shape[-1] == width for shape, width in zip(shapes, widths, strict=True)]
    if all(fits) and shapes[0][:-1] == shapes[1][:-1]:
        if isinstance(states, list):
            warnings.warn(
                "a list of two arrays was taken for the hidden and cell states of an LSTM, not for those of two "
                f"trials, which have {sum(widths)} values each; pass a tuple (h, c) to avoid this warning",
                stacklevel=7,
            )
        return True
    if any(fits):
        raise ValueError(
            f"states are two arrays {shapes[0]} and {shapes[1]}; hidden and cell states of the module have "
            f"{widths[0]} and {widths[1]} values each, and as many axes, and trials have {sum(widths)}"
        )
    return False
