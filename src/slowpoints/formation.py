"""Formation of memories: slow points tracked back through training to where they came from.

From the last snapshot backwards, each search starts at the point found in the next later snapshot. S networks,
C classes, P = S * C points, K snapshots, n coordinates. Haviv, Rivkind & Barak (2019), section 5, describes the
idea; criteria and procedure are this project's own (docs/method.md, Formation).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.births import add_parents
from slowpoints.dynamics import Dynamics
from slowpoints.finder import find_slow_points
from slowpoints.protocols import Stage
from slowpoints.residual import Map
from slowpoints.slow_points import class_or_null, stored_points

log = logging.getLogger(__name__)

Search = Callable[[Map, Tensor], Tensor]
"""From a residual and states `[P, n]` to where the search from them ends."""
RETRACED = 0.5
"""A move is retraced if the search back in the later snapshot ends within this share of it from where it began."""
JUMP = 0.1
"""Shortest move, in typical distances between the points of a network, that can be a jump."""
MERGED = 0.02
"""Distance, in the same unit, within which two tracks have merged."""


@dataclass(frozen=True)
class Tracks:
    """Points tracked through snapshots, earliest first; everything `[K, P, ...]`.

    Attributes:
        state: `[K, P, n]`.
        displacement: distance to the same track's point in the next later snapshot; NaN in the last.
        retraced: whether a search from here in the next later snapshot leads back to that point.
    """

    state: Tensor
    displacement: Tensor
    retraced: Tensor


def back_track(residuals: Sequence[Map], last: Tensor, search: Search, measure: Map = lambda z: z) -> Tracks:
    """Tracks points from the last of a family of maps to the first.

    Args:
        residuals: of the maps, earliest first.
        last: points of the last map, `[P, n]`; taken as they are.
        search: how a point is sought from a start.
        measure: coordinates in which distances are taken.
    """
    states, moves, retraced = [last], [torch.full_like(last[:, 0], torch.nan)], [torch.ones_like(last[:, 0]).bool()]
    for later, earlier in zip(residuals[:0:-1], residuals[-2::-1], strict=True):
        begin = states[-1]
        end = search(earlier, begin)
        back = search(later, end)
        move = (measure(end) - measure(begin)).norm(dim=-1)
        states.append(end)
        moves.append(move)
        retraced.append((measure(back) - measure(begin)).norm(dim=-1) <= RETRACED * move)
    return Tracks(*(torch.stack(items[::-1]) for items in (states, moves, retraced)))


def separations(points: Tensor, networks: int) -> tuple[Tensor, Tensor]:
    """Distances between the points of each network.

    Args:
        points: `[P, n]`, in the coordinates of speed; NaN where a point is missing.
        networks: S.

    Returns:
        `[S, C, C]` with infinity on the diagonal, and each network's typical distance `[S]`, the median.
    """
    own = points.view(networks, -1, points.shape[-1])
    distance = (own[:, :, None] - own[:, None]).norm(dim=-1)
    typical = torch.stack([torch.nanmedian(each[~torch.eye(len(each), dtype=torch.bool)]) for each in distance])
    return distance.diagonal_scatter(distance.new_full(own.shape[:2], torch.inf), dim1=1, dim2=2), typical


def tracking_bounds(last: Dynamics, points: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds `[P, n]` of tracked points: [-1, 1] for h, for c the largest |c| among the network's own slow points.

    With c free, a search from snapshot to snapshot drifts along saturated cells.
    """
    upper = torch.ones_like(points)
    if last.coordinates > last.hidden:
        c = points[:, last.hidden :].abs().view(last.networks, -1)
        upper[:, last.hidden :] = c.amax(1).repeat_interleave(len(points) // last.networks)[:, None]
    return -upper, upper


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
        snapshots: dynamics after so many steps, earliest first, of S networks.
        slow_points: table `slow_points` of the same networks, in their order.
        plan: the run's stages.
        orders: classes in the order in which they come into use, `[S, C]`.
        max_iterations: of the deep search in each snapshot; it starts warm.

    Returns:
        The table `formation` without the columns of the cell: a row for each network, class and snapshot, and none
        for a class without a slow point.
    """
    dynamics = list(snapshots.values())
    last, networks = dynamics[-1], dynamics[-1].networks
    start, found = stored_points(slow_points, last.coordinates, last.recurrent.device)

    bounds = tracking_bounds(last, start)

    def search(residual: Map, begin: Tensor) -> Tensor:
        found = find_slow_points(None, begin, *bounds, residual=residual, max_iterations=max_iterations)
        return found.state

    measure = last.cell.speed_coordinates
    tracks = back_track([own.residual for own in dynamics], start, search, measure)
    rows = []
    for row, (step, own) in enumerate(snapshots.items()):
        state = tracks.state[row]
        points = measure(state).masked_fill(~found[:, None], torch.nan)
        distance, typical = separations(points, networks)
        far = tracks.displacement[row] > JUMP * typical.repeat_interleave(len(state) // networks)
        nearest, partner = distance.nan_to_num(torch.inf).min(-1)
        merged = nearest < MERGED * typical[:, None]
        stage = next(stage for stage in plan if stage.start < step <= stage.stop)
        columns = {
            "speed": own.speed(state),
            "displacement": tracks.displacement[row],
            "jumped": far & ~tracks.retraced[row],
            "readout": class_or_null(own.read_out(state)),
            "merged_with": class_or_null(torch.where(merged, partner, -1).flatten()),
        }
        table = slow_points[["seed", "label"]].assign(
            step=step, **{name: column.cpu().numpy() for name, column in columns.items()}
        )
        table["in_use"] = (np.argsort(orders, axis=1) < stage.classes_in_use).ravel()
        table["t_max"] = stage.t_max
        rows.append(table[found.cpu().numpy()])
    log.info("tracked %d points through %d snapshots", int(found.sum()), len(snapshots))
    return add_parents(pd.concat(rows, ignore_index=True))
