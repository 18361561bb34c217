"""The paper's penalty on the squared speed in noise, at the class centres: Haviv, Rivkind & Barak (2019), section 6."""

from __future__ import annotations

from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Setup
from slowpoints.training.penalties import SpeedPenalty


def changes(setup: Setup, lambda_: float) -> Changes:
    """A penalty at the class centres, which stay fixed from the start."""
    return Changes(SpeedPenalty(setup.networks, *setup.class_centres(), lambda_, setup.settings.noise_frames))
