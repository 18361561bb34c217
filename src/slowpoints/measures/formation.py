"""Formation of memories: slow points tracked back through training to their origins.

From the last snapshot backwards, each search starts at the point found in the next later snapshot. S networks,
C classes, P = S * C points. Haviv, Rivkind & Barak (2019), section 5, describes the idea; criteria and procedure are
this project's own (docs/method.md, Formation).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.residual import Map
from slowpoints.dynamics.search import find_slow_points
from slowpoints.dynamics.speed import SpeedResidual
from slowpoints.measures.points import class_or_null, stored_points
from slowpoints.measures.tracking import Tracks, back_track, separations, tracking_bounds
from slowpoints.task.curricula import Stage

log = logging.getLogger(__name__)

JUMP = 0.1
"""Shortest move that can be a jump, in typical distances between the slow points of the trained network."""
MERGED = 0.02
"""Distance, in the same unit, within which two tracks have merged."""


def measure_formation(
    snapshots: dict[int, Dynamics],
    slow_points: pd.DataFrame,
    plan: Sequence[Stage],
    orders: np.ndarray,
    *,
    max_iterations: int,
) -> pd.DataFrame:
    """Tracks the slow points of a cell back to the first snapshot.

    Args:
        snapshots: dynamics of S networks by training step, earliest first.
        slow_points: table `slow_points` of the same networks, in their order.
        plan: the run's stages.
        orders: classes in the order of their introduction, `[S, C]`.
        max_iterations: of the deep search in each snapshot, which is warm-started.

    Returns:
        The table `formation` without the columns of the cell: a row for each network, class and snapshot, and none
        for a class without a slow point.
    """
    dynamics = list(snapshots.values())
    last = dynamics[-1]
    start, exist = stored_points(slow_points, last.coordinates, last.recurrent.device)
    bounds = tracking_bounds(last, start)

    def search(residual: Map, begin: Tensor) -> Tensor:
        return find_slow_points(
            None, begin, *bounds, residual=residual, max_iterations=max_iterations, excursion=0
        ).state

    tracks = back_track([SpeedResidual(at_step) for at_step in dynamics], start, search, last.unit.speed_coordinates)
    _, typical = separations(_points_or_nan(last, tracks.state[-1], exist), last.networks)
    tables = []
    for row, (step, at_step) in enumerate(snapshots.items()):
        columns = _snapshot_columns(at_step, tracks, row, exist, typical)
        stage = next(stage for stage in plan if stage.start < step <= stage.stop)
        table = slow_points[["seed", "label"]].assign(
            step=step,
            **{name: column.cpu().numpy() for name, column in columns.items()},
            in_use=(np.argsort(orders, axis=1) < stage.classes_in_use).ravel(),
            t_max=stage.t_max,
        )
        tables.append(table[exist.cpu().numpy()])
    log.info("tracked %d points through %d snapshots", int(exist.sum()), len(snapshots))
    return add_parents(pd.concat(tables, ignore_index=True))


def _points_or_nan(dynamics: Dynamics, state: Tensor, exist: Tensor) -> Tensor:
    """States in the coordinates of speed, NaN where there is no point."""
    return dynamics.unit.speed_coordinates(state).masked_fill(~exist[:, None], torch.nan)


def _snapshot_columns(
    dynamics: Dynamics, tracks: Tracks, row: int, exist: Tensor, typical: Tensor
) -> dict[str, Tensor]:
    """Columns of the table `formation`, `[P]` each, for the snapshot in row `row` of the tracks.

    `typical` is the typical distance between the points of each network in the last snapshot, `[S]`: in the first
    snapshots, all points may coincide.
    """
    state, displacement = tracks.state[row], tracks.displacement[row]
    distance, _ = separations(_points_or_nan(dynamics, state, exist), dynamics.networks)
    far = displacement > JUMP * typical.repeat_interleave(len(state) // dynamics.networks)
    nearest, nearest_distance = nearest_tracks(distance, typical)
    return {
        "speed": dynamics.speed(state),
        "displacement": displacement,
        "jumped": far & ~tracks.retraced[row],
        "readout": class_or_null(dynamics.read_out(state)),
        "merged_with": class_or_null(torch.where(nearest_distance <= MERGED, nearest, -1)),
        "nearest": class_or_null(nearest),
        "nearest_distance": nearest_distance,
    }


def nearest_tracks(distance: Tensor, typical: Tensor) -> tuple[Tensor, Tensor]:
    """The class of the nearest other point of the same network for each point, and its distance.

    Args:
        distance: `[S, C, C]`, as `separations` returns it; NaN where a point is missing.
        typical: typical distance of each network, `[S]`, which is the unit.

    Returns:
        `[P]` classes, -1 if there is no other point; `[P]` distances, NaN in that case.
    """
    least, nearest = distance.masked_fill(distance.isnan(), torch.inf).min(-1)
    alone = least.isinf()
    least = torch.where(least > 0, least / typical[:, None], 0)  # the unit is 0 where most points coincide
    return nearest.masked_fill(alone, -1).flatten(), least.masked_fill(alone, torch.nan).flatten()


def add_parents(formation: pd.DataFrame) -> pd.DataFrame:
    """The table with `born` (whether a track's memory exists) and `parent`, sorted by network, class and step.

    A memory exists from the first step from which its class is in use, and its track read out as this class, until the
    end. In the last row before that, `parent` is the class as which the track is read out, if it is another: the
    memory of which its point was part.
    """
    formation = formation.sort_values(["seed", "label", "step"], ignore_index=True)
    remembered = (formation["readout"] == formation["label"]) & formation["in_use"]
    groups = [formation["seed"], formation["label"]]
    formation["born"] = remembered[::-1].groupby(groups).cummin()[::-1].astype(bool)
    just_before = ~formation["born"] & formation["born"].groupby(groups).shift(-1, fill_value=False)
    other_class = formation["readout"] != formation["label"]
    formation["parent"] = formation["readout"].where(just_before & other_class)
    return formation
