"""States of networks during trials and relaxation, in three principal components, for figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.core.progress import report_stage
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import jacobian, unstable_directions
from slowpoints.dynamics.principal import principal_components
from slowpoints.measures.slow_points import MeasuredPoints
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import fresh_noise, roll_out
from slowpoints.task.timing import FRAMES

COMPONENTS = 3
TRIALS_PER_CLASS = 2
FURTHEST = 10_000
"""Last frame at which the path from a class centre is shown."""
REACH = 1 / 5
"""Length of an unstable direction as drawn, in typical distances of the trials' states from their mean."""


@report_stage("trajectories")
def measure_trajectories(networks: Networks, images: ImageSet, points: MeasuredPoints) -> pd.DataFrame:
    """Trajectories and points of each network's state space, in the principal components of its trials' states.

    A trial shows an image at frame 0 and then 19 frames of noise, without a trigger. Components are those of all states
    of a network's trials, in the coordinates of speed (h, and tanh c if there is a c). Column `kind` is one of

    - `trial`: states of trials, frame by frame.
    - `centre`, `slow_point`: class centres and slow points; `trial` and `frame` are null.
    - `path`: states on the path from a class centre under the mean input, at the frames of `relaxation` up to
      `FURTHEST`; `trial` is null.
    - `unstable`: the two ends (`frame` -1 and 1) of each unstable direction of a slow point, numbered by `trial` from
      0, at the distance `REACH` before projection.

    Args:
        networks: S networks.
        images: images to show.
        points: their slow points.

    Returns:
        The table `trajectories` without the columns of the cell.
    """
    labels, trial_states = _visited(networks, images)  # [trials], [S, T, trials, n]
    measure = networks.spec.unit.speed_coordinates
    frames = [frame for frame in points.path.frames if frame <= FURTHEST]
    path_states = measure(points.path.states[: len(frames)]).unflatten(1, (len(networks), -1))
    centres, slow = (measure(flat).unflatten(0, (len(networks), -1)) for flat in (points.centres.state, points.state))
    exist = points.centres.exist.view(len(networks), -1).cpu().numpy()
    directions = _unstable(networks, points)
    trials, classes = np.arange(len(labels)) % TRIALS_PER_CLASS, np.arange(images.classes)
    tables = []
    for row, seed in enumerate(networks.seeds):
        visited = measure(trial_states[row])
        mean, axes, _ = principal_components(visited.flatten(0, 1), COMPONENTS)
        remembered, known = torch.as_tensor(exist[row], device=mean.device), classes[exist[row]]
        reach = REACH * (visited - mean).square().sum(-1).mean().sqrt()
        shown = [
            ("trial", visited, labels, trials, np.arange(FRAMES)),
            ("centre", centres[row, remembered][None], known, np.nan, [np.nan]),
            ("slow_point", slow[row, remembered][None], known, np.nan, [np.nan]),
            ("path", path_states[:, row, remembered], known, np.nan, frames),
        ]
        for label in known:
            offset = reach * directions[row * images.classes + label]
            ends = slow[row, label] + torch.stack([-offset, offset])
            shown.append(("unstable", ends, np.full(len(offset), label), np.arange(len(offset)), [-1, 1]))
        tables += [_rows((states - mean) @ axes, seed, kind, *names) for kind, states, *names in shown]
    return pd.concat(tables, ignore_index=True)


def _unstable(networks: Networks, points: MeasuredPoints) -> list[Tensor]:
    """The k unstable directions of each slow point, `[k, n]`, of unit length in the coordinates of speed."""
    measure, step = networks.spec.unit.speed_coordinates, Dynamics.of(networks).step
    unstable = points.slow_points["n_unstable"].fillna(0).to_numpy() > 0
    matrices, projections = jacobian(step, points.state)[unstable], jacobian(measure, points.state[unstable])
    directions = [points.state.new_empty(0, points.state.shape[1])] * len(unstable)
    for point, matrix, projection in zip(np.flatnonzero(unstable), matrices, projections, strict=True):
        directions[point] = torch.nn.functional.normalize(unstable_directions(matrix) @ projection.T, dim=-1)
    return directions


@torch.no_grad()
def _visited(networks: Networks, images: ImageSet) -> tuple[np.ndarray, Tensor]:
    """Labels of the trials, and states `[S, T, trials, n]` after each frame, float64."""
    rows = images.rows_by_class("trajectory images", lambda rng, rows: rng.choice(rows, TRIALS_PER_CLASS))
    noise = fresh_noise(networks, len(rows), "trajectories")
    frames = roll_out(networks, networks.image_drives(images.images[rows]), noise, FRAMES)
    return images.labels[rows], torch.stack([frame.flat for frame in frames], dim=1)


def _rows(
    projected: Tensor,
    seed: int,
    kind: str,
    labels: np.ndarray,
    trials: np.ndarray | float,
    frames: np.ndarray | Sequence[float],
) -> pd.DataFrame:
    """Rows for states projected on the components, `[frames, points, 3]`."""
    coordinates = projected.cpu().numpy()
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
