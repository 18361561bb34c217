"""Slow points of trained networks: where each memory lies, how slowly its state moves, and how stable it is.

S networks, C classes, P = S * C points, n state coordinates (h, or h and c). Haviv, Rivkind & Barak (2019),
sections 3 and 4, and the authors' released code; the deep search, lifetimes, the path from the class centre and the
effects of noise are this project's own.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.core.arguments import instance, whole_number
from slowpoints.core.presets.search import Search
from slowpoints.core.progress import report_stage
from slowpoints.core.schemas.schema import TUNED_COLUMNS
from slowpoints.core.schemas.slow_points import SLOW_POINTS
from slowpoints.core.torch_modes import usual_defaults
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.descent import descend
from slowpoints.dynamics.jacobian import spectra, time_constant
from slowpoints.dynamics.search import SlowPoints, find_slow_points
from slowpoints.dynamics.speed import SpeedResidual, reachable
from slowpoints.measures.centres import Centres, class_centres
from slowpoints.measures.first_passage import predicted_lifetimes
from slowpoints.measures.lifetimes import LIFETIME_CAP, lifetimes
from slowpoints.measures.noise_at_points import margin_parts, noise_parts
from slowpoints.measures.points import class_or_null, point_table
from slowpoints.measures.relaxation import SETTLED, Relaxation, relax
from slowpoints.measures.spectral_lifetimes import spectral_lifetimes
from slowpoints.networks.ensemble import Networks, check_measured

log = logging.getLogger(__name__)

EARLY_STEPS = 1000  # Adam steps after which `speed_1000` is taken

Columns = dict[str, Tensor]
"""Columns of the table `slow_points`, `[P]` each."""


class MeasuredPoints(NamedTuple):
    """Result of `measure_slow_points`.

    Attributes:
        slow_points: the table, without the columns of cell and mode.
        spectrum: likewise.
        relaxation: likewise.
        centres: class centres, from which the searches started.
        path: paths from the class centres under the mean input.
        state: the slow points, `[P, n]`.
    """

    slow_points: pd.DataFrame
    spectrum: pd.DataFrame
    relaxation: pd.DataFrame
    centres: Centres
    path: Relaxation
    state: Tensor


@usual_defaults()
def measure_slow_points(
    networks: Networks, images: ImageSet, settings: Search, *, longest_delay: int, full: bool = True
) -> MeasuredPoints:
    """Slow point of every class of every network.

    Without `full`, there are only the authors' descent, the paths from the class centres and the effects of noise.
    Columns of the deep search, eigenvalues and lifetimes are null, and `spectrum` has no rows.

    Args:
        networks: trained networks.
        images: training images.
        settings: of the class centres and the searches.
        longest_delay: longest delay at which memory is measured; lifetimes are followed for ten times as long.
        full: whether to run the deep search and to measure eigenvalues and lifetimes as well.

    Returns:
        Tables with a row for each network and class, null where no trial of the class was read out correctly.

    Raises:
        TypeError: if networks, images or settings are of another type.
        ValueError: if images do not fit the networks, or `longest_delay` is not at least 1.
    """
    check_measured(networks, images)
    instance(settings, Search, "settings", " (slowpoints.core.presets.search)")
    longest_delay = whole_number(longest_delay, "longest_delay", least=1)
    dynamics, cap = Dynamics.of(networks), LIFETIME_CAP * longest_delay
    centres = class_centres(networks, dynamics, images, settings)
    labels = torch.arange(images.classes, device=networks.device).repeat(len(networks))
    path = relax(dynamics, centres.state, labels, longest_delay)
    slow, columns = _descended(dynamics, centres, settings.adam_steps)
    eigenvalues, types = slow.new_empty(len(slow), 0), [None] * len(slow)
    if full:
        deep = _searched(dynamics, centres, settings)
        columns |= _deep(dynamics, centres, deep)
        with report_stage("spectrum"):
            eigenvalues = spectra(dynamics.step, slow)
        columns |= _spectral(eigenvalues) | _lifetimes(dynamics, centres.state, slow, labels, cap)
        types = list(deep.kind)
    columns["spectral_lifetime"] = spectral_lifetimes(networks, dynamics, centres.state, labels, cap)
    columns |= _relaxed(dynamics, path, slow, cap) | _in_noise(networks, dynamics, path, slow, labels)
    if full and settings.predict_lifetimes:
        columns |= _predicted(networks, dynamics, centres.state, longest_delay)
    exist = centres.exist.cpu().numpy()
    table = point_table(columns, networks.seeds, images.classes, centres.exist)
    table["deep_kind"] = [name if exists else None for name, exists in zip(types, exist, strict=True)]
    table["state"] = [state if exists else None for state, exists in zip(slow.cpu().numpy(), exist, strict=True)]
    unmeasured = [name for name in SLOW_POINTS.columns if name not in table and name not in TUNED_COLUMNS]
    table[unmeasured] = np.nan
    return MeasuredPoints(
        table,
        _spectrum_table(table[exist], eigenvalues.cpu().numpy()[exist]),
        _relaxation_table(table[exist], path, exist),
        centres,
        path,
        slow,
    )


def _descended(dynamics: Dynamics, centres: Centres, steps: int) -> tuple[Tensor, Columns]:
    """Slow points by the authors' descent `[P, n]`, and columns about them."""
    log.info("authors' descent, %d steps from %d class centres", steps, int(centres.exist.sum()))
    residual, bounds = SpeedResidual(dynamics), reachable(dynamics)
    slow, early_speeds = descend(residual, centres.state, *bounds, steps=steps, note_at=(EARLY_STEPS,))
    speed = dynamics.speed(slow)
    return slow, {
        "centre_speed": dynamics.speed(centres.state),
        "speed_1000": early_speeds.get(EARLY_STEPS, torch.full_like(speed, torch.nan)),
        "speed": speed,
        "readout": class_or_null(dynamics.read_out(slow)),
        "distance": dynamics.distance(slow, centres.state),
        "raw_speed": dynamics.raw_speed(slow),
    }


def _searched(dynamics: Dynamics, centres: Centres, settings: Search) -> SlowPoints:
    bounds = search_bounds(dynamics, centres)
    return find_slow_points(
        dynamics.step,
        centres.state.clamp(*bounds),  # the placeholder of a class that was never read out may lie outside
        *bounds,
        residual=SpeedResidual(dynamics),
        tolerance=settings.tolerance,
        max_iterations=settings.max_iterations,
    )


def _deep(dynamics: Dynamics, centres: Centres, deep: SlowPoints) -> Columns:
    """Columns about where the deep search ends."""
    return {
        "deep_speed": deep.speed,
        "deep_readout": class_or_null(dynamics.read_out(deep.state)),
        "deep_distance": dynamics.distance(deep.state, centres.state),
        "projected_gradient": deep.projected_gradient,
        "converged": deep.converged,
        "iterations": deep.iterations,
    }


def search_bounds(dynamics: Dynamics, centres: Centres) -> tuple[Tensor, Tensor]:
    """Bounds of the deep search: the unit's for h, the range met in roll-outs for c.

    With c free, a deep search drifts along saturated cell states, ever more slowly, and ever further from any state
    that the network reaches.
    """
    lower, upper = centres.lower.clone(), centres.upper.clone()
    lower[:, : dynamics.hidden], upper[:, : dynamics.hidden] = -dynamics.unit.bound, dynamics.unit.bound
    return lower, upper


def _spectral(eigenvalues: Tensor) -> Columns:
    leading = eigenvalues[:, 0].abs()
    return {
        "leading": leading,
        "n_unstable": (eigenvalues.abs() > 1).sum(1),
        "time_constant": time_constant(leading),
    }


def _lifetimes(dynamics: Dynamics, centres: Tensor, slow: Tensor, labels: Tensor, cap: int) -> Columns:
    """Columns about lifetimes from the class centres and from the slow points."""
    networks = dynamics.networks
    both = lifetimes(dynamics, _paired(centres, slow, networks), _paired(labels, labels, networks), cap)
    columns: Columns = {}
    for name, lifetime in zip(("lifetime", "point_lifetime"), _unpaired(both, networks), strict=True):
        columns |= {name: lifetime, f"{name}_capped": lifetime >= cap}
    return columns


def _relaxed(dynamics: Dynamics, path: Relaxation, slow: Tensor, cap: int) -> Columns:
    """Columns about the path from the class centres, and how close it comes to the slow points."""
    time, capped = path.margin_time(cap)
    return {
        "settled_speed": path.settled_speed,
        "margin": path.margin[path.frames.index(SETTLED)],
        "margin_time": time,
        "margin_capped": capped,
        "path_distance": torch.stack([dynamics.distance(states, slow) for states in path.states]).amin(0),
    }


def _in_noise(networks: Networks, dynamics: Dynamics, path: Relaxation, slow: Tensor, labels: Tensor) -> Columns:
    """Columns about the effects of noise at the slow points and at the settled states."""
    settled = path.states[path.frames.index(SETTLED)]
    # Together, so that the noise frames pass through the front end only once.
    both = _paired(slow, settled, len(networks))
    columns: Columns = {}
    for name, values in zip(("drift", "diffusion"), noise_parts(networks, both), strict=True):
        columns[name], columns[f"settled_{name}"] = _unpaired(values, len(networks))
    columns["margin_drift"], columns["margin_diffusion"] = margin_parts(networks, dynamics, settled, labels)
    return columns


def _predicted(networks: Networks, dynamics: Dynamics, centres: Tensor, longest: int) -> Columns:
    """Columns about predicted lifetimes in noise."""
    lifetime, capped = predicted_lifetimes(networks, dynamics, centres, longest)
    return {"predicted_lifetime": lifetime, "predicted_lifetime_capped": capped}


def _paired(first: Tensor, second: Tensor, networks: int) -> Tensor:
    """Two sets of P points as one of 2 P: for each network the points of the first, then those of the second."""
    return torch.stack([points.unflatten(0, (networks, -1)) for points in (first, second)], dim=1).flatten(0, 2)


def _unpaired(values: Tensor, networks: int) -> tuple[Tensor, Tensor]:
    """The values of each set, `[P]`, from those of both, `[2 P]`."""
    first, second = values.view(networks, 2, -1).unbind(1)
    return first.flatten(), second.flatten()


def _relaxation_table(points: pd.DataFrame, path: Relaxation, exist: np.ndarray) -> pd.DataFrame:
    """A row for each existing point and recorded frame of its path."""
    with_point = torch.as_tensor(exist, device=path.speed.device)
    columns = {"speed": path.speed, "margin": path.margin, "readout": class_or_null(path.readout)}
    return pd.DataFrame(
        {
            "seed": np.repeat(points["seed"].to_numpy(), len(path.frames)),
            "label": np.repeat(points["label"].to_numpy(), len(path.frames)),
            "frame": np.tile(path.frames, len(points)),
            **{name: column[:, with_point].T.flatten().cpu().numpy() for name, column in columns.items()},
        }
    )


def _spectrum_table(points: pd.DataFrame, eigenvalues: np.ndarray) -> pd.DataFrame:
    """A row for each eigenvalue, from eigenvalues `[points, n]`."""
    coordinates = eigenvalues.shape[1]
    return pd.DataFrame(
        {
            "seed": np.repeat(points["seed"].to_numpy(), coordinates),
            "label": np.repeat(points["label"].to_numpy(), coordinates),
            "index": np.tile(np.arange(coordinates), len(points)),
            "real": eigenvalues.real.ravel(),
            "imag": eigenvalues.imag.ravel(),
        }
    )
