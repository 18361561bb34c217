"""The surroundings of the starts of a search, which its points do not leave.

P points of n coordinates.
"""

from __future__ import annotations

import math

from torch import Tensor

MAX_DISTANCE = 10.0
"""Greatest distance of a fixed point from the start of its search, relative to 1 + |start|: some maps slow down towards
infinity, where they have no fixed point."""


class Region:
    """A ball around each start.

    Args:
        start: original starts of the searches, `[P, n]`, however far they have moved since.
        max_distance: radius of the balls, relative to 1 + |start|; may be infinite.
    """

    def __init__(self, start: Tensor, max_distance: float = MAX_DISTANCE):
        self.start, self.bounded = start.clone(), max_distance < math.inf  # searches move theirs in place
        self.radius = max_distance * (1 + start.norm(dim=1))

    def contains(self, rows: Tensor, state: Tensor) -> Tensor:
        """Whether states `[R, n]` of the points `rows` lie in their ball, `[R]`."""
        if not self.bounded:
            return rows >= 0
        return (state - self.start[rows]).norm(dim=1) <= self.radius[rows]
