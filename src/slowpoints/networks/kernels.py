"""Recurrences on a CPU, compiled: all frames of one network after another, its numbers warm in cache.

Between the products of a frame PyTorch goes over its arrays some thirty times, a call each; here it is once or twice.
float32 only. S networks, T frames, B trials, H hidden units, R rows of a table.

Everything stands in this one module, because Numba compiles anew only what lies in a file that changed.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import njit


def compiled(function):
    """A function compiled at its first call, the machine code kept beside this file, or where Numba finds a place."""
    # No fast mathematics but products and sums in one: a number that is not finite must show in the loss.
    plain = functools.partial(njit, error_model="numpy", fastmath={"contract"}, nogil=True)
    try:
        return plain(function, cache=True)
    except RuntimeError:  # there is no place: neither beside this file nor in the home directory may be written
        return plain(function)


# tanh as the quotient of an odd and an even polynomial, to two roundings of 1 (coefficients of Eigen's `ptanh`).
LARGEST = np.float32(7.90531110763549805)  # beyond, tanh is 1 in float32
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
def gru_forward(first, stop, index, tables, weights, states, kept):
    """States of networks `first` to `stop` - 1 at every frame; the arguments are `KernelUnroll`'s."""
    (hidden,), (gates, reset, candidate) = states, kept
    frames, _, trials = index.shape
    width = hidden.shape[3]
    into_gates, into_candidate = np.empty((trials, 2 * width), np.float32), np.empty((trials, width), np.float32)
    for s in range(first, stop):
        for t in range(frames):
            np.dot(hidden[s, t], weights[0][s], into_gates)
            for b in range(trials):
                drive, pre, gate = tables[0][s, index[t, s, b]], into_gates[b], gates[s, t, b]
                for i in range(2 * width):
                    gate[i] = sigmoid(pre[i] + drive[i])
                r, h, out = gate[width:], hidden[s, t, b], reset[s, t, b]
                for i in range(width):
                    out[i] = r[i] * h[i]
            np.dot(reset[s, t], weights[1][s], into_candidate)
            for b in range(trials):
                drive, pre, n = tables[1][s, index[t, s, b]], into_candidate[b], candidate[s, t, b]
                z, h, after = gates[s, t, b], hidden[s, t, b], hidden[s, t + 1, b]
                for i in range(width):
                    n[i] = tanh(pre[i] + drive[i])
                for i in range(width):
                    after[i] = h[i] + z[i] * (n[i] - h[i])


@compiled
def gru_backward(first, stop, index, grad_hidden, weights, states, kept, grad_tables, grad_weights):
    """Gradients of networks `first` to `stop` - 1, as `GRU.adjoint` has them."""
    (hidden,), (gates, reset, candidate) = states, kept
    frames, _, trials = index.shape
    width = hidden.shape[3]
    grad, through_reset = np.empty((trials, width), np.float32), np.empty((trials, width), np.float32)
    direct = np.empty((trials, width), np.float32)  # what reaches the state before other than through z and r
    grad_gates = np.empty((frames, trials, 2 * width), np.float32)
    grad_candidate = np.empty((frames, trials, width), np.float32)
    for s in range(first, stop):
        to_gates, to_candidate = weights[0][s].T.copy(), weights[1][s].T.copy()
        grad[:] = 0
        for t in range(frames - 1, -1, -1):
            for b in range(trials):
                g, here, to_h, to_n = grad[b], grad_hidden[s, t, b], direct[b], grad_candidate[t, b]
                z, n, h, to_z = gates[s, t, b], candidate[s, t, b], hidden[s, t, b], grad_gates[t, b]
                for i in range(width):
                    whole = g[i] + here[i]
                    through = whole * z[i]
                    to_n[i] = through * (ONE - n[i] * n[i])
                    to_h[i] = whole - through
                    to_z[i] = (whole - through) * z[i] * (n[i] - h[i])
            np.dot(grad_candidate[t], to_candidate, through_reset)
            for b in range(trials):
                g, to_h, to_r = through_reset[b], direct[b], grad_gates[t, b, width:]
                r, h = gates[s, t, b, width:], hidden[s, t, b]
                for i in range(width):
                    through = g[i] * r[i]
                    to_h[i] += through
                    to_r[i] = through * (ONE - r[i]) * h[i]
                row = index[t, s, b]
                add(grad_tables[0][s, row], grad_gates[t, b])
                add(grad_tables[1][s, row], grad_candidate[t, b])
            np.dot(grad_gates[t], to_gates, grad)
            for b in range(trials):
                add(grad[b], direct[b])
        rows = frames * trials
        np.dot(hidden[s, :frames].reshape(rows, width).T, grad_gates.reshape(rows, 2 * width), grad_weights[0][s])
        np.dot(reset[s].reshape(rows, width).T, grad_candidate.reshape(rows, width), grad_weights[1][s])


@compiled
def lstm_forward(first, stop, index, tables, weights, states, kept):
    """States of networks `first` to `stop` - 1 at every frame; the arguments are `KernelUnroll`'s."""
    (hidden, cell), (gates, squashed) = states, kept
    frames, _, trials = index.shape
    width = hidden.shape[3]
    into = np.empty((trials, 4 * width), np.float32)
    for s in range(first, stop):
        for t in range(frames):
            np.dot(hidden[s, t], weights[0][s], into)
            for b in range(trials):
                drive, pre, gate = tables[0][s, index[t, s, b]], into[b], gates[s, t, b]
                for i in range(3 * width):
                    gate[i] = sigmoid(pre[i] + drive[i])
                for i in range(3 * width, 4 * width):
                    gate[i] = tanh(pre[i] + drive[i])
                i_, f, o, g = gate[:width], gate[width:], gate[2 * width :], gate[3 * width :]
                c, after, tanh_c, h = cell[s, t, b], cell[s, t + 1, b], squashed[s, t, b], hidden[s, t + 1, b]
                for i in range(width):
                    after[i] = f[i] * c[i] + i_[i] * g[i]
                for i in range(width):
                    tanh_c[i] = tanh(after[i])
                    h[i] = o[i] * tanh_c[i]


@compiled
def lstm_backward(first, stop, index, grad_hidden, weights, states, kept, grad_tables, grad_weights):
    """Gradients of networks `first` to `stop` - 1, as `LSTM.adjoint` has them."""
    (hidden, cell), (gates, squashed) = states, kept
    frames, _, trials = index.shape
    width = hidden.shape[3]
    grad, grad_cell = np.empty((trials, width), np.float32), np.empty((trials, width), np.float32)
    grad_gates = np.empty((frames, trials, 4 * width), np.float32)
    for s in range(first, stop):
        to_gates = weights[0][s].T.copy()
        grad[:] = 0
        grad_cell[:] = 0
        for t in range(frames - 1, -1, -1):
            for b in range(trials):
                g_h, g_c, here, tanh_c = grad[b], grad_cell[b], grad_hidden[s, t, b], squashed[s, t, b]
                gate, to_gate, c = gates[s, t, b], grad_gates[t, b], cell[s, t, b]
                i_, f, o, g = gate[:width], gate[width:], gate[2 * width :], gate[3 * width :]
                to_i, to_f, to_o, to_g = to_gate, to_gate[width:], to_gate[2 * width :], to_gate[3 * width :]
                for i in range(width):
                    whole = g_h[i] + here[i]
                    g_c[i] += whole * o[i] * (ONE - tanh_c[i] * tanh_c[i])
                    to_o[i] = whole * tanh_c[i] * o[i] * (ONE - o[i])
                for i in range(width):
                    to_i[i] = g_c[i] * g[i] * i_[i] * (ONE - i_[i])
                    to_g[i] = g_c[i] * i_[i] * (ONE - g[i] * g[i])
                for i in range(width):
                    to_f[i] = g_c[i] * c[i] * f[i] * (ONE - f[i])
                    g_c[i] *= f[i]
                add(grad_tables[0][s, index[t, s, b]], to_gate)
            np.dot(grad_gates[t], to_gates, grad)
        rows = frames * trials
        np.dot(hidden[s, :frames].reshape(rows, width).T, grad_gates.reshape(rows, 4 * width), grad_weights[0][s])


@compiled
def add(to, what):
    """Adds one row to another."""
    for i in range(len(to)):
        to[i] += what[i]
