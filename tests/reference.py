"""An independent implementation in NumPy, one network and one trial at a time, straight from the equations."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_step(x, h, weights):
    """x [N + 1] with the trigger last, h [H]; columns of the weights are z, r, n."""
    w, u, b = weights["input"], weights["recurrent"], weights["bias"]
    size = len(h)
    z = sigmoid(x @ w[:, :size] + h @ u[:, :size] + b[:size])
    r = sigmoid(x @ w[:, size : 2 * size] + h @ u[:, size : 2 * size] + b[size : 2 * size])
    n = np.tanh(x @ w[:, 2 * size :] + (r * h) @ u[:, 2 * size :] + b[2 * size :])
    return (1 - z) * h + z * n


def lstm_step(x, h, c, weights):
    """Columns of the weights are i, f, o, g."""
    pre = x @ weights["input"] + h @ weights["recurrent"] + weights["bias"]
    i, f, o, g = np.split(pre, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def rnn_step(x, h, weights):
    return np.tanh(x @ weights["input"] + h @ weights["recurrent"] + weights["bias"])


def gru_after_step(x, h, weights):
    """Columns of the input weights are z, r, n, of the recurrent weights z, r, m, of the bias z, r, n, m."""
    w, u, b = weights["input"], weights["recurrent"], weights["bias"]
    size = len(h)
    z = sigmoid(x @ w[:, :size] + h @ u[:, :size] + b[:size])
    r = sigmoid(x @ w[:, size : 2 * size] + h @ u[:, size : 2 * size] + b[size : 2 * size])
    m = h @ u[:, 2 * size :] + b[3 * size :]
    n = np.tanh(x @ w[:, 2 * size :] + b[2 * size : 3 * size] + r * m)
    return (1 - z) * h + z * n


def ugrnn_step(x, h, weights):
    """Columns of the weights are z, n."""
    z, n = np.split(x @ weights["input"] + h @ weights["recurrent"] + weights["bias"], 2)
    return sigmoid(z) * h + (1 - sigmoid(z)) * np.tanh(n)


def mingru_step(x, h, weights):
    """Columns of the weights are z, n; the recurrent weights have none."""
    z, n = np.split(x @ weights["input"] + weights["bias"], 2)
    return (1 - sigmoid(z)) * h + sigmoid(z) * n


def lru_step(x, h, weights):
    """h is the real parts of all modes, then the imaginary parts; columns of the bias are B x, nu, theta."""
    size, pairs = len(h), len(h) // 2
    modes = size - pairs
    place = np.arange(1, modes + 1)
    nu = np.log(-np.log(np.sqrt((place - 0.5) / modes))) + weights["bias"][size : size + modes]
    theta = np.zeros(modes)  # of a last real mode
    angle = place[:pairs] * np.pi * (3 - np.sqrt(5)) % (2 * np.pi)
    theta[:pairs] = np.exp(np.log(angle) + weights["bias"][size + modes :])
    eigenvalue = np.exp(-np.exp(nu) + 1j * theta)
    added = x @ weights["input"] + weights["bias"][:size]
    q = h[:modes] + 0j
    added, q[:pairs] = added[:modes] + 1j * np.append(added[modes:], [0] * (modes - pairs)), q[:pairs] + 1j * h[modes:]
    q = eigenvalue * q + np.sqrt(1 - np.abs(eigenvalue) ** 2) * added
    return np.concatenate([q.real, q.imag[:pairs]])


def rg_lru_step(x, h, weights):
    """Columns of the input weights are r, i, n; of the bias also Lambda, less its start."""
    size, c = len(h), 8
    r, i, n = np.split(x @ weights["input"] + weights["bias"][: 3 * size], 3)
    a = (0.9 + 0.099 * (np.arange(size) + 0.5) / size) ** (1 / c)
    a = sigmoid(np.log(a / (1 - a)) + weights["bias"][3 * size :]) ** (c * sigmoid(r))
    return a * h + np.sqrt(1 - a**2) * sigmoid(i) * n


def slstm_step(x, h, mean, log_n, weights):
    """c / n and log n of the paper's c, n and m, of which one is free: n = 1. Columns of the weights are f, o, i, g."""
    f, o, i, g = np.split(x @ weights["input"] + h @ weights["recurrent"] + weights["bias"], 4)
    c, n, m = mean, 1.0, log_n
    log_f = np.log(sigmoid(f))
    after = np.maximum(log_f + m, i)
    c = np.exp(log_f + m - after) * c + np.exp(i - after) * np.tanh(g)
    n = np.exp(log_f + m - after) * n + np.exp(i - after)
    return sigmoid(o) * c / n, c / n, after + np.log(n)


def brc_step(x, h, weights):
    """Columns of the input weights are a, c, n; of the bias also the own weights of a and c, less 1."""
    size = len(h)
    a, c, n = np.split(x @ weights["input"] + weights["bias"][: 3 * size], 3)
    own_a, own_c = np.split(1 + weights["bias"][3 * size :], 2)
    return bistable(1 + np.tanh(a + own_a * h), sigmoid(c + own_c * h), n, h)


def nbrc_step(x, h, weights):
    """Columns of the weights are a, c, n; the recurrent weights have none for n."""
    a, c, n = np.split(x @ weights["input"] + weights["bias"], 3)
    u_a, u_c = np.split(weights["recurrent"], 2, axis=1)
    return bistable(1 + np.tanh(a + h @ u_a), sigmoid(c + h @ u_c), n, h)


def bistable(a, c, n, h):
    return c * h + (1 - c) * np.tanh(n + a * h)


STEPS = {
    "brc": brc_step,
    "gru": gru_step,
    "gru-after": gru_after_step,
    "lru": lru_step,
    "lstm": lstm_step,
    "mingru": mingru_step,
    "nbrc": nbrc_step,
    "rg-lru": rg_lru_step,
    "rnn": rnn_step,
    "slstm": slstm_step,
    "ugrnn": ugrnn_step,
}
"""A step of each recurrent unit, from input, parts of the state and weights."""
FIRST = {"slstm": (0.0, 0.0, -np.inf)}
"""Parts of the state before the first frame, where they are not all zero."""


def conv_front_end(image, weights):
    """One image [height, width, channels] through convolution, leaky ReLU, pooling, then dense layers."""
    maps = image.transpose(2, 0, 1)
    layer = 0
    while f"front_end.conv{layer}.weight" in weights:
        kernel, bias = weights[f"front_end.conv{layer}.weight"], weights[f"front_end.conv{layer}.bias"]
        padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
        height, width = maps.shape[1:]
        out = np.empty((len(kernel), height, width))
        for y in range(height):
            for x in range(width):
                out[:, y, x] = np.tensordot(kernel, padded[:, y : y + 3, x : x + 3], axes=3) + bias
        out = np.where(out > 0, out, 0.2 * out)
        out = out[:, : height // 2 * 2, : width // 2 * 2]
        maps = out.reshape(len(kernel), height // 2, 2, width // 2, 2).max((2, 4))
        layer += 1
    features = maps.transpose(1, 2, 0).ravel()
    layer = 0
    while f"front_end.dense{layer}.weight" in weights:
        features = features @ weights[f"front_end.dense{layer}.weight"] + weights[f"front_end.dense{layer}.bias"]
        features = np.where(features > 0, features, 0.2 * features)
        layer += 1
    return features


def run_trial(frames, report, weights, architecture, image_shape=None):
    """Outputs [T, C + 1] for frames [T, N], trigger at `report`."""
    step = STEPS[architecture]
    parts = step.__code__.co_argcount - 2  # of a state: all arguments but the input and the weights
    state = [np.full(weights["recurrent"].shape[0], part) for part in FIRST.get(architecture, [0.0] * parts)]
    outputs = []
    for frame, pixels in enumerate(frames):
        if "front_end.dense0.weight" in weights:
            pixels = conv_front_end(pixels.reshape(image_shape), weights)
        x = np.append(pixels, float(frame == report))
        after = step(x, *state, weights)
        state = [after] if parts == 1 else list(after)
        outputs.append(state[0] @ weights["readout"] + weights["readout_bias"])
    return np.array(outputs)


def trial_loss(outputs, label, report, classes_in_use, null_weight, readout):
    """Cost of one trial, summed over its frames and divided by 20."""
    total = 0.0
    for frame, logits in enumerate(outputs):
        used = [0, *[k + 1 for k in classes_in_use]]
        values = logits[used]
        if readout == "sigmoid_softmax":
            values = sigmoid(values)
        p = np.exp(values - values.max())
        p /= p.sum()
        target = used.index(label + 1) if frame == report else 0
        weight = 19 + null_weight if frame == report else null_weight
        total -= weight * np.log(p[target] + (1e-4 if readout == "sigmoid_softmax" else 0))
    return total / 20


def network(networks, row):
    """Weights of one network as NumPy arrays in float64."""
    return {name: weight[row].detach().numpy().astype(np.float64) for name, weight in networks.weights.items()}
