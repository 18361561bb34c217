"""Which device to work on, and its name."""

from __future__ import annotations

import torch


def chosen_device(wanted: str) -> str:
    """The device to use: `cuda` for `auto` where there is one.

    Args:
        wanted: auto, cpu or cuda.

    Raises:
        RuntimeError: if `cuda` is wanted and there is none.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("device is cuda, but PyTorch finds no GPU here; set device to auto or cpu")
    if wanted == "cpu" or not torch.cuda.is_available():
        return "cpu"
    torch.backends.cudnn.conv.fp32_precision = "ieee"  # PyTorch's default rounds convolutions to tf32
    return "cuda"


def device_name(wanted: str) -> str:
    """Name of the device that results come from: "cpu", or the GPU's."""
    return "cpu" if chosen_device(wanted) == "cpu" else torch.cuda.get_device_name()
