"""What the passes of all units need: how they are compiled and kept, and the functions of single numbers."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

log = logging.getLogger(__name__)

# Of the processor, and of all modules here, since Numba looks only at that of the function itself.
_DIGEST = hashlib.sha256(f"{get_host_cpu_name()} {get_host_cpu_features().flatten()}".encode())
for _module in sorted(Path(__file__).parent.glob("*.py")):
    _DIGEST.update(_module.read_bytes())
KIND = _DIGEST.hexdigest()[:16]
"""Machine code is kept in files of their own for each kind."""


def compiled(function: Callable) -> Callable:
    """A function compiled at its first call, the machine code kept beside its file, or where Numba finds a place."""
    # No fast mathematics but products and sums in one: a number that is not finite must show in the loss.
    dispatcher = njit(function, error_model="numpy", fastmath={"contract"}, nogil=True)
    with contextlib.suppress(RuntimeError):  # no place: neither there nor in the home directory may be written
        dispatcher._cache = _Kept(function)
    return dispatcher


class _Kept(FunctionCache):
    """Machine code on disk, without which a job goes on: damaged files, a full disk."""

    def __init__(self, function: Callable):
        super().__init__(function)
        base, stamp = self._impl.filename_base, self._impl.locator.get_source_stamp()
        self._cache_file = IndexDataCacheFile(self.cache_path, f"{base}.{KIND}", stamp)

    @contextlib.contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # what is damaged can raise anything
            log.warning("%s: compiled code there is not used (%s: %s)", self.cache_path, type(error).__name__, error)
            with contextlib.suppress(OSError):
                self.flush()


# tanh as the quotient of an odd and an even polynomial, to two roundings of 1 (coefficients of Eigen's `ptanh`).
LARGEST = np.float32(7.90531110763549805)  # from where on the quotient is 1
ODD = (4.89352456e-3, 6.37261929e-4, 1.48572236e-5, 5.12229709e-8, -8.60467152e-11, 2.00018790e-13, -2.76076848e-16)
EVEN = (4.89352519e-3, 2.26843463e-3, 1.18534706e-4, 1.19825839e-6)
P0, P1, P2, P3, P4, P5, P6 = np.array(ODD, np.float32)
Q0, Q1, Q2, Q3 = np.array(EVEN, np.float32)
HALF, ONE = np.float32(0.5), np.float32(1)


@compiled
def tanh(x):
    """tanh of a number."""
    x = LARGEST if x > LARGEST else x
    x = -LARGEST if x < -LARGEST else x
    y = x * x
    above = ((((((P6 * y + P5) * y + P4) * y + P3) * y + P2) * y + P1) * y + P0) * x
    return above / (((Q3 * y + Q2) * y + Q1) * y + Q0)


@compiled
def sigmoid(x):
    """1 / (1 + exp(-x)) of a number."""
    return HALF * tanh(HALF * x) + HALF


@compiled
def add(to, what):
    """Adds one row to another."""
    for i in range(len(to)):
        to[i] += what[i]
