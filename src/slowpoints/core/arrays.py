"""Numbers in any form that users have them in, as tensors in float64."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Array = Tensor | np.ndarray | Sequence
"""Numbers in any form."""
HOLDERS = (dict, set, frozenset, Iterator, str, bytes)
"""What looks like many values and is no array."""


def as_numbers(values: Array, name: str, *, empty: bool = False, finite: bool = True) -> Tensor:
    """Numbers in any form as float64, a copy: tensors where they lie, all else on the CPU.

    Arrays in a list, such as the trials of an experiment, are stacked, or, where they differ in length, joined along
    their first axis.

    Args:
        values: a tensor, an array of any order of bytes and strides, a data frame, or a list of numbers or of arrays.
        name: of the argument, for messages.
        empty: whether there may be none.
        finite: whether all must be.

    Raises:
        ValueError: naming them, if they are no array of real numbers, there are none, they have no axis, or are not
            finite.
    """
    if is_list_of_arrays(values):
        numbers = joined([as_numbers(part, name) for part in values], name)
    else:
        numbers = _converted(values, name)
    if not numbers.dim() or not (numbers.numel() or empty):
        raise ValueError(f"{name} have the shape {tuple(numbers.shape)}; there must be at least one, of some values")
    if finite and not numbers.isfinite().all():
        raise ValueError(f"{name} must be finite")
    return numbers


def is_list_of_arrays(values: Any) -> bool:
    """Whether each member is an array by itself, or again a list of arrays; a list of numbers is one array."""
    if str(getattr(values, "dtype", None)) == "object" and values.ndim == 1 and not _is_masked(values):
        values = values.tolist()  # of trials that differ in length, or a column of states
    if not isinstance(values, tuple | list) or not values or isinstance(values, nn.utils.rnn.PackedSequence):
        return False
    return all(getattr(part, "ndim", 0) > 0 or is_list_of_arrays(part) for part in values)


def joined(parts: Sequence[Tensor], name: str) -> Tensor:
    """Arrays that belong together as one: stacked where they are alike, else joined along their first axes.

    Raises:
        ValueError: if they differ in the length of their last axis, or in device.
    """
    shapes = sorted({tuple(part.shape) for part in parts})
    if len({part.device for part in parts}) > 1:
        raise ValueError(f"{name} lie on several devices; they must be on one")
    if len(shapes) == 1:
        return torch.stack(list(parts))
    if len({shape[-1] for shape in shapes}) > 1 or min(map(len, shapes)) < 2:
        raise ValueError(f"{name} are a list of arrays {', '.join(map(str, shapes))}; their last axes must be alike")
    return torch.cat([part.reshape(-1, part.shape[-1]) for part in parts])


def _converted(values: Any, name: str) -> Tensor:
    if isinstance(values, nn.utils.rnn.PackedSequence):
        raise ValueError(f"{name} are packed; give them padded (torch.nn.utils.rnn.pad_packed_sequence), or one by one")
    if isinstance(values, HOLDERS):
        raise ValueError(f"{name} must be an array of numbers; a {type(values).__name__} is none")
    return _of_tensor(values, name) if isinstance(values, Tensor) else _of_array(values, name)


def _of_tensor(values: Tensor, name: str) -> Tensor:
    if values.is_complex():
        raise ValueError(f"{name} are complex; they must be real")
    if values.is_meta:
        raise ValueError(f"{name} are on the device meta, where tensors have no values")
    if type(values).__name__ == "MaskedTensor":
        raise ValueError(f"{name} are masked; give those values alone that are there, or fill them in")
    if values.layout != torch.strided or values.is_nested or values.is_quantized:
        raise ValueError(f"{name} are a sparse, nested or quantised tensor; it must be a dense one")
    return values.detach().to(torch.float64, copy=True)


def _of_array(values: Any, name: str) -> Tensor:
    if _is_masked(values):
        raise ValueError(f"{name} are masked; give those values alone that are there, or fill them in (`.filled`)")
    try:
        array = np.asarray(values)
        if array.dtype == object:
            array = _of_objects(array)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{name} must be an array of numbers ({error})") from None
    if array.dtype.kind == "c":
        raise ValueError(f"{name} are complex; they must be real")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of numbers, not of {array.dtype}")
    # Copied by NumPy: PyTorch takes neither negative strides nor the other order of bytes.
    return torch.from_numpy(np.array(array, dtype=np.float64, order="C"))


def _is_masked(values: Any) -> bool:
    if isinstance(values, tuple | list):
        return any(_is_masked(part) for part in values)
    return isinstance(values, np.ma.MaskedArray)


def _of_objects(array: np.ndarray) -> np.ndarray:
    """Numbers that lie in an array as objects, as in a data frame of mixed columns; text and None are none."""
    strange = [each for each in array.flat if isinstance(each, str | bytes) or not hasattr(each, "__float__")]
    if strange:
        raise TypeError(f"it holds {strange[0]!r}")
    return array.astype(np.float64)
