"""A penalty on the change of hidden states between frames of a trial: temporal activation regularisation.

Merity, McCann & Socher (2017), Revisiting activation regularization for language RNNs, arXiv 1708.01009.
"""

from __future__ import annotations

from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Setup


def changes(_setup: Setup, lambda_: float) -> Changes:
    """A penalty of weight lambda."""
    return Changes(consistency=lambda_)
