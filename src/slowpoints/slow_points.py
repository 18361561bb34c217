"""Slow points of trained networks: where each memory sits, how slowly it moves, and how it comes apart.

S networks, C classes, P = S * C points, n state coordinates (h, or h and c). Haviv, Rivkind & Barak (2019),
sections 3 and 4, and the authors' released code; the deep descent and the lifetime are this project's own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics import Dynamics
from slowpoints.ensemble import Networks
from slowpoints.finder import descend, find_slow_points
from slowpoints.spectrum import spectra, time_constant
from slowpoints.streams import numpy_generator
from slowpoints.trajectories import trajectories

log = logging.getLogger(__name__)

CENTRE_FRAMES = 15  # the image's frame and 14 noise frames (authors' code)
EARLY_STEPS = 1000  # Adam steps after which `speed_1000` is taken
LIFETIME_CAP = 10  # lifetimes are followed for this many times the longest delay
FRAMES_AT_ONCE = 64  # of which memories are read out together when lifetimes are followed


@dataclass(frozen=True)
class Centres:
    """Mean state of each class after the image.

    Attributes:
        state: `[P, n]`; zero where no trial was read out rightly.
        found: whether any was, `[P]`.
        lower: least value of each coordinate over all trials and frames of the network, `[P, n]`.
        upper: greatest value, likewise.
    """

    state: Tensor
    found: Tensor
    lower: Tensor
    upper: Tensor


class SlowPointTables(NamedTuple):
    """What `measure_slow_points` finds, by name of the table."""

    slow_points: pd.DataFrame
    spectrum: pd.DataFrame
    trajectories: pd.DataFrame


@torch.no_grad()
def class_centres(
    networks: Networks, dynamics: Dynamics, images: ImageSet, *, images_per_class: int, noise_scale: float
) -> Centres:
    """States from which memories start: means over rightly read trials, 15 frames after the image.

    The image is at frame 0; the noise after it is the same for all trials of a network.

    Args:
        networks: S networks.
        dynamics: theirs under the mean input.
        images: training images.
        images_per_class: trials of each class; as many as there are where there are fewer.
        noise_scale: factor on the standard deviation of the noise.
    """
    spec, cell = networks.spec, networks.spec.cell
    rows, labels = balanced_rows(images, images_per_class)
    noise = torch.empty(len(networks), CENTRE_FRAMES - 1, spec.pixels, device=networks.device)
    networks.noise(networks.streams("class centres"), noise).sub_(spec.noise_mean).mul_(noise_scale).add_(
        spec.noise_mean
    )
    shown = networks.image_drives(images.images[rows])
    heard = networks.drive(networks.features(noise))
    recurrent = cell.split(networks.weights["recurrent"])
    state = cell.initial_state(len(networks), len(rows), spec.hidden, like=noise)
    lower = upper = None
    for frame in range(CENTRE_FRAMES):
        drive = shown if frame == 0 else [h[:, frame - 1 : frame].expand(-1, len(rows), -1) for h in heard]
        state, _ = cell.step(drive, state, recurrent)
        flat = torch.cat(state, dim=-1).double()
        low, high = flat.amin(1), flat.amax(1)
        lower, upper = (low, high) if lower is None else (torch.minimum(low, lower), torch.maximum(high, upper))
    right = dynamics.read_out(flat.flatten(0, 1)).view(len(networks), -1) == labels.to(networks.device)
    member = right[:, None] & (labels == torch.arange(images.classes)[:, None]).to(right.device)  # [S, C, trials]
    count = member.sum(-1)
    means = member.double() @ flat / count.clamp(min=1)[..., None]
    spread = [bound.repeat_interleave(images.classes, 0) for bound in (lower, upper)]
    return Centres(means.flatten(0, 1), count.flatten() > 0, *spread)


def noise_factor(settings: dict) -> float:
    """Factor on the noise of the preset section `slow_points`, which may be written as "1/3"."""
    return float(Fraction(settings["noise_scale"]))


def balanced_rows(images: ImageSet, per_class: int) -> tuple[np.ndarray, Tensor]:
    """Rows of the same number of images of each class, drawn once for all networks, and their labels."""
    rng = numpy_generator("images per class")
    chosen = []
    for label in range(images.classes):
        own = np.flatnonzero(images.labels == label)
        chosen.append(rng.permutation(own)[:per_class])
    rows = np.concatenate(chosen)
    return rows, torch.as_tensor(images.labels[rows].astype(np.int64))


def search_bounds(dynamics: Dynamics, centres: Centres) -> tuple[Tensor, Tensor]:
    """Bounds of the deep search: [-1, 1] for h, the range met in roll-outs for c.

    With c free a deep search drifts along saturated cells, ever slower and ever further from any state the
    network reaches.
    """
    lower, upper = centres.lower.clone(), centres.upper.clone()
    lower[:, : dynamics.hidden], upper[:, : dynamics.hidden] = -1, 1
    return lower, upper


def authors_bounds(dynamics: Dynamics) -> tuple[Tensor, Tensor]:
    """Bounds of the authors' descent: [-1, 1] for h, none for c."""
    upper = dynamics.recurrent.new_full((dynamics.coordinates,), torch.inf)
    upper[: dynamics.hidden] = 1
    return -upper, upper


@torch.no_grad()
def lifetimes(dynamics: Dynamics, states: Tensor, labels: Tensor, longest: int) -> Tensor:
    """Frames under the mean input until a triggered step no longer reads out the class.

    Args:
        dynamics: of S networks.
        states: `[P, n]`, where to start.
        labels: class of each, `[P]`.
        longest: frames followed at most.

    Returns:
        `[P]`; `longest` where the class was read out all the time.
    """
    alive = torch.ones_like(labels, dtype=torch.bool)
    lifetime = torch.zeros_like(labels)
    for first in range(0, longest, FRAMES_AT_ONCE):
        visited = []
        for _ in range(min(FRAMES_AT_ONCE, longest - first)):
            visited.append(states)
            states = dynamics.step(states)
        # Read out together, network by network: [S, frames, C, n].
        by_network = torch.stack(visited).unflatten(1, (dynamics.networks, -1)).transpose(0, 1)
        read = dynamics.read_out(by_network.flatten(0, 2)).view(by_network.shape[:3])
        right = read.transpose(0, 1).flatten(1) == labels
        lasting = right.cumprod(0).bool() & alive
        lifetime += lasting.sum(0)
        alive = lasting[-1]
        if not alive.any():
            break
    return lifetime


def measure_slow_points(networks: Networks, images: ImageSet, settings: dict, *, longest_delay: int) -> SlowPointTables:
    """Slow point of every class of every network.

    Args:
        networks: trained networks.
        images: training images.
        settings: preset section `slow_points`.
        longest_delay: longest delay at which memory is measured; lifetimes are followed for ten times as long.

    Returns:
        The tables without the columns of cell and mode; a class of which no trial was read out rightly has nulls.
    """
    dynamics = networks.dynamics()
    centres = class_centres(
        networks,
        dynamics,
        images,
        images_per_class=settings["images_per_class"],
        noise_scale=noise_factor(settings),
    )
    labels = torch.arange(images.classes, device=networks.device).repeat(len(networks))
    steps = settings["adam_steps"]
    log.info("authors' descent, %d steps from %d class centres", steps, int(centres.found.sum()))
    slow, noted = descend(
        dynamics.residual, centres.state, *authors_bounds(dynamics), steps=steps, note_at=(EARLY_STEPS,)
    )
    deep = find_slow_points(
        dynamics.step,
        centres.state,
        *search_bounds(dynamics, centres),
        residual=dynamics.residual,
        tolerance=settings["tolerance"],
        max_iterations=settings["max_iterations"],
    )
    values = spectra(dynamics.step, slow)
    leading = values[:, 0].abs()
    cap = LIFETIME_CAP * longest_delay
    lifetime = lifetimes(dynamics, centres.state, labels, cap)
    missing = torch.full_like(leading, torch.nan)
    columns = {
        "centre_speed": dynamics.speed(centres.state),
        "speed_1000": noted.get(EARLY_STEPS, missing),
        "speed": dynamics.speed(slow),
        "readout": class_or_null(dynamics.read_out(slow)),
        "distance": dynamics.distance(slow, centres.state),
        "deep_speed": deep.speed,
        "deep_readout": class_or_null(dynamics.read_out(deep.state)),
        "deep_distance": dynamics.distance(deep.state, centres.state),
        "projected_gradient": deep.projected_gradient,
        "converged": deep.converged,
        "iterations": deep.iterations,
        "raw_speed": dynamics.raw_speed(slow),
        "leading": leading,
        "n_unstable": (values.abs() > 1).sum(1),
        "time_constant": time_constant(leading),
        "lifetime": lifetime,
        "lifetime_capped": lifetime >= cap,
    }
    found = centres.found.cpu().numpy()
    with_nulls = {torch.int64: "Int64", torch.bool: "boolean", torch.float64: "float64"}
    table = pd.DataFrame(
        {name: pd.array(column.cpu().numpy(), dtype=with_nulls[column.dtype]) for name, column in columns.items()}
    )
    table["state"] = list(slow.cpu().numpy())
    table.loc[~found, :] = None
    table.insert(0, "label", labels.cpu().numpy())
    table.insert(0, "seed", np.repeat(networks.seeds, images.classes))
    return SlowPointTables(
        slow_points=table,
        spectrum=_spectrum_table(table, values.cpu().numpy(), found),
        trajectories=trajectories(networks, images, centres.state, slow, centres.found),
    )


def stored_points(slow_points: pd.DataFrame, coordinates: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """States `[P, n]` of a table `slow_points`, zero where a class has none, and whether it has, `[P]`."""
    found = slow_points["state"].notna().to_numpy()
    states = np.zeros((len(found), coordinates))
    if found.any():
        states[found] = np.stack(slow_points["state"][found])
    return torch.tensor(states, device=device), torch.tensor(found, device=device)


def class_or_null(readout: Tensor) -> Tensor:
    """Read-out classes as floats, NaN where null was read out."""
    return torch.where(readout < 0, torch.nan, readout.double())


def _spectrum_table(points: pd.DataFrame, values: np.ndarray, found: np.ndarray) -> pd.DataFrame:
    index = np.arange(values.shape[1])
    kept = np.flatnonzero(found)
    return pd.DataFrame(
        {
            "seed": np.repeat(points["seed"].to_numpy()[kept], len(index)),
            "label": np.repeat(points["label"].to_numpy()[kept], len(index)),
            "index": np.tile(index, len(kept)),
            "real": values[kept].real.ravel(),
            "imag": values[kept].imag.ravel(),
        }
    )
