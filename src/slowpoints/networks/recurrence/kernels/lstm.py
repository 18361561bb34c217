"""The LSTM's passes over all frames. S networks, T frames, B trials, H hidden units, R rows of a table."""

from __future__ import annotations

import numpy as np

from slowpoints.networks.recurrence.kernels.jit import compiled
from slowpoints.networks.recurrence.kernels.primitives import ONE, add, product, sigmoid, tanh


@compiled
def forward(first, stop, index, tables, weights, states, saved):
    """States of networks `first` to `stop` - 1 at every frame; the arguments are `KernelUnroll`'s."""
    (hidden, cell), (gates, squashed) = states, saved
    frames, _, trials = index.shape
    width = hidden.shape[3]
    into = np.empty((trials, 4 * width), np.float32)
    for s in range(first, stop):
        for t in range(frames):
            product(hidden[s, t], weights[0][s], into)
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
def backward(first, stop, index, grad_hidden, weights, states, saved, grad_tables, grad_weights):
    """Gradients of networks `first` to `stop` - 1, as `LSTM.adjoint` has them."""
    (hidden, cell), (gates, squashed) = states, saved
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
                g_h, g_c, grad_h, tanh_c = grad[b], grad_cell[b], grad_hidden[s, t, b], squashed[s, t, b]
                gate, to_gate, c = gates[s, t, b], grad_gates[t, b], cell[s, t, b]
                i_, f, o, g = gate[:width], gate[width:], gate[2 * width :], gate[3 * width :]
                to_i, to_f, to_o, to_g = to_gate, to_gate[width:], to_gate[2 * width :], to_gate[3 * width :]
                for i in range(width):
                    total = g_h[i] + grad_h[i]
                    g_c[i] += total * o[i] * (ONE - tanh_c[i] * tanh_c[i])
                    to_o[i] = total * tanh_c[i] * o[i] * (ONE - o[i])
                for i in range(width):
                    to_i[i] = g_c[i] * g[i] * i_[i] * (ONE - i_[i])
                    to_g[i] = g_c[i] * i_[i] * (ONE - g[i] * g[i])
                for i in range(width):
                    to_f[i] = g_c[i] * c[i] * f[i] * (ONE - f[i])
                    g_c[i] *= f[i]
                add(grad_tables[0][s, index[t, s, b]], to_gate)
            product(grad_gates[t], to_gates, grad)
        rows = frames * trials
        product(hidden[s, :frames].reshape(rows, width), grad_gates.reshape(rows, 4 * width), grad_weights[0][s], True)
