"""How passes are compiled by Numba, and their machine code kept on disk."""

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

# Of the processor, and of all modules here, since Numba looks only at that of the function itself.
_DIGEST = hashlib.sha256(f"{get_host_cpu_name()} {get_host_cpu_features().flatten()}".encode())
for _module in sorted(Path(__file__).parent.glob("*.py")):
    _DIGEST.update(_module.read_bytes())
KIND = _DIGEST.hexdigest()[:16]
"""Machine code is kept in separate files for each kind."""


def compiled(function: Callable) -> Callable:
    """A function compiled at its first call, the machine code kept beside its file, or where Numba finds a place."""
    function.__qualname__ += f".{KIND}"  # Numba names the files of its cache after it
    # No fast mathematics but products and sums in one: a number that is not finite must show in the loss.
    dispatcher = njit(function, error_model="numpy", fastmath={"contract"}, nogil=True)
    with contextlib.suppress(RuntimeError):  # no place: neither there nor in the home directory may be written
        dispatcher._cache = _Kept(function)
    return dispatcher


class _Kept(FunctionCache):
    """The cache of `njit(cache=True)`, but a job goes on where its files are damaged or the disk is full.

    With Numba's own such an error ends the job, and every later one. Only this hook, which is private to Numba, knows
    reading and writing of the cache from an error of the compiled function.
    """

    @contextlib.contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # what is damaged can raise anything
            log.warning("%s: compiled code there is not used (%s: %s)", self.cache_path, type(error).__name__, error)
            with contextlib.suppress(OSError):
                self.flush()
