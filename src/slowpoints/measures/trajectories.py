"""States of networks on their way through a trial, in three principal components, to draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.datasets.images import ImageSet
from slowpoints.measures.centres import Centres
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import fresh_noise, roll_out
from slowpoints.task.timing import FRAMES

COMPONENTS = 3
TRIALS_PER_CLASS = 2


@torch.no_grad()
def measure_trajectories(networks: Networks, images: ImageSet, centres: Centres, slow_points: Tensor) -> pd.DataFrame:
    """Trials, class centres and slow points of each network in the principal components of its trials' states.

    A trial shows an image at frame 0 and then 19 frames of noise, no trigger. Components are those of all states
    of a network's trials, in the coordinates of speed (h, and tanh c where there is a c).

    Args:
        networks: S networks.
        images: images to show.
        centres: class centres.
        slow_points: `[P, n]`, P = S * C, there where centres are.

    Returns:
        The table `trajectories` without the columns of the cell; `trial` and `frame` are null for points.
    """
    measure = networks.spec.unit.speed_coordinates
    labels, states = _visited(networks, images)  # [trials], [S, T, trials, n]
    points = [measure(flat).view(len(networks), images.classes, -1) for flat in (centres.state, slow_points)]
    tables = []
    for row, seed in enumerate(networks.seeds):
        visited = measure(states[row])
        mean, axes = principal_axes(visited.flatten(0, 1))
        exist = centres.found.view(len(networks), -1)[row].cpu().numpy()
        trial = np.arange(len(labels))
        tables.append(
            _rows((visited - mean) @ axes, seed, "trial", labels, trial % TRIALS_PER_CLASS, np.arange(FRAMES))
        )
        for kind, flat in zip(("centre", "slow_point"), points, strict=True):
            placed = ((flat[row] - mean) @ axes)[None]
            tables.append(_rows(placed, seed, kind, np.arange(images.classes), np.nan, [np.nan])[exist])
    return pd.concat(tables, ignore_index=True)


def principal_axes(states: Tensor) -> tuple[Tensor, Tensor]:
    """Mean `[n]` and leading principal axes `[n, 3]` of states `[N, n]`, signs fixed: largest entry positive.

    Axes beyond the n-th are zero, as all states are along them.
    """
    mean = states.mean(0)
    axes = torch.linalg.svd(states - mean, full_matrices=False).Vh[:COMPONENTS].T
    largest = axes.abs().argmax(0, keepdim=True)
    axes = axes * axes.gather(0, largest).sign()
    return mean, torch.nn.functional.pad(axes, (0, COMPONENTS - axes.shape[1]))


def _visited(networks: Networks, images: ImageSet) -> tuple[np.ndarray, Tensor]:
    """Labels of the trials, and states `[S, T, trials, n]` after each frame, float64."""
    rows = images.rows_by_class("trajectory images", lambda rng, rows: rng.choice(rows, TRIALS_PER_CLASS))
    noise = fresh_noise(networks, len(rows), "trajectories")
    frames = roll_out(networks, networks.image_drives(images.images[rows]), noise, FRAMES)
    return images.labels[rows], torch.stack([frame.flat for frame in frames], dim=1)


def _rows(
    placed: Tensor,
    seed: int,
    kind: str,
    labels: np.ndarray,
    trials: np.ndarray | float,
    frames: np.ndarray | Sequence[float],
) -> pd.DataFrame:
    """Rows of `[frames, points, 3]`."""
    coordinates = placed.cpu().numpy()
    n_frames, n_points = coordinates.shape[:2]
    return pd.DataFrame(
        {
            "seed": seed,
            "kind": kind,
            "label": np.tile(labels, n_frames),
            "trial": np.tile(np.broadcast_to(trials, n_points), n_frames),
            "frame": np.repeat(frames, n_points),
            **{f"pc{k + 1}": coordinates[..., k].ravel() for k in range(COMPONENTS)},
        }
    )
