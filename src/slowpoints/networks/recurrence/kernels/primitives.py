"""Building blocks of the passes of all units: matrix products and functions of numbers."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import torch
from llvmlite.binding import add_symbol
from numba import types

from slowpoints.networks.recurrence.kernels.jit import compiled


def _sgemm() -> types.ExternalFunction:
    """BLAS's sgemm as PyTorch was linked with it.

    At the paper's size it takes three quarters of the time of SciPy's, which Numba would call.

    Raises:
        ImportError: if PyTorch's library does not export it.
    """
    libraries = list(Path(torch.__file__).parent.glob("lib/libtorch_cpu.*"))
    try:
        address = ctypes.cast(ctypes.CDLL(str(libraries[0])).sgemm_, ctypes.c_void_p).value
    except (IndexError, OSError, AttributeError) as error:
        raise ImportError(f"PyTorch's library does not export sgemm ({error})") from None
    add_symbol("slowpoints_sgemm", address)
    letter, size, numbers = map(types.CPointer, (types.uint8, types.int32, types.float32))
    arguments = (letter, letter, size, size, size, numbers, numbers, size, numbers, size, numbers, numbers, size)
    return types.ExternalFunction("slowpoints_sgemm", types.void(*arguments))


SGEMM: Any = _sgemm()


@compiled
def product(left, right, out, transposed=False):
    """Fills `out` with the product of two row-major matrices, with the left one transposed if `transposed`."""
    letters, sizes, factors = np.empty(2, np.uint8), np.empty(4, np.int32), np.empty(2, np.float32)
    letters[0], letters[1] = ord("N"), ord("T") if transposed else ord("N")
    sizes[0], sizes[1], sizes[2], sizes[3] = out.shape[1], out.shape[0], right.shape[0], left.shape[1]
    factors[0], factors[1] = 1, 0
    # Read in Fortran's column-major order these are the transposes, so the right matrix comes first.
    n, m, k, left_columns = sizes[0:].ctypes, sizes[1:].ctypes, sizes[2:].ctypes, sizes[3:].ctypes
    a, b, c = right.ctypes, left.ctypes, out.ctypes
    plain, maybe_transposed, one, zero = letters[0:].ctypes, letters[1:].ctypes, factors[0:].ctypes, factors[1:].ctypes
    SGEMM(plain, maybe_transposed, n, m, k, one, a, n, b, left_columns, zero, c, n)


# tanh as the quotient of an odd and an even polynomial, to two roundings of 1 (coefficients of Eigen's `ptanh`).
LARGEST = np.float32(7.90531110763549805)  # beyond which the quotient is 1
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
def add(row, addend):
    """Adds a row to another in place."""
    for i in range(len(row)):
        row[i] += addend[i]
