"""Relaxation: the path of a memory from its class centre under the mean input. P points, n state coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slowpoints.core.progress import report_stage
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.relaxation import states_at
from slowpoints.task.timing import FRAMES

SETTLED = FRAMES
"""Frames after which a state counts as settled: the length of a trial."""
MARGIN_AT = 100
"""Frame at which the remaining time of the margin is extrapolated."""
EACH_UNTIL, FIFTH_UNTIL, PER_DECADE = SETTLED, MARGIN_AT, 10
"""Paths are recorded at each frame up to the first, at every fifth up to the second, then so often per decade."""


@dataclass(frozen=True)
class Relaxation:
    """The paths of P memories, recorded at K frames.

    Attributes:
        frames: K numbers of frames since the class centre.
        states: `[K, P, n]`.
        speed: `[K, P]`.
        margin: output of the correct class minus the largest other after a triggered step, `[K, P]`.
        readout: class read out by that step, -1 for null, `[K, P]`.
        following: margin one frame after `MARGIN_AT`, `[P]`.
    """

    frames: list[int]
    states: Tensor
    speed: Tensor
    margin: Tensor
    readout: Tensor
    following: Tensor

    @property
    def settled_speed(self) -> Tensor:
        """Speed `SETTLED` frames after the class centre, `[P]`."""
        return self.speed[self.frames.index(SETTLED)]

    def margin_time(self, cap: int) -> tuple[Tensor, Tensor]:
        """Frames that the margin would last at its rate of decline, `[P]`, and whether they are capped.

        m / (m - m') with m the margin at frame `MARGIN_AT` and m' one frame later; 0 where the margin is lost, and at
        most `cap`, also where it does not decline.
        """
        margin = self.margin[self.frames.index(MARGIN_AT)]
        time = margin / (margin - self.following)
        capped = (margin > 0) & ((self.following >= margin) | (time > cap))
        return torch.where(capped, cap, torch.where(margin > 0, time, 0.0)), capped


def relaxation_frames(longest: int) -> list[int]:
    """Frames at which a path is recorded: dense early, then log-spaced to the longest delay."""
    longest = max(longest, MARGIN_AT)
    decades = np.log10(longest / FIFTH_UNTIL)
    later = np.geomspace(FIFTH_UNTIL, longest, 1 + round(PER_DECADE * decades)).round().astype(int)
    return sorted({*range(EACH_UNTIL + 1), *range(EACH_UNTIL, FIFTH_UNTIL + 1, 5), *later.tolist()})


@torch.no_grad()
def relax(dynamics: Dynamics, start: Tensor, labels: Tensor, longest: int) -> Relaxation:
    """Follows states under the mean input.

    Args:
        dynamics: of S networks.
        start: class centres, `[P, n]`.
        labels: class of each, `[P]`.
        longest: longest delay at which memory is measured, in frames.
    """
    frames = relaxation_frames(longest)
    with report_stage("relaxation", frames[-1], unit="frame") as progress:

        def step(states: Tensor) -> Tensor:
            progress.update()
            return dynamics.step(states)

        recorded = list(states_at(step, start, frames))
    logits = [dynamics.logits(states) for states in recorded]
    following = dynamics.step(recorded[frames.index(MARGIN_AT)])
    return Relaxation(
        frames,
        states=torch.stack(recorded),
        speed=torch.stack([dynamics.speed(states) for states in recorded]),
        margin=torch.stack([margins(outputs, labels) for outputs in logits]),
        readout=torch.stack([outputs.argmax(-1) - 1 for outputs in logits]),
        following=margins(dynamics.logits(following), labels),
    )


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Output of the correct class minus the largest other, null included, `[P]` from `[P, C + 1]`."""
    own = logits.gather(1, labels[:, None] + 1)[:, 0]
    return own - logits.scatter(1, labels[:, None] + 1, -torch.inf).amax(1)
