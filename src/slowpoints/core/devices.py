"""The device to use, its name, and the precision of its products."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

PRECISIONS = {"float32": "ieee", "tf32": "tf32"}
"""Precisions of products by name, as PyTorch calls them."""
CUDNN: Any = torch.backends.cudnn  # an object with `conv`, with which PyTorch replaces its module


def chosen_device(wanted: str) -> str:
    """The device to use; for `auto`, `cuda` if there is a GPU, whose convolutions are then set to full precision.

    Args:
        wanted: auto, cpu or cuda.

    Raises:
        RuntimeError: if `cuda` is wanted and there is none.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("device is cuda, but PyTorch finds no GPU here; set device to auto or cpu")
    if wanted == "cpu" or not torch.cuda.is_available():
        return "cpu"
    CUDNN.conv.fp32_precision = "ieee"  # PyTorch's default rounds convolutions to tf32
    return "cuda"


def checked_device(device: torch.device | str) -> torch.device:
    """A device on which tensors can be placed.

    Raises:
        ValueError: if there is no such device here.
    """
    try:
        checked = torch.device(device)
        torch.empty(0, device=checked)
    except (RuntimeError, TypeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device is {device!r}, which PyTorch does not find here ({reason})") from None
    if checked.type == "meta":
        raise ValueError("device is meta, where tensors have no values; it must be cpu or cuda")
    return checked


def device_name(wanted: str) -> str:
    """Name of the device that results come from: "cpu", or the GPU's."""
    return "cpu" if chosen_device(wanted) == "cpu" else torch.cuda.get_device_name()


@contextlib.contextmanager
def precision(name: str) -> Iterator[None]:
    """Context with matrix products and convolutions in this precision; everything else stays float32.

    Args:
        name: one of `PRECISIONS`: `float32`, or `tf32` for tensor cores, which round factors to 10 bits; the same on
            a CPU.
    """
    matmul, conv = torch.backends.cuda.matmul, CUDNN.conv
    before = matmul.fp32_precision, conv.fp32_precision
    matmul.fp32_precision = conv.fp32_precision = PRECISIONS[name]
    try:
        yield
    finally:
        matmul.fp32_precision, conv.fp32_precision = before
