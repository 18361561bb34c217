"""Longer trials: image and report are drawn as in the task, for the longer trial."""

from __future__ import annotations

from slowpoints.task.timing import FRAMES
from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Setup


def changes(_setup: Setup, lambda_: float) -> Changes:
    """Trials of lambda frames.

    Raises:
        ValueError: if that is no whole number of at least `FRAMES`.
    """
    if lambda_ % 1 or lambda_ < FRAMES:
        raise ValueError(f"lambda of long_delays is {lambda_:g}; it must be a whole number of at least {FRAMES} frames")
    return Changes(t_max=int(lambda_))
