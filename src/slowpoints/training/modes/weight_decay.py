"""Decoupled weight decay: Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization, ICLR."""

from __future__ import annotations

from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Setup


def changes(_setup: Setup, lambda_: float) -> Changes:
    """Decay of all weights, at lambda times the learning rate a step."""
    return Changes(weight_decay=lambda_)
