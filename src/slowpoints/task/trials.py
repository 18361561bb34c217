"""Trials of the delayed classification task.

A trial shows a clean image at frame t_s amid noise frames and asks for its class at frame t_a, marked by a
trigger input; at every other frame the target output is "null". Haviv, Rivkind & Barak (2019), section 2, and
the authors' released code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slowpoints.task.timing import MIN_DELAY

DRAWS = 6
"""Uniform random numbers per trial: class, image, t_s, t_a, and two for its noise frames."""


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
    """Images on a device, sorted by class, from which trials draw.

    Args:
        images: `[n, N]` uint8.
        labels: `[n]`; each class in 0..classes-1 must occur.
        classes: number of classes.
        device: where to store them.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, classes: int, device: torch.device | str):
        label = torch.tensor(labels, dtype=torch.long)
        order = torch.argsort(label, stable=True)
        self.images = torch.tensor(images).reshape(len(label), -1)[order].to(device)
        self.labels = label[order].to(device)
        self.count = torch.bincount(label, minlength=classes).to(device)
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
        order: `[S, C]`, classes in the order of their introduction.
        classes_in_use: how many of them may be drawn.
        t_max: frames of a trial, at most `FRAMES`.
    """

    def below(draw: Tensor, bound: int | Tensor) -> Tensor:
        return (draw * bound).long()

    label = order.gather(1, below(uniform[..., 0], classes_in_use))
    image = table.first[label] + below(uniform[..., 1], table.count[label])
    stimulus = below(uniform[..., 2], t_max - MIN_DELAY)
    report = stimulus + MIN_DELAY + below(uniform[..., 3], t_max - MIN_DELAY - stimulus)
    return Trials(image, label, stimulus, report)


class NoiseBank:
    """Assigns to each frame of a trial a noise frame of a shared bank, never the same one twice in a trial.

    A trial walks through the bank from a random frame, with a random stride coprime with the bank's size. Since the
    frames of the bank are independent, each trial has exactly the task's distribution.

    Args:
        size: frames in the bank, at least the frames of a trial.
        device: where to store the strides.
    """

    def __init__(self, size: int, device: torch.device | str = "cpu"):
        steps = torch.arange(1, size) if size > 1 else torch.ones(1, dtype=torch.long)
        self.size = size
        self.strides = steps[torch.gcd(steps, torch.tensor(size)) == 1].to(device)

    def row(self, uniform: Tensor, frame: int | Tensor) -> Tensor:
        """Bank row at a frame of a trial with the two uniform numbers `[..., 2]`."""
        start = (uniform[..., 0] * self.size).long()
        stride = self.strides[(uniform[..., 1] * len(self.strides)).long()]
        return (start + stride * frame) % self.size

    def rows(self, uniform: Tensor, frames: int) -> Tensor:
        """Bank rows at frames 0, 1, ..., `[frames, S, B]` for `[S, B, 2]` uniform numbers."""
        return self.row(uniform, torch.arange(frames, device=uniform.device)[:, None, None])


def fresh_rows(networks: int, trials: int, frames: int, device: torch.device | str) -> Tensor:
    """Rows `[T, S, B]` of a table of B * T noise frames: every frame of every trial has its own."""
    rows = torch.arange(frames * trials, device=device).view(frames, 1, trials)
    return rows.expand(frames, networks, trials)


def place_rows(rows: Tensor, frame: Tensor, first: int) -> Tensor:
    """Rows in which trial b has row `first + b` at one frame.

    Args:
        rows: row of each frame of a trial, `[T, S, B]`.
        frame: frame to change in each trial, `[S, B]`.
        first: new row for the first trial.
    """
    places = torch.arange(first, first + rows.shape[2], device=rows.device)
    return rows.scatter(0, frame[None], places.expand(1, *rows.shape[1:]))


class Batch:
    """A batch of trials for each network: a table of frames, and the row of each frame of each trial.

    The table holds M frames of noise, which trials may share, followed by the image of each trial. It is allocated once
    and refilled for each batch, so that a training step allocates nothing and a CUDA graph can read a fixed address.

    Args:
        networks: S.
        trials: B, of each network.
        noise_frames: M, of each network.
        pixels: N, of a frame.
        device: where to store them.

    Attributes:
        frames: `[S, M + B, N]`.
        trials: the current trials, `[S, B]` each.
        rows: row of `frames` for each frame of a trial, `[T, S, B]`.
    """

    trials: Trials
    rows: Tensor

    def __init__(self, networks: int, trials: int, noise_frames: int, pixels: int, device: torch.device | str):
        self.frames = torch.empty(networks, noise_frames + trials, pixels, device=device)
        self.noise_frames = noise_frames

    @property
    def noise(self) -> Tensor:
        """The noise frames `[S, M, N]`, to be filled by the caller."""
        return self.frames[:, : self.noise_frames]

    def show(self, trials: Trials, images: Tensor, noise_rows: Tensor) -> None:
        """Sets the trials, their images `[S, B, N]`, and the noise rows `[T, S, B]` of all other frames."""
        self.trials = trials
        self.frames[:, self.noise_frames :] = images
        self.rows = place_rows(noise_rows, trials.stimulus, self.noise_frames)
