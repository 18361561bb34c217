"""Slow points tracked through a sequence of maps, from the last to the first.

Each search starts at the point found for the next later map. S networks, C classes, P = S * C points, K maps, n
coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from slowpoints.core.progress import report_stage
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.residual import Map

Search = Callable[[Map, Tensor], Tensor]
"""From a residual and starting points `[P, n]` to the end states of the search, `[P, n]`."""
RETRACED = 0.5
"""A move is retraced if a search back in the later snapshot ends this close to its start, as a share of its length."""


@dataclass(frozen=True)
class Tracks:
    """Points tracked through K snapshots, earliest first.

    Attributes:
        state: `[K, P, n]`.
        displacement: distance to the track's point in the next later snapshot, `[K, P]`; NaN in the last.
        retraced: whether a search from here in the next later snapshot leads back to that point, `[K, P]`.
    """

    state: Tensor
    displacement: Tensor
    retraced: Tensor


def back_track(residuals: Sequence[Map], last: Tensor, search: Search, measure: Map = lambda z: z) -> Tracks:
    """Tracks points from the last of a sequence of maps to the first.

    Args:
        residuals: of the K maps, earliest first.
        last: points of the last map, `[P, n]`; used unchanged.
        search: search for points.
        measure: from states to the coordinates in which distances are measured.
    """
    states, moves, retraced = [last], [torch.full_like(last[:, 0], torch.nan)], [torch.ones_like(last[:, 0]).bool()]
    with report_stage("formation", len(residuals) - 1, unit="snapshot") as progress:
        for later, earlier in zip(residuals[:0:-1], residuals[-2::-1], strict=True):
            begin = states[-1]
            end = search(earlier, begin)
            back = search(later, end)
            move = (measure(end) - measure(begin)).norm(dim=-1)
            states.append(end)
            moves.append(move)
            retraced.append((measure(back) - measure(begin)).norm(dim=-1) <= RETRACED * move)
            progress.update()
    return Tracks(*(torch.stack(items[::-1]) for items in (states, moves, retraced)))


def separations(points: Tensor, networks: int) -> tuple[Tensor, Tensor]:
    """Distances between the points of each network.

    Args:
        points: `[P, n]`, in the coordinates of speed; NaN where a point is missing.
        networks: S.

    Returns:
        Distances `[S, C, C]`, with infinity on the diagonal, and each network's typical distance `[S]`, their median.
    """
    by_network = points.view(networks, -1, points.shape[-1])
    distance = (by_network[:, :, None] - by_network[:, None]).norm(dim=-1)
    typical = torch.stack([torch.nanmedian(row[~torch.eye(len(row), dtype=torch.bool)]) for row in distance])
    return distance.diagonal_scatter(distance.new_full(by_network.shape[:2], torch.inf), dim1=1, dim2=2), typical


def tracking_bounds(last: Dynamics, points: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds `[P, n]` of tracked points: the unit's for h; for c, the largest |c| among the network's own slow points.

    Any further part of a state is bounded like c, by its own values. With c free, a search from snapshot to snapshot
    would drift along saturated cells.
    """
    upper = torch.full_like(points, last.unit.bound)
    if last.coordinates > last.hidden:
        parts = points.abs().unflatten(1, (-1, last.hidden))[:, 1:].unflatten(0, (last.networks, -1))
        largest = parts.amax((1, 3)).repeat_interleave(last.hidden, dim=1)
        upper[:, last.hidden :] = largest.repeat_interleave(len(points) // last.networks, dim=0)
    return -upper, upper
