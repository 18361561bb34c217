"""Recurrent units compiled for a GPU, which small networks would leave idle between hundreds of kernel launches."""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Callable
from typing import Any

import torch

from slowpoints.networks.units.unit import Unit

log = logging.getLogger(__name__)


@functools.cache
def fused(unit: Unit) -> Unit:
    """The unit with the elementwise operations of its step and adjoint fused into few kernels."""
    compiled: Any = copy.copy(unit)  # its methods are replaced
    compiled.step = _Compiled(unit.step)
    compiled.adjoint = _Compiled(unit.adjoint)
    return compiled


class _Compiled:
    """A function compiled by PyTorch, or run as it is if compilation fails."""

    def __init__(self, plain: Callable):
        self.plain, self.run = plain, torch.compile(plain, dynamic=False)

    def __call__(self, *arguments: Any) -> Any:
        try:
            return self.run(*arguments)
        except Exception as error:  # of many types: a missing compiler, an unknown device
            if self.run is self.plain or isinstance(error, torch.OutOfMemoryError):
                raise
            log.warning("%s could not be compiled (%s) and runs uncompiled", self.plain.__qualname__, error)
            self.run = self.plain
            return self.plain(*arguments)
