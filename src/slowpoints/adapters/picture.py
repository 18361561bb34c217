"""Figure of the slow points of a network in principal components, with their unstable directions."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from slowpoints.dynamics.jacobian import unstable_directions
from slowpoints.dynamics.principal import principal_components
from slowpoints.plots.style import GREY, project_style

if TYPE_CHECKING:
    from slowpoints.adapters.points import NetworkPoints

SCREEN_DPI = 100
MAX_PATHS = 30  # drawn, so that the points remain visible
FAR = 3.0  # distance from the mean of the visited states, relative to that of the furthest, beyond which none is drawn
DIRECTION_LENGTH = 0.08  # half the length of an unstable direction, relative to the largest distance from the mean
ATTRACTING, LEAVING, SLOW = "#21688e", "#c2410c", "#8a8a8a"
GROUPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("attracting fixed point", {"marker": "o", "color": ATTRACTING, "mec": "white", "ms": 9}),
    (
        "saddle or repelling, with unstable directions",
        {"marker": "D", "color": "white", "mec": LEAVING, "mew": 1.6, "ms": 6.5},
    ),
    ("other fixed point", {"marker": "s", "color": "white", "mec": ATTRACTING, "mew": 1.6, "ms": 7}),
    ("not at rest", {"marker": "^", "color": SLOW, "mec": "white", "ms": 7.5}),
)
"""Label in the legend, and marker."""


class Picture(Figure):
    """A figure that a notebook displays, whether or not `pyplot` is in use."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        with project_style():
            self.savefig(buffer, format="png", dpi=SCREEN_DPI)
        return buffer.getvalue()


def draw(points: NetworkPoints, states: Tensor | None, paths: list[Tensor] | None, dimensions: int) -> Picture:
    """As `NetworkPoints.plot`.

    Args:
        points: to be drawn.
        states: `[V, n]`, whose principal components are the axes; None for those of the points.
        paths: the same states as paths, `[T, n]` each; None to draw them as dots.
        dimensions: 2 or 3.
    """
    if dimensions not in (2, 3):
        raise ValueError(f"dimensions is {dimensions}; it must be 2 or 3")
    n = points.state.shape[1]
    if n < dimensions:
        raise ValueError(f"states have {n} coordinates; they cannot be drawn in {dimensions} dimensions")
    if not len(points):
        raise ValueError("there are no points to draw")
    near = _near(points, points.start if states is None else states)
    drawn = points[near]
    cloud = drawn.state if states is None else states
    centre, axes, explained = principal_components(cloud, dimensions)
    with project_style():
        figure = Picture(figsize=(5.2, 4.4) if dimensions == 2 else (5.6, 4.8))
        panel: Any = figure.add_subplot(projection="3d" if dimensions == 3 else None)
        if states is not None:
            projected = [((path - centre) @ axes).cpu().numpy() for path in paths or [states]]
            _draw_states(panel, projected, joined=paths is not None)
        _draw_directions(panel, drawn, centre, axes, DIRECTION_LENGTH * float((cloud - centre).norm(dim=1).max()))
        _draw_points(panel, points, near, ((points.state - centre) @ axes).cpu().numpy())
        if far := int((~near).sum()):
            panel.set_title(f"{far} of {len(points)} points lie far outside, and are not drawn", fontsize="medium")
        for axis, name, share in zip("xyz", ("PC 1", "PC 2", "PC 3"), explained.tolist(), strict=False):
            getattr(panel, f"set_{axis}label")(f"{name} ({share:.0%} of variance)")
        if dimensions == 3:
            panel.set_box_aspect(None, zoom=0.95)  # keeps the last label from being cut off
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def _draw_states(panel: Axes, states: list[np.ndarray], *, joined: bool) -> None:
    """Draws states `[T, d]` each, as paths if joined, otherwise as dots."""
    for path in states[:MAX_PATHS]:
        if joined:
            panel.plot(*path.T, color=GREY, lw=0.5, alpha=0.35, zorder=1)
        else:
            panel.plot(*path.T, ".", color=GREY, ms=2, alpha=0.4, zorder=1)


def _groups(points: NetworkPoints) -> np.ndarray:
    """Index in `GROUPS` of each point, `[P]`."""
    fixed = points.kind == "fixed point"
    attracting, unstable = points.stability == "attracting", points.n_unstable > 0
    return np.select([fixed & attracting, fixed & unstable, fixed], [0, 1, 2], default=3)


def _near(points: NetworkPoints, visited: Tensor) -> np.ndarray:
    """Which points are drawn, `[P]`: all but those so far away that the visited states would shrink to a dot."""
    centre = visited.mean(0)
    radius = (visited - centre).norm(dim=1).max()
    near = (points.state - centre).norm(dim=1) <= FAR * radius
    return np.ones(len(points), dtype=bool) if not near.any() else near.cpu().numpy()


def _draw_points(panel: Axes, points: NetworkPoints, near: np.ndarray, states: np.ndarray) -> None:
    groups = _groups(points)
    for group, (label, style) in enumerate(GROUPS):
        of_group = groups == group
        if of_group.any():
            chosen = states[of_group & near]
            panel.plot(*chosen.T, ls="", label=f"{label} ({of_group.sum()})", zorder=3 + group, **style)


def _draw_directions(panel: Axes, points: NetworkPoints, centre: Tensor, axes: Tensor, length: float) -> None:
    """Draws lines along the unstable directions of fixed points."""
    unstable = points[(points.kind == "fixed point") & (points.n_unstable > 0)]
    for state, jacobian in zip(unstable.state, unstable.jacobian, strict=True):
        for direction in unstable_directions(jacobian):
            ends = torch.stack([state - length * direction, state + length * direction])
            panel.plot(*((ends - centre) @ axes).T.cpu().numpy(), color=LEAVING, lw=1.4, zorder=2)
