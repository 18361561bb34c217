"""Class centres: the states from which memories start. S networks, C classes, P = S * C points, n state coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from slowpoints.core.presets.search import Search
from slowpoints.core.progress import report_stage
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import roll_out

CENTRE_FRAMES = 15  # the image's frame and 14 noise frames (authors' code)


@dataclass(frozen=True)
class Centres:
    """Mean state of each class after the image.

    Attributes:
        state: `[P, n]`; zero where no trial was read out correctly.
        exist: whether any trial of the class was read out correctly, `[P]`.
        lower: smallest value of each coordinate over all trials and frames of the network, `[P, n]`.
        upper: largest value, likewise.
    """

    state: Tensor
    exist: Tensor
    lower: Tensor
    upper: Tensor


@torch.no_grad()
def class_centres(networks: Networks, dynamics: Dynamics, images: ImageSet, settings: Search) -> Centres:
    """Class centres: means over the trials that are read out correctly, 14 frames after the image.

    The image is at frame 0; the noise after it is the same for all trials of a network. Haviv, Rivkind & Barak
    (2019), section 3, and the authors' released code.

    Args:
        networks: S networks.
        dynamics: their dynamics under the mean input.
        images: training images.
        settings: number of trials per class (no more than it has images), and the factor on their noise.
    """
    per_class, classes = settings.images_per_class, images.classes
    rows = images.rows_by_class("images per class", lambda rng, rows: rng.permutation(rows)[:per_class])
    labels = torch.as_tensor(images.labels[rows].astype("int64"))
    noise = _shared_noise(networks, float(settings.noise_scale))

    def noise_at(frame: int) -> list[Tensor]:
        return [drive[:, frame - 1 : frame].expand(-1, len(rows), -1) for drive in noise]

    lower = noise[0].new_full((len(networks), dynamics.coordinates), torch.inf, dtype=torch.float64)
    upper = -lower
    with report_stage("class centres", CENTRE_FRAMES, unit="frame") as progress:
        for frame in roll_out(networks, networks.image_drives(images.images[rows]), noise_at, CENTRE_FRAMES):
            flat = frame.flat
            lower, upper = torch.minimum(flat.amin(1), lower), torch.maximum(flat.amax(1), upper)
            progress.update()
    correct = dynamics.read_out(flat.flatten(0, 1)).view(len(networks), -1) == labels.to(networks.device)
    members = correct[:, None] & (labels == torch.arange(classes)[:, None]).to(correct.device)  # [S, C, trials]
    count = members.sum(-1)
    means = members.double() @ flat / count.clamp(min=1)[..., None]
    bounds = [bound.repeat_interleave(classes, 0) for bound in (lower, upper)]
    return Centres(means.flatten(0, 1), count.flatten() > 0, *bounds)


def _shared_noise(networks: Networks, scale: float) -> list[Tensor]:
    """Drives of each gate group under the noise frames that all trials of a network share, `[S, frames, g * H]`."""
    frames = torch.empty(len(networks), CENTRE_FRAMES - 1, networks.spec.pixels, device=networks.device)
    return networks.drive(networks.features(networks.noise(networks.streams("class centres"), frames, scale)))
