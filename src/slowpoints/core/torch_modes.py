"""Modes of PyTorch that a caller may have switched on and that must not change a result."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def usual_modes() -> Iterator[None]:
    """Switches off inference mode, autocast and anomaly detection inside; also a decorator.

    In inference mode, nothing can be differentiated; under autocast, products in float32, as in a Newton step, would be
    rounded to 16 bits; with anomaly detection, derivatives of many outputs cannot be taken at once. The default device
    stays that of the caller, whose own functions may rely on it: the library names the device of each tensor.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        if torch.is_anomaly_enabled():
            stack.enter_context(torch.autograd.set_detect_anomaly(False))
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


@contextlib.contextmanager
def usual_defaults() -> Iterator[None]:
    """`usual_modes`, with PyTorch's own default type and device inside; also a decorator.

    For code that runs only the library's own networks, in float32 on their device. It must not call functions of the
    caller, which may rely on other defaults.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(usual_modes())
        if torch.empty(0).device.type != "cpu":
            stack.enter_context(torch.device("cpu"))
        dtype = torch.get_default_dtype()
        if dtype != torch.float32:
            torch.set_default_dtype(torch.float32)
            stack.callback(torch.set_default_dtype, dtype)
        yield
