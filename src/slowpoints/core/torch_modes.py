"""PyTorch's modes that a caller may have switched on, and that must not change a result."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def usual_modes() -> Iterator[None]:
    """No inference mode, autocast or anomaly detection inside; a decorator, too.

    Under inference mode nothing can be differentiated; under autocast products in float32, as in a Newton step, would
    be rounded to 16 bits; with anomaly detection derivatives of many outputs cannot be taken at once. The default
    device stays that of the caller, whose own functions may rely on it: tensors are made where they belong, by name.
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
    """`usual_modes`, and PyTorch's own default type and device inside; a decorator, too.

    For what runs the library's own networks alone, in float32 on the device where they lie: no function of a caller's
    may be called inside, since it may rely on other defaults.
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
