"""Our penalty on drift, at settled states: the squared speed under the mean input, a trial after the centre."""

from __future__ import annotations

from slowpoints.measures.relaxation import SETTLED
from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Setup
from slowpoints.training.penalties import DriftPenalty


def changes(setup: Setup, lambda_: float) -> Changes:
    """A penalty at the settled states of the networks at the start."""
    points = setup.relaxed(setup.networks, [SETTLED])
    return Changes(DriftPenalty(setup.networks, *points, lambda_, setup.settings.refresh))
