"""Slow points of a network, with their stability and tables and figures of them.

P points of n coordinates.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor

from slowpoints.adapters.frames import Frozen
from slowpoints.adapters.states import as_states, paths_of
from slowpoints.core.arguments import finite, instance, whole_number
from slowpoints.core.arrays import Array
from slowpoints.core.tables import write_arrow
from slowpoints.core.torch_modes import usual_modes
from slowpoints.dynamics.jacobian import eigenvalues, time_constant
from slowpoints.dynamics.residual import chunks
from slowpoints.dynamics.search import SlowPoints

if TYPE_CHECKING:
    from slowpoints.adapters.picture import Picture

UNIT_CIRCLE_TOLERANCE = 1e-6  # within which an eigenvalue counts as on the unit circle: rounding moves it as far


@dataclass(frozen=True, repr=False)
class NetworkPoints(SlowPoints):
    """Slow points of a network, one for each start, or fewer after `unique` or `points[...]`.

    Attributes:
        start: from which each was searched, `[P, n]`.
        share: of all starts that led to each, `[P]`.
        network: the map, its residual and bounds.
    """

    start: Tensor
    share: Tensor
    network: Frozen

    def __len__(self) -> int:
        return len(self.state)

    def __getitem__(self, chosen: slice | int | np.ndarray | Tensor | list) -> NetworkPoints:
        """Some of the points, by a slice, indices or a mask: `points[points.kind == "fixed point"]`, for example."""
        if not isinstance(chosen, slice):
            chosen = np.asarray(chosen.cpu() if isinstance(chosen, Tensor) else chosen)
            chosen = chosen.astype(int) if not chosen.size else chosen
        rows = np.atleast_1d(np.arange(len(self))[chosen])
        if rows.ndim > 1:
            raise IndexError(f"points have one axis; the index has {rows.ndim}")
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        subset = NetworkPoints(**{name: value if name == "network" else value[rows] for name, value in values.items()})
        for cached in {"jacobian", "eigenvalues"} & set(vars(self)):
            vars(subset)[cached] = vars(self)[cached][rows]
        return subset

    def __repr__(self) -> str:
        """Counts of each kind, and of each stability if the eigenvalues have been computed."""
        names = [self.kind.astype(str)] + ([self.stability] if "eigenvalues" in vars(self) else [])
        counts = Counter(zip(*names, strict=True)).most_common()
        return f"{len(self)} slow points: " + "; ".join(f"{count} {', '.join(name)}" for name, count in counts)

    @cached_property
    @usual_modes()
    def jacobian(self) -> Tensor:
        """Derivative of a frame at each point, `[P, n, n]`; row i holds those of coordinate i."""
        points, n = self.state.shape
        # In chunks, since automatic differentiation holds several times its size.
        jacobian = self.state.new_empty(points, n, n)
        for states, chunk in zip(chunks(self.state, n), chunks(jacobian, n), strict=True):
            chunk.copy_(self._jacobian(states))
        return jacobian

    @cached_property
    @usual_modes()
    def eigenvalues(self) -> Tensor:
        """Eigenvalues of the Jacobians, `[P, n]` complex, largest absolute value first; NaN of one not finite."""
        return torch.cat([eigenvalues(self._jacobian(states)) for states in chunks(self.state, self.state.shape[1])])

    @property
    def time_constants(self) -> Tensor:
        """Frames in which each direction decays, or grows, by a factor e, `[P, n]`, in the order of `eigenvalues`.

        Infinite where it does neither, to within rounding. A "minimum" or "saddle" of the speed inside the bounds
        always has such a direction: J has an eigenvalue of 1 there, since (J - 1)^T (F(z) - z) vanishes and F(z) - z
        does not.
        """
        moduli = self.eigenvalues.abs()
        return time_constant(moduli).masked_fill((moduli - 1).abs() <= UNIT_CIRCLE_TOLERANCE, torch.inf)

    @property
    def n_unstable(self) -> np.ndarray:
        """Number of unstable directions, `[P]`: the order of a saddle; NaN where the derivative is not finite."""
        unknown = self._unknown
        return np.where(unknown, np.nan, self._order) if unknown.any() else self._order

    @property
    def stability(self) -> np.ndarray:
        """Stability of fixed points, `[P]`; "not at rest" for other slow points, which `n_unstable` describes.

        "attracting", "saddle of order k" with k unstable directions, "repelling" if all are unstable, or "marginal" if
        none is unstable but one neither grows nor decays, as along a line of fixed points. "unknown" where the
        derivative is not finite.
        """
        order, n = self._order, self.state.shape[1]
        names = np.array([f"saddle of order {k}" for k in range(n + 1)], dtype=object)
        names[n] = "repelling"
        neutral = (self.eigenvalues[:, 0].abs() >= 1 - UNIT_CIRCLE_TOLERANCE).cpu().numpy()
        stability = np.where(order > 0, names[order], np.where(neutral, "marginal", "attracting"))
        stability = np.where(self._unknown, "unknown", stability)
        return np.where(self.kind == "fixed point", stability, "not at rest").astype(str)

    @property
    def _order(self) -> np.ndarray:
        return (self.eigenvalues.abs() > 1 + UNIT_CIRCLE_TOLERANCE).sum(1).cpu().numpy()

    @property
    def _unknown(self) -> np.ndarray:
        """Whether the derivative is not finite, `[P]`, so that there is no spectrum."""
        return self.eigenvalues[:, 0].isnan().cpu().numpy()

    @usual_modes()
    def unique(self, tolerance: float) -> NetworkPoints:
        """Distinct points, those that most starts led to first.

        Points are taken in order of speed. Each represents those within `tolerance` of it that no slower point
        represents, and takes over their share of starts.

        Args:
            tolerance: greatest distance between states of the same point.

        Raises:
            ValueError: if it is negative or not finite.
            TypeError: if it is not a number.
        """
        tolerance = finite(tolerance, "tolerance", least=0)
        order, speed_first = [], self.speed.argsort(stable=True)
        left, share = torch.ones(len(self), dtype=torch.bool, device=self.state.device), torch.zeros_like(self.share)
        for point in speed_first.tolist():
            if left[point]:
                near = left & ((self.state - self.state[point]).norm(dim=1) <= tolerance)
                share[point], left = self.share[near].sum(), left & ~near
                order.append(point)
        rows = np.array(order, dtype=int)
        rows = rows[np.argsort(-share[rows].cpu().numpy(), kind="stable")]
        distinct = self[rows]
        distinct.share[:] = share[rows]
        return distinct

    @usual_modes()
    def nearest(self, states: Array) -> tuple[Tensor, Tensor]:
        """The nearest point of each state.

        Args:
            states: `[..., n]`, in any form that `slow_points_of` takes.

        Returns:
            Its row among these points and its distance, `[...]` each; for trials of different lengths one trial after
            the other.

        Raises:
            ValueError: if there are no points, or the states have another number of coordinates.
        """
        if not len(self):
            raise ValueError("there are no points to be near to")
        states = as_states(states, self._widths, self.network.layers).to(self.state)
        flat = states.reshape(-1, states.shape[-1])
        distance, row = torch.cdist(flat, self.state, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
        return row.view(states.shape[:-1]), distance.view(states.shape[:-1])

    @usual_modes()
    def to_frame(self) -> pd.DataFrame:
        """A row per point.

        Columns `kind`, `stability`, `speed`, `share` and `n_unstable` are as in the points; `leading` is the absolute
        value of the leading eigenvalue, and `time_constant` belongs to it; `projected_gradient`, `converged`,
        `iterations` and `searched` describe the search (`SlowPoints`); `distance` is that from the start, `state` the
        state, `[n]`.
        """
        columns = {
            "kind": self.kind.astype(str),
            "stability": self.stability,
            "speed": self.speed,
            "share": self.share,
            "n_unstable": self.n_unstable,
            "leading": self.eigenvalues[:, 0].abs(),
            "time_constant": self.time_constants[:, 0],
            "projected_gradient": self.projected_gradient,
            "converged": self.converged,
            "iterations": self.iterations,
            "searched": self.searched,
            "distance": (self.state - self.start).norm(dim=1),
            "state": list(self.state.cpu().numpy()),
        }
        return pd.DataFrame(
            {name: column.cpu().numpy() if isinstance(column, Tensor) else column for name, column in columns.items()}
        )

    def to_parquet(self, path: str | Path) -> None:
        """Writes the table of `to_frame`, with versions of the software in the metadata."""
        instance(path, (str, os.PathLike), "path")
        write_arrow(pa.Table.from_pandas(self.to_frame(), preserve_index=False), path, name="network_points")

    @usual_modes()
    def plot(self, states: Array | None = None, *, dimensions: int = 2) -> Picture:
        """Plots the points in principal components, among states that the network visited.

        A notebook shows the figure; elsewhere `.savefig("points.png")` saves it.

        Args:
            states: `[T, B, n]`, as `states_of` returns them, drawn as B paths, or a list of `[T, n]`, a path each, or
                `[..., n]`, as dots; their principal components are taken. Without them, those of the points. Points
                three times as far from the mean of the states, or else of the starts, as the furthest of these are
                not drawn; the title gives their number.
            dimensions: 2 or 3.

        Raises:
            ValueError: if there are no points, the states have another number of coordinates, or fewer than
                `dimensions`.
        """
        from slowpoints.adapters.picture import draw  # Matplotlib, which takes a second to import

        dimensions = whole_number(dimensions, "dimensions")
        if states is None:
            return draw(self, None, None, dimensions)
        visited = as_states(states, self._widths, self.network.layers).to(self.state)
        return draw(self, visited.reshape(-1, visited.shape[-1]), paths_of(states, visited), dimensions)

    @property
    def _widths(self) -> tuple[int, ...]:
        """Number of coordinates of each part of a state."""
        return self.network.widths or (self.state.shape[1],)

    def _jacobian(self, states: Tensor) -> Tensor:
        identity = torch.eye(states.shape[1], dtype=states.dtype, device=states.device)
        return self.network.residual.jacobian(states) + identity
