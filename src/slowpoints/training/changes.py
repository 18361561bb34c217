"""What a mode of fine-tuning changes, and the penalty on hidden states along trials.

T frames, S networks, B trials of each, H hidden units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from slowpoints.task.timing import FRAMES
from slowpoints.task.trials import Trials

if TYPE_CHECKING:
    from slowpoints.training.penalties import Penalty


@dataclass(frozen=True)
class Changes:
    """Differences from training on the full task without a penalty.

    Attributes:
        penalty: added to each network's loss.
        t_max: frames of a trial.
        noise_scale: factor on the standard deviation of the noise frames of trials.
        weight_decay: coefficient of decoupled weight decay.
        consistency: weight of `successive_differences`.
    """

    penalty: Penalty | None = None
    t_max: int = FRAMES
    noise_scale: float = 1.0
    weight_decay: float = 0.0
    consistency: float = 0.0

    def settings(self) -> list[Any]:
        """What these are, as text and numbers: a resume file of others is ignored."""
        penalty = self.penalty and self.penalty.settings()
        return [penalty, self.t_max, self.noise_scale, self.weight_decay, self.consistency]


UNCHANGED = Changes()


def successive_differences(hidden: Tensor, trials: Trials) -> Tensor:
    """Mean squared difference between hidden states before and after a noise frame of the delay, `[S]`.

    Summed over units, and averaged over all frames of all trials that lie after the image and before the report.

    Args:
        hidden: `[T, S, B, H]`.
        trials: what is shown when.
    """
    frame = torch.arange(1, len(hidden), device=hidden.device)[:, None, None]
    counted = ((frame > trials.stimulus) & (frame < trials.report)).to(hidden.dtype)
    moved = (hidden[1:] - hidden[:-1]).square().sum(-1)
    return (moved * counted).sum((0, 2)) / counted.sum((0, 2))
