"""Networks running on under noise after an image, frame by frame: what memory, class centres and trajectories share.

S networks, B trials each, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from slowpoints.networks.ensemble import Networks
from slowpoints.networks.units.unit import State

Drives = Callable[[int], list[Tensor]]
"""From a frame number to the drive of each block under that frame's noise, `[S, B, width * H]`."""


class Frame(NamedTuple):
    """One frame of a roll-out.

    Attributes:
        number: from 0, the image's.
        drives: of each block, `[S, B, width * H]`.
        before: state before the frame, `[S, B, H]` for each part.
        after: state after it.
    """

    number: int
    drives: list[Tensor]
    before: State
    after: State

    @property
    def flat(self) -> Tensor:
        """The state after the frame as flat vectors `[S, B, n]`, in float64."""
        return torch.cat(self.after, dim=-1).double()


def roll_out(networks: Networks, images: list[Tensor], noise: Drives, frames: int) -> Iterator[Frame]:
    """Frames 0 to `frames` - 1: the image at frame 0, noise at every later one.

    Args:
        networks: S networks.
        images: drive of each block under the images, `[S, B, width * H]`.
        noise: those of any later frame; called for frames 1, 2, ... in order.
        frames: how many.
    """
    unit = networks.spec.unit
    recurrent = unit.split_recurrent(networks.weights["recurrent"])
    state = unit.initial_state(len(networks), images[0].shape[1], networks.spec.hidden, like=images[0])
    for number in range(frames):
        drives = images if number == 0 else noise(number)
        after, _ = unit.step(drives, state, recurrent)
        yield Frame(number, drives, state, after)
        state = after


def advance(networks: Networks, drives: list[Tensor], states: Tensor) -> Tensor:
    """Flat states `[S, B, n]` one frame on, under the drive of each block, `[S, B, width * H]`."""
    unit = networks.spec.unit
    parts = tuple(states.split(networks.spec.hidden, dim=-1))
    after, _ = unit.step(drives, parts, unit.split_recurrent(networks.weights["recurrent"]))
    return torch.cat(after, dim=-1)


def triggered(networks: Networks, frame: Frame) -> Tensor:
    """Outputs `[S, B, C + 1]` had the trigger come at this frame."""
    unit = networks.spec.unit
    drives = [drive + extra[:, None] for drive, extra in zip(frame.drives, networks.trigger, strict=True)]
    (hidden, *_), _ = unit.step(drives, frame.before, unit.split_recurrent(networks.weights["recurrent"]))
    return networks.logits(hidden)


def fresh_noise(networks: Networks, trials: int, purpose: str, scale: float = 1.0) -> Drives:
    """Every frame of every trial drawn anew, from the streams of that purpose, noise scaled as by `scaled`."""
    streams = networks.streams(purpose)
    frames = torch.empty(len(networks), trials, networks.spec.pixels, device=networks.device)
    quieter = scaled(networks, scale)
    return lambda frame: networks.drive(quieter(networks.features(networks.noise(streams, frames))))


def mean_input(networks: Networks, trials: int) -> Drives:
    """The mean input at every frame: no noise."""
    drives = [drive.expand(-1, trials, -1) for drive in networks.drive(networks.mean_features()[:, None])]
    return lambda _: drives


def scaled(networks: Networks, scale: float) -> Callable[[Tensor], Tensor]:
    """A function that scales the noise of features `[S, R, F]` about the mean input.

    Features, not pixels: a front end makes of half the noise in pixels another mean input, not less noise.
    """
    if scale == 1:
        return lambda features: features
    mean = networks.mean_features()[:, None]
    return lambda features: mean + scale * (features - mean)
