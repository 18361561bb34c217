"""How long memory lasts, as a single number computed from accuracy against delay (docs/method.md, Memory).

S networks, D delays.
"""

from __future__ import annotations

import numpy as np

from slowpoints.task.timing import FRAMES


def memory_score(delays: np.ndarray, accuracy: np.ndarray, first: int = FRAMES) -> np.ndarray:
    """Accuracy averaged over log delay from `first` to the longest delay, by the trapezoidal rule.

    Args:
        delays: `[D]`, increasing, in frames; `first` is one of them.
        accuracy: `[..., D]`.
        first: delay at which the average starts, by default T = 20.

    Returns:
        `[...]`, in [0, 1]; never censored.

    Raises:
        ValueError: if `first` is not among the delays, or none is longer.
    """
    _require(delays, first)
    beyond = np.log(delays[delays >= first])
    if len(beyond) < 2:
        raise ValueError(f"delays {list(map(int, delays))} do not reach beyond {first}")
    return np.trapezoid(accuracy[..., delays >= first], beyond) / (beyond[-1] - beyond[0])


def longest_score(delays: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Memory score of a class that is always reported correctly up to a delay, and never later.

    Args:
        delays: `[D]`, as for `memory_score`.
        last: that delay, in frames, `[...]`; NaN if it is unknown, which scores 1.

    Returns:
        `[...]`.

    Raises:
        ValueError: as `memory_score`.
    """
    return memory_score(delays, (~(delays > last[..., None])).astype(float))


def persistence(delays: np.ndarray, accuracy: np.ndarray, *, trained: int) -> np.ndarray:
    """Memory score relative to accuracy at the longest delay seen in training: how much of what was learned lasts.

    Args:
        delays: `[D]`, as for `memory_score`.
        accuracy: `[..., D]`.
        trained: that delay, in frames; one of `delays`.

    Returns:
        `[...]`; NaN where accuracy at that delay is 0.

    Raises:
        ValueError: as `memory_score`, or if `trained` is not among `delays`.
    """
    _require(delays, trained)
    learned = accuracy[..., int(np.flatnonzero(delays == trained)[0])]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(learned > 0, memory_score(delays, accuracy) / learned, np.nan)


def half_life(delays: np.ndarray, accuracy: np.ndarray, *, chance: float, trained: int) -> np.ndarray:
    """Delay at which accuracy has fallen half-way from its trained level to chance.

    Interpolated linearly in log delay between the two delays around the first crossing.

    Args:
        delays: `[D]`, increasing, in frames.
        accuracy: `[S, D]`, one row per network, in [0, 1].
        chance: accuracy of a guess, 1 / number of classes.
        trained: longest delay seen in training, in frames; one of `delays`.

    Returns:
        `[S]` half-lives in frames; NaN where accuracy never crosses within `delays`.

    Raises:
        ValueError: if `trained` is not among `delays`.
    """
    _require(delays, trained)
    first = int(np.flatnonzero(delays == trained)[0])
    log_delay, later = np.log(delays[first:]), accuracy[:, first:]
    half = (later[:, 0] + chance) / 2
    half_lives = np.full(len(accuracy), np.nan)
    for row, (curve, level) in enumerate(zip(later, half, strict=True)):
        below = np.flatnonzero(curve <= level)
        if len(below) and below[0] > 0:  # a network that starts at chance has no memory to lose
            after = below[0]
            before = after - 1
            share = (curve[before] - level) / (curve[before] - curve[after])
            half_lives[row] = np.exp(log_delay[before] + share * (log_delay[after] - log_delay[before]))
    return half_lives


def _require(delays: np.ndarray, delay: int) -> None:
    if delay not in delays:
        raise ValueError(f"delay {delay} is not among the delays {list(map(int, delays))}")
