"""Conversion of numbers in any common form to float64 tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Array = Tensor | np.ndarray | Sequence
"""Numbers in any common form."""
HOLDERS = (dict, set, frozenset, Iterator, str, bytes)
"""Types that hold many values, but are not arrays."""


def as_numbers(values: Array, name: str, *, empty: bool = False, finite: bool = True) -> Tensor:
    """A copy of numbers in any common form, as a float64 tensor: tensors stay on their device, all else is on the CPU.

    Arrays in a list, such as the trials of an experiment, are stacked or, if they differ in length, joined along their
    first axis.

    Args:
        values: a tensor, an array with any byte order and strides, a data frame, or a list of numbers or of arrays.
        name: name of the argument, for messages.
        empty: whether there may be no values.
        finite: whether all values must be finite.

    Raises:
        ValueError: naming the argument, if it is not an array of real numbers, is empty, has no axis, or is not finite.
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
    """Whether each member is itself an array or a list of arrays; a list of numbers is a single array."""
    if str(getattr(values, "dtype", None)) == "object" and values.ndim == 1 and not _is_masked(values):
        values = values.tolist()  # such as trials that differ in length, or a column of states
    if not isinstance(values, tuple | list) or not values or isinstance(values, nn.utils.rnn.PackedSequence):
        return False
    return all(getattr(part, "ndim", 0) > 0 or is_list_of_arrays(part) for part in values)


def joined(parts: Sequence[Tensor], name: str) -> Tensor:
    """Several arrays as one: stacked if their shapes are equal, otherwise joined along all but their last axes.

    Raises:
        ValueError: if their last axes differ in length, or if they are on several devices.
    """
    shapes = sorted({tuple(part.shape) for part in parts})
    if len({part.device for part in parts}) > 1:
        raise ValueError(f"{name} lie on several devices; they must be on one")
    if len(shapes) == 1:
        return torch.stack(list(parts))
    if len({shape[-1] for shape in shapes}) > 1 or min(map(len, shapes)) < 2:
        raise ValueError(f"{name} are a list of arrays {', '.join(map(str, shapes))}; their last axes must agree")
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
        raise ValueError(f"{name} are masked; give the unmasked values only, or fill in the others")
    if values.layout != torch.strided or values.is_nested or values.is_quantized:
        raise ValueError(f"{name} are a sparse, nested or quantised tensor; it must be a dense one")
    return values.detach().to(torch.float64, copy=True)


def _of_array(values: Any, name: str) -> Tensor:
    if _is_masked(values):
        raise ValueError(f"{name} are masked; give the unmasked values only, or fill in the others (`.filled`)")
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
    # Copied by NumPy, since PyTorch supports neither negative strides nor foreign byte order.
    return torch.from_numpy(np.array(array, dtype=np.float64, order="C"))


def _is_masked(values: Any) -> bool:
    if isinstance(values, tuple | list):
        return any(_is_masked(part) for part in values)
    return isinstance(values, np.ma.MaskedArray)


def _of_objects(array: np.ndarray) -> np.ndarray:
    """Numbers stored in an array of objects, as in a data frame of mixed columns; text and None are not numbers."""
    others = [item for item in array.flat if isinstance(item, str | bytes) or not hasattr(item, "__float__")]
    if others:
        raise TypeError(f"it holds {others[0]!r}")
    return array.astype(np.float64)
