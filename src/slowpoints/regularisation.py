"""Control of memory: fine-tuning trained networks with a penalty on the speed at chosen points.

Haviv, Rivkind & Barak (2019), section 6, and the authors' released code. S networks, C classes, n coordinates,
N inputs.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor

from slowpoints.datasets.images import ImageSet
from slowpoints.ensemble import Networks
from slowpoints.finder import descend
from slowpoints.protocols import Stage
from slowpoints.resume import ResumeAt
from slowpoints.slow_points import authors_bounds, class_centres, noise_factor, stored_points
from slowpoints.task import FRAMES
from slowpoints.training import run

REFRESH_STEPS = 100  # descent steps with which points are sought anew, from where they were


class SpeedPenalty:
    """lambda times the sum, not the mean, of squared speeds over points and noise frames of a network.

    Each point meets frames of its own, drawn afresh at each call at full sigma, trigger 0. Speed is taken in the
    coordinates of `Cell.speed_coordinates`.

    Args:
        networks: those that will be fine-tuned.
        points: `[S, C, n]`.
        found: which of them exist, `[S, C]`; the others count for nothing.
        weight: lambda.
        noise_frames: frames a point meets.
    """

    def __init__(self, networks: Networks, points: Tensor, found: Tensor, weight: float, noise_frames: int):
        self.points, self.weight, self.noise_frames = points, weight, noise_frames
        self.counts = found.to(points.dtype).repeat_interleave(noise_frames, dim=1)
        self.streams = networks.streams("fine-tuning penalty")

    def __call__(self, networks: Networks) -> Tensor:
        """The penalty of each network, `[S]`."""
        n_networks, classes, _ = self.points.shape
        shape = (n_networks, classes * self.noise_frames, networks.spec.pixels)
        frames = networks.noise(self.streams, self.points.new_empty(shape))
        return self.weight * (self.squared_speeds(networks, frames) * self.counts).sum(1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight}, {self.noise_frames})"

    def squared_speeds(self, networks: Networks, frames: Tensor) -> Tensor:
        """Squared speed at each point under each of its frames `[S, C * frames, N]`, `[S, C * frames]`."""
        cell = networks.spec.cell
        states = self.points.repeat_interleave(self.noise_frames, dim=1)
        parts = tuple(states.split(networks.spec.hidden, dim=-1))
        recurrent = cell.split(networks.weights["recurrent"])
        after, _ = cell.step(networks.drive(networks.features(frames)), parts, recurrent)
        measure = cell.speed_coordinates
        return (measure(torch.cat(after, dim=-1)) - measure(states)).square().sum(-1)


class TrackedPenalty(SpeedPenalty):
    """The same at slow points that follow the network: sought anew, from where they were, every so many steps."""

    capturable = False  # not every call does the same work

    def __init__(self, networks: Networks, points: Tensor, found: Tensor, weight: float, noise_frames: int, every: int):
        super().__init__(networks, points, found, weight, noise_frames)
        self.every, self.calls = every, 0

    def __call__(self, networks: Networks) -> Tensor:
        if self.calls and self.calls % self.every == 0:
            dynamics = networks.dynamics()
            flat, _ = descend(
                dynamics.residual, self.points.flatten(0, 1), *authors_bounds(dynamics), steps=REFRESH_STEPS
            )
            self.points = flat.view(self.points.shape).to(self.points.dtype)
        self.calls += 1
        return super().__call__(networks)

    def __repr__(self) -> str:
        return f"{super().__repr__()} every {self.every}"

    def state(self) -> dict[str, Tensor]:
        """What changes from call to call, streams aside: for a resume file."""
        return {"points": self.points, "calls": torch.tensor(self.calls)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Takes up what `state` put down."""
        self.points, self.calls = tensors["points"], int(tensors["calls"])


def regularise(
    networks: Networks,
    images: ImageSet,
    slow_points: pd.DataFrame,
    *,
    mode: str,
    weight: float,
    training: dict,
    search: dict,
    settings: dict,
    resume: ResumeAt | None = None,
) -> tuple[Networks, pd.DataFrame]:
    """Fine-tunes trained networks on the full task, all weights trainable, with a fresh optimiser.

    All modes draw the same trials and noise, so that networks can be compared in pairs.

    Args:
        networks: trained networks; left as they are.
        images: training images.
        slow_points: table `slow_points` of these networks, in their order.
        mode: one of `modes.MODES`.
        weight: lambda; not used by `control`.
        training: preset section `training`: batch size, noise, clipping.
        search: preset section `slow_points`, for the class centres.
        settings: preset section `regularisation`.
        resume: where to put the run down on the way, and to take it up from.

    Returns:
        The fine-tuned networks and the table `training`.
    """
    spec = networks.spec
    plan = [Stage(0, settings["steps"], spec.classes, FRAMES, 1.0, settings["learning_rate"])]
    if not settings["steps"]:
        return networks, empty_history()
    penalty = _penalty(networks, images, slow_points, mode, weight, search, settings)
    tuned, history, _ = run(networks, images, training, plan, "fine-tuning", penalty=penalty, resume=resume)
    return tuned, history


def empty_history() -> pd.DataFrame:
    """The table `training` of no steps at all."""
    columns = ["seed", "step", "loss", "report_accuracy", "null_accuracy", "classes_in_use", "t_max", "learning_rate"]
    return pd.DataFrame(columns=columns)


def _penalty(networks, images, slow_points, mode, weight, search, settings) -> Callable[[Networks], Tensor] | None:
    if mode == "control" or weight == 0:
        return None
    points, found = _points(networks, images, slow_points, mode, search)
    if settings["points"] is not None:
        found[:, settings["points"] :] = False
    arguments = (networks, points.to(networks.weights["bias"].dtype), found, weight, settings["noise_frames"])
    return TrackedPenalty(*arguments, settings["refresh"]) if mode == "tracking" else SpeedPenalty(*arguments)


def _points(networks, images, slow_points, mode, search) -> tuple[Tensor, Tensor]:
    """Points `[S, C, n]` of a mode, and which exist `[S, C]`."""
    shape = (len(networks), networks.spec.classes, -1)
    if mode == "centre_of_mass":
        scale = noise_factor(search)
        per_class = search["images_per_class"]
        centres = class_centres(networks, networks.dynamics(), images, images_per_class=per_class, noise_scale=scale)
        return centres.state.view(shape), centres.found.view(shape[:2])
    states, found = stored_points(slow_points, networks.spec.cell.parts * networks.spec.hidden, networks.device)
    return states.view(shape), found.view(shape[:2])
