"""Targets and loss of trials: Haviv, Rivkind & Barak (2019), and the authors' released code."""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.task.timing import FRAMES
from slowpoints.task.trials import Trials

REPORT_WEIGHT = 20.0
"""Weight of the report frame in the loss; all other frames have weight 1."""
LOG_OFFSET = 1e-4
"""Added to probabilities before the logarithm, readout `sigmoid_softmax` (authors' code)."""
READOUTS = ("softmax", "sigmoid_softmax")


def targets(trials: Trials, frames: int) -> Tensor:
    """Target output `[T, S, B]`: class + 1 at the report frame, 0 (null) elsewhere."""
    wanted = torch.zeros(frames, *trials.label.shape, dtype=torch.long, device=trials.label.device)
    return wanted.scatter_(0, trials.report[None], trials.label[None] + 1)


def in_use_mask(order: Tensor, classes_in_use: int) -> Tensor:
    """Outputs in use, `[S, C + 1]` bool: null and the classes in use."""
    networks, classes = order.shape
    mask = torch.zeros(networks, classes + 1, dtype=torch.bool, device=order.device)
    mask[:, 0] = True
    return mask.scatter_(1, order[:, :classes_in_use] + 1, True)


def log_probabilities(logits: Tensor, mask: Tensor, readout: str) -> Tensor:
    """Log-probability of each output.

    `softmax`: of the logits. `sigmoid_softmax`: sigmoid, mask, softmax of the values in [0, 1] and log(p + 1e-4),
    as in the authors' code.

    Args:
        logits: `[S, C + 1, T, B]`.
        mask: outputs in use, `[S, C + 1]`.
        readout: one of `READOUTS`.

    Raises:
        ValueError: for any other readout.
    """
    if readout not in READOUTS:
        raise ValueError(f"there is no readout {readout!r}; there are {', '.join(READOUTS)}")
    unused = ~mask[:, :, None, None]
    if readout == "softmax":
        return logits.masked_fill(unused, -torch.inf).log_softmax(1)
    values = logits.sigmoid().masked_fill(unused, -torch.inf)
    return (values.softmax(1) + LOG_OFFSET).log()


def trial_loss(logits: Tensor, trials: Trials, mask: Tensor, null_weight: float, readout: str) -> Tensor:
    """Each network's own loss, `[S]`.

    Cross-entropy at every simulated frame, weight 20 at the report and `null_weight` elsewhere (at the report
    19 + `null_weight`, as the authors add the two terms), summed over frames, divided by the T = 20 frames of a
    full trial and by the batch.

    Args:
        logits: `[T_max, S, B, C + 1]`.
        trials: the batch.
        mask: outputs in use, `[S, C + 1]`.
        null_weight: weight of frames without a report.
        readout: one of `READOUTS`.
    """
    frames, _, batch, _ = logits.shape
    # In the memory order of `run_trials`: over a last axis this short, a CPU computes a softmax row by row.
    log_p = log_probabilities(logits.permute(1, 3, 0, 2), mask, readout)
    cost = -log_p.gather(1, targets(trials, frames).transpose(0, 1)[:, None])[:, 0]  # [S, T, B]
    weight = torch.full_like(cost, null_weight)
    weight.scatter_(1, trials.report[:, None], REPORT_WEIGHT - 1 + null_weight)
    return (cost * weight).flatten(1).sum(1) / (FRAMES * batch)


def accuracies(logits: Tensor, trials: Trials, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Share of correct reports at t_a, and of correct nulls at all other frames, `[S]` each."""
    right = logits.masked_fill(~mask[:, None], -torch.inf).argmax(-1) == targets(trials, len(logits))
    at_report = right.gather(0, trials.report[None])[0]
    others = right.sum((0, 2)) - at_report.sum(1)
    return at_report.double().mean(1), others.double() / ((len(logits) - 1) * at_report.shape[1])
