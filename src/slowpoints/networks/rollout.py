"""Roll-outs of networks under noise after an image, for memory, class centres and trajectories.

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
"""From a frame number to the drive of each gate group under that frame's noise, `[S, B, g * H]` for its g gates."""


class Frame(NamedTuple):
    """One frame of a roll-out.

    Attributes:
        number: 0 for the image.
        drives: of each gate group, `[S, B, g * H]`.
        before: state before the frame, `[S, B, H]` for each part.
        after: state after the frame.
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
    """Frames 0 to `frames` - 1: the image at frame 0, noise at every later frame.

    Args:
        networks: S networks.
        images: drive of each gate group under the images, `[S, B, g * H]`.
        noise: drives of later frames; called for frames 1, 2, ... in order.
        frames: number of frames.
    """
    unit = networks.spec.unit
    recurrent = unit.split_recurrent(networks.weights["recurrent"])
    state = unit.initial_state(len(networks), images[0].shape[1], networks.spec.hidden, like=images[0])
    for number in range(frames):
        drives = images if number == 0 else noise(number)
        after, _ = unit.step(drives, state, recurrent)
        yield Frame(number, drives, state, after)
        state = after


def next_states(networks: Networks, drives: list[Tensor], states: Tensor) -> Tensor:
    """Flat states `[S, B, n]` one frame later, under drives `[S, B, g * H]` of each gate group."""
    unit = networks.spec.unit
    parts = tuple(states.split(networks.spec.hidden, dim=-1))
    after, _ = unit.step(drives, parts, unit.split_recurrent(networks.weights["recurrent"]))
    return torch.cat(after, dim=-1)


def triggered(networks: Networks, frame: Frame) -> Tensor:
    """Outputs `[S, B, C + 1]` if the trigger came at this frame."""
    unit = networks.spec.unit
    drives = [drive + extra[:, None] for drive, extra in zip(frame.drives, networks.trigger, strict=True)]
    (hidden, *_), _ = unit.step(drives, frame.before, unit.split_recurrent(networks.weights["recurrent"]))
    return networks.logits(hidden)


def fresh_noise(networks: Networks, trials: int, purpose: str, scale: float = 1.0) -> Drives:
    """Independent noise at every frame of every trial, from the streams of that purpose, scaled as in `scaled`."""
    streams = networks.streams(purpose)
    frames = torch.empty(len(networks), trials, networks.spec.pixels, device=networks.device)
    quieter = scaled(networks, scale)
    return lambda frame: networks.drive(quieter(networks.features(networks.noise(streams, frames))))


def mean_input(networks: Networks, trials: int) -> Drives:
    """The mean input at every frame: no noise."""
    drives = [drive.expand(-1, trials, -1) for drive in networks.drive(networks.mean_features()[:, None])]
    return lambda _: drives


def scaled(networks: Networks, scale: float) -> Callable[[Tensor], Tensor]:
    """A function that scales the deviation of features `[S, R, F]` from the mean input.

    It scales features, not pixels: half the noise in pixels would give a front end another mean input, not less noise.
    """
    if scale == 1:
        return lambda features: features
    mean = networks.mean_features()[:, None]
    return lambda features: mean + scale * (features - mean)
