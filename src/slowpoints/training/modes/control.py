"""No penalty: the control of the other modes."""

from __future__ import annotations

from slowpoints.training.changes import UNCHANGED, Changes
from slowpoints.training.modes.setup import Setup


def changes(_setup: Setup, _lambda: float) -> Changes:
    """None."""
    return UNCHANGED
