"""The GRU's passes over all frames. S networks, T frames, B trials, H hidden units, R rows of a table."""

from __future__ import annotations

import numpy as np

from slowpoints.networks.recurrence.kernels.jit import compiled
from slowpoints.networks.recurrence.kernels.primitives import ONE, add, product, sigmoid, tanh


@compiled
def forward(first, stop, index, tables, weights, states, saved):
    """States of networks `first` to `stop` - 1 at every frame; the arguments are `KernelUnroll`'s."""
    (hidden,), (gates, reset, candidate) = states, saved
    frames, _, trials = index.shape
    width = hidden.shape[3]
    into_gates, into_candidate = np.empty((trials, 2 * width), np.float32), np.empty((trials, width), np.float32)
    for s in range(first, stop):
        for t in range(frames):
            product(hidden[s, t], weights[0][s], into_gates)
            for b in range(trials):
                drive, pre, gate = tables[0][s, index[t, s, b]], into_gates[b], gates[s, t, b]
                for i in range(2 * width):
                    gate[i] = sigmoid(pre[i] + drive[i])
                r, h, out = gate[width:], hidden[s, t, b], reset[s, t, b]
                for i in range(width):
                    out[i] = r[i] * h[i]
            product(reset[s, t], weights[1][s], into_candidate)
            for b in range(trials):
                drive, pre, n = tables[1][s, index[t, s, b]], into_candidate[b], candidate[s, t, b]
                z, h, after = gates[s, t, b], hidden[s, t, b], hidden[s, t + 1, b]
                for i in range(width):
                    n[i] = tanh(pre[i] + drive[i])
                for i in range(width):
                    after[i] = h[i] + z[i] * (n[i] - h[i])


@compiled
def backward(first, stop, index, grad_hidden, weights, states, saved, grad_tables, grad_weights):
    """Gradients of networks `first` to `stop` - 1, as `GRU.adjoint` has them."""
    (hidden,), (gates, reset, candidate) = states, saved
    frames, _, trials = index.shape
    width = hidden.shape[3]
    grad, through_reset = np.empty((trials, width), np.float32), np.empty((trials, width), np.float32)
    direct = np.empty((trials, width), np.float32)  # gradient of the state before, except through z and r
    grad_gates = np.empty((frames, trials, 2 * width), np.float32)
    grad_candidate = np.empty((frames, trials, width), np.float32)
    for s in range(first, stop):
        to_gates, to_candidate = weights[0][s].T.copy(), weights[1][s].T.copy()
        grad[:] = 0
        for t in range(frames - 1, -1, -1):
            for b in range(trials):
                g, grad_h, to_h, to_n = grad[b], grad_hidden[s, t, b], direct[b], grad_candidate[t, b]
                z, n, h, to_z = gates[s, t, b], candidate[s, t, b], hidden[s, t, b], grad_gates[t, b]
                for i in range(width):
                    total = g[i] + grad_h[i]
                    through = total * z[i]
                    to_n[i] = through * (ONE - n[i] * n[i])
                    to_h[i] = total - through
                    to_z[i] = (total - through) * z[i] * (n[i] - h[i])
            product(grad_candidate[t], to_candidate, through_reset)
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
            product(grad_gates[t], to_gates, grad)
            for b in range(trials):
                add(grad[b], direct[b])
        rows = frames * trials
        product(hidden[s, :frames].reshape(rows, width), grad_gates.reshape(rows, 2 * width), grad_weights[0][s], True)
        product(reset[s].reshape(rows, width), grad_candidate.reshape(rows, width), grad_weights[1][s], True)
