"""Compilation of the passes by Numba, with their machine code cached on disk."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from numba import njit
from numba.core.caching import FunctionCache

log = logging.getLogger(__name__)

# Covers the processor and all modules here, since Numba checks only the module of the function itself.
_DIGEST = hashlib.sha256(f"{get_host_cpu_name()} {get_host_cpu_features().flatten()}".encode())
for _module in sorted(Path(__file__).parent.glob("*.py")):
    _DIGEST.update(_module.read_bytes())
CACHE_KEY = _DIGEST.hexdigest()[:16]
"""Part of the names of cache files."""


def compiled(function: Callable) -> Callable:
    """A function compiled at its first call, its machine code cached beside its file or in Numba's cache folder."""
    function.__qualname__ += f".{CACHE_KEY}"  # from which Numba derives the names of its cache files
    # Of the fast-math options only fused multiply-add: numbers that are not finite must reach the loss.
    dispatcher = njit(function, error_model="numpy", fastmath={"contract"}, nogil=True)
    with contextlib.suppress(RuntimeError):  # neither folder is writable
        dispatcher._cache = _TolerantCache(function)
    return dispatcher


class _TolerantCache(FunctionCache):
    """The cache of `njit(cache=True)`, but a job continues if its files are damaged or the disk is full.

    With Numba's own cache such an error ends the job, and every later one. Only this hook, private to Numba, separates
    errors of the cache from those of the compiled function.
    """

    @contextlib.contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # damaged files can raise anything
            log.warning("%s: cached machine code is not used (%s: %s)", self.cache_path, type(error).__name__, error)
            with contextlib.suppress(OSError):
                self.flush()
