"""The delayed classification task: trials, targets, loss and accuracies.

A trial shows a clean image at frame t_s amid noise frames and asks for its class at frame t_a, marked by a
trigger input; at every other frame the wanted output is "null". Haviv, Rivkind & Barak (2019), section 2, and
the authors' released code.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

FRAMES = 20
"""Frames of a trial, T."""
MIN_DELAY = 4
"""Fewest frames between the image and the report."""
REPORT_WEIGHT = 20.0
"""Weight of the report frame in the loss; every other frame weighs 1."""
LOG_OFFSET = 1e-4
"""Added to probabilities before the logarithm, readout `sigmoid_softmax` (authors' code)."""
READOUTS = ("softmax", "sigmoid_softmax")
DRAWS = 6
"""Uniform numbers that one trial takes: class, image, t_s, t_a, and two for its noise frames."""


@dataclass(frozen=True)
class Trials:
    """A batch of trials for each network, `[S, B]` each.

    Attributes:
        image: row of the image in its table.
        label: class of the image.
        stimulus: frame of the image, t_s.
        report: frame of the report, t_a.
    """

    image: Tensor
    label: Tensor
    stimulus: Tensor
    report: Tensor


class ImageTable:
    """Images on a device, sorted by class, to draw from.

    Args:
        images: `[n, N]` uint8.
        labels: `[n]`, every class of 0..classes-1 present.
        classes: number of classes.
        device: where to hold them.
    """

    def __init__(self, images, labels, classes: int, device: torch.device | str):
        labels = torch.tensor(labels, dtype=torch.long)
        order = torch.argsort(labels, stable=True)
        self.images = torch.tensor(images).reshape(len(labels), -1)[order].to(device)
        self.labels = labels[order].to(device)
        self.count = torch.bincount(labels, minlength=classes).to(device)
        self.first = torch.cumsum(self.count, 0) - self.count
        self.classes = classes

    def pixels(self, rows: Tensor) -> Tensor:
        """Images as inputs in [0, 1], `[..., N]`."""
        return self.images[rows].float().div_(255)


def draw_trials(uniform: Tensor, table: ImageTable, order: Tensor, classes_in_use: int, t_max: int) -> Trials:
    """Trials of the training distribution.

    Class uniform over those in use, image uniform within the class, t_s uniform on {0..t_max-5}, t_a uniform on
    {t_s+4..t_max-1}.

    Args:
        uniform: `[S, B, >= 4]` uniform on [0, 1), float64 (float32 has too few values for thousands of images).
        table: images to draw from.
        order: `[S, C]`, classes in the order in which they come into use.
        classes_in_use: how many of them may be drawn.
        t_max: frames a trial may last, at most `FRAMES`.
    """

    def below(draw: Tensor, bound) -> Tensor:
        return (draw * bound).long()

    label = order.gather(1, below(uniform[..., 0], classes_in_use))
    image = table.first[label] + below(uniform[..., 1], table.count[label])
    stimulus = below(uniform[..., 2], t_max - MIN_DELAY)
    report = stimulus + MIN_DELAY + below(uniform[..., 3], t_max - MIN_DELAY - stimulus)
    return Trials(image, label, stimulus, report)


class NoiseBank:
    """Which noise frame of a shared bank a trial meets at each frame, never the same twice in a trial.

    A trial walks the bank from a random frame with a random stride without a common divisor with the bank's
    size. As the bank's frames are independent, each trial's distribution is that of the task exactly.

    Args:
        size: frames in the bank, at least the frames of a trial.
        device: where to hold the strides.
    """

    def __init__(self, size: int, device: torch.device | str = "cpu"):
        steps = torch.arange(1, size) if size > 1 else torch.ones(1, dtype=torch.long)
        self.size = size
        self.strides = steps[torch.gcd(steps, torch.tensor(size)) == 1].to(device)

    def row(self, uniform: Tensor, frame: int | Tensor) -> Tensor:
        """Bank row that a trial with two uniform numbers `[..., 2]` meets at a frame."""
        start = (uniform[..., 0] * self.size).long()
        stride = self.strides[(uniform[..., 1] * len(self.strides)).long()]
        return (start + stride * frame) % self.size

    def rows(self, uniform: Tensor, frames: int) -> Tensor:
        """Bank rows at frames 0, 1, ..., `[frames, S, B]` for `[S, B, 2]` uniform numbers."""
        return self.row(uniform, torch.arange(frames, device=uniform.device)[:, None, None])


def fresh_rows(networks: int, trials: int, frames: int, device: torch.device | str) -> Tensor:
    """Rows `[T, S, B]` of a table of trials * T noise frames in which every frame of every trial has its own."""
    rows = torch.arange(frames * trials, device=device).view(frames, 1, trials)
    return rows.expand(frames, networks, trials)


def place_images(rows: Tensor, stimulus: Tensor, first: int) -> Tensor:
    """Puts trial b's image, row `first + b`, at its stimulus frame.

    Args:
        rows: noise rows `[T, S, B]`.
        stimulus: `[S, B]`.
        first: row of the first image.
    """
    images = torch.arange(first, first + rows.shape[2], device=rows.device)
    return rows.scatter(0, stimulus[None], images.expand(1, *rows.shape[1:]))


def targets(trials: Trials, frames: int) -> Tensor:
    """Wanted output `[T, S, B]`: class + 1 at the report frame, 0 (null) elsewhere."""
    wanted = torch.zeros(frames, *trials.label.shape, dtype=torch.long, device=trials.label.device)
    return wanted.scatter_(0, trials.report[None], trials.label[None] + 1)


def in_use_mask(order: Tensor, classes_in_use: int) -> Tensor:
    """Outputs that may be given, `[S, C + 1]` bool: null and the classes in use."""
    networks, classes = order.shape
    mask = torch.zeros(networks, classes + 1, dtype=torch.bool, device=order.device)
    mask[:, 0] = True
    return mask.scatter_(1, order[:, :classes_in_use] + 1, True)


def log_probabilities(logits: Tensor, mask: Tensor, readout: str) -> Tensor:
    """Log-probability of each output.

    `softmax`: of the logits. `sigmoid_softmax`: sigmoid, mask, softmax of the values in [0, 1] and log(p + 1e-4),
    as the authors' code has it.

    Args:
        logits: `[T, S, B, C + 1]`.
        mask: outputs in use, `[S, C + 1]`.
        readout: one of `READOUTS`.
    """
    unused = ~mask[:, None]
    if readout == "softmax":
        return logits.masked_fill(unused, -torch.inf).log_softmax(-1)
    values = logits.sigmoid().masked_fill(unused, -torch.inf)
    return (values.softmax(-1) + LOG_OFFSET).log()


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
    frames, _, batch, outputs = logits.shape
    log_p = log_probabilities(logits, mask, readout)
    wanted = targets(trials, frames)
    cost = F.nll_loss(log_p.reshape(-1, outputs), wanted.view(-1), reduction="none").view(wanted.shape)
    weight = torch.full_like(cost, null_weight)
    weight.scatter_(0, trials.report[None], REPORT_WEIGHT - 1 + null_weight)
    return (cost * weight).transpose(0, 1).flatten(1).sum(1) / (FRAMES * batch)


def accuracies(logits: Tensor, trials: Trials, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Share of right reports at t_a, and of right nulls at all other frames, `[S]` each."""
    right = logits.masked_fill(~mask[:, None], -torch.inf).argmax(-1) == targets(trials, len(logits))
    at_report = right.gather(0, trials.report[None])[0]
    others = right.sum((0, 2)) - at_report.sum(1)
    return at_report.double().mean(1), others.double() / ((len(logits) - 1) * at_report.shape[1])
