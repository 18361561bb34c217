"""Louder noise: the standard deviation of the noise frames of trials, times a factor."""

from __future__ import annotations

from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Setup


def changes(_setup: Setup, lambda_: float) -> Changes:
    """Noise of lambda times the usual standard deviation."""
    return Changes(noise_scale=lambda_)
