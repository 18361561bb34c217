"""Memory of networks: retrieval accuracy against delay (docs/method.md, Memory).

S networks, B trials each, D delays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.core.arguments import finite, one_of, whole_number, whole_numbers
from slowpoints.core.intervals import wilson
from slowpoints.core.progress import report_stage
from slowpoints.core.schemas.memory import QUIETER
from slowpoints.core.streams import uniform
from slowpoints.core.torch_modes import usual_defaults
from slowpoints.datasets.images import ImageSet
from slowpoints.networks.ensemble import Networks, check_measured
from slowpoints.networks.recurrence.unroll import gathered
from slowpoints.networks.rollout import Drives, fresh_noise, mean_input, roll_out, scaled, triggered
from slowpoints.task.trials import NoiseBank

NOISES = ("fresh", "bank")
"""How noise frames are drawn."""
BANK_FRAMES_AT_ONCE = 128  # per network through a front end, to bound memory use


@usual_defaults()
@torch.no_grad()
def measure_memory(
    networks: Networks,
    images: ImageSet,
    *,
    delays: Sequence[int],
    n_images: int,
    noise: str,
    bank: int,
    noise_scale: float = 1.0,
) -> pd.DataFrame:
    """Retrieval accuracy at each delay: image at frame 0, trigger at frame `delay`, noise at all others.

    Between image and trigger a network receives only noise, so one roll-out serves all delays: a triggered step
    branches off at each. All networks see the same images, equally many of each class, repeated if there are too few.

    Args:
        networks: S networks.
        images: test images.
        delays: delays in frames, at least 1, each once.
        n_images: trials per network, a multiple of the number of classes.
        noise: `fresh`, or `bank` to draw noise frames from a bank, never the same twice in a trial.
        bank: number of frames of that bank, more than the longest delay.
        noise_scale: factor on the noise about the mean input; 0 for the mean input alone.

    Returns:
        A row for each network, delay (in increasing order) and class: seed, delay, label, n_trials, n_correct,
        accuracy, low and high (Wilson 95 % interval), n_false (trials of other classes that were reported as this one).

    Raises:
        TypeError, ValueError: naming the argument, if images do not fit the networks, or a setting is impossible.
    """
    check_measured(networks, images)
    delays = sorted(whole_numbers(delays, "delays", least=1))
    n_images = checked_trials(n_images, images)
    one_of(noise, NOISES, "noise")
    noise_scale = finite(noise_scale, "noise_scale", least=0)
    if noise == "bank" and (bank := whole_number(bank, "bank", least=1)) <= delays[-1]:
        raise ValueError(f"bank is {bank}; it must be more than the longest delay, {delays[-1]}")
    rows = chosen_rows(images, n_images)
    labels = torch.as_tensor(images.labels[rows].astype(np.int64), device=networks.device)
    if noise_scale == 0:
        noise_drives = mean_input(networks, len(rows))
    elif noise == "fresh":
        noise_drives = fresh_noise(networks, len(rows), "memory noise", noise_scale)
    else:
        noise_drives = _noise_from_bank(networks, len(rows), bank, noise_scale)
    image_drives = networks.image_drives(images.images[rows])
    name = "memory roll-out" if noise_scale == 1 else f"memory roll-out at noise scale {noise_scale:g}"
    reported = reports(networks, image_drives, noise_drives, delays, name)  # [D, S, B]
    hits, reports_of = [], []
    for label in range(images.classes):
        as_label = reported == label
        hits.append(as_label[..., labels == label].sum(-1))
        reports_of.append(as_label.sum(-1))
    correct, reported_as = (torch.stack(counts, dim=-1).cpu().numpy() for counts in (hits, reports_of))
    trials = torch.bincount(labels, minlength=images.classes).cpu().numpy()
    return _retrieval_table(networks.seeds, delays, correct, reported_as - correct, trials)


def measure_in_less_noise(networks: Networks, images: ImageSet, **settings: Any) -> pd.DataFrame:
    """Memory with half the noise and with none, which separates the effects of noise and drift.

    Args:
        networks: S networks.
        images: test images.
        settings: as for `measure_memory`.

    Returns:
        The rows of `measure_memory` for each `noise_scale`.
    """
    tables = [
        measure_memory(networks, images, **settings, noise_scale=scale).assign(noise_scale=scale)
        for scale in QUIETER.values()
    ]
    return pd.concat(tables, ignore_index=True)


def reports(
    networks: Networks, images: list[Tensor], noise: Drives, delays: Sequence[int], name: str = "memory roll-out"
) -> Tensor:
    """Class that each trial is reported as at each delay, -1 for null, `[D, S, B]`.

    Args:
        networks: S networks.
        images: drives of each gate group at frame 0, `[S, B, g * H]` for its g gates.
        noise: drives of any later frame.
        delays: delays in frames, increasing.
        name: of the stage, for progress.
    """
    reported, frames = [], max(delays) + 1
    with report_stage(name, frames, unit="frame", bar=True) as progress:
        for frame in roll_out(networks, images, noise, frames):
            if frame.number in delays:
                reported.append(triggered(networks, frame).argmax(-1) - 1)
            progress.update()
    return torch.stack(reported)


def checked_trials(n_images: int, images: ImageSet) -> int:
    """The number of images, checked to allow equally many of each class.

    Raises:
        TypeError, ValueError: if it is not a positive multiple of the number of classes.
    """
    n_images = whole_number(n_images, "n_images", least=1)
    if n_images % images.classes:
        raise ValueError(f"n_images is {n_images}; it must be a multiple of {images.classes}, the number of classes")
    return n_images


def chosen_rows(images: ImageSet, n_images: int) -> np.ndarray:
    """Rows of `n_images` images, equally many of each class; images of small classes are repeated."""
    per_class = n_images // images.classes
    return images.rows_by_class("memory images", lambda rng, rows: np.resize(rng.permutation(rows), per_class))


def _noise_from_bank(networks: Networks, trials: int, size: int, scale: float) -> Drives:
    """Drives under frames of each network's bank, none of which a trial sees twice (`task.trials.NoiseBank`)."""
    bank = NoiseBank(size, networks.device)
    tables = _bank_drives(networks, size, scale)
    draws = torch.empty(len(networks), trials, 2, dtype=torch.float64, device=networks.device)
    uniform(networks.streams("memory bank"), draws)
    first = torch.arange(len(networks), device=networks.device).mul_(size)[:, None]
    flat = [table.flatten(0, 1) for table in tables]
    return lambda frame: gathered(flat, bank.row(draws, frame) + first)


def _bank_drives(networks: Networks, size: int, scale: float) -> list[Tensor]:
    """Drives of each gate group under the frames of a bank, `[S, size, g * H]`."""
    parts = []
    streams, quieter = networks.streams("memory noise"), scaled(networks, scale)
    chunk = torch.empty(len(networks), min(size, BANK_FRAMES_AT_ONCE), networks.spec.pixels, device=networks.device)
    for first in range(0, size, chunk.shape[1]):
        frames = networks.noise(streams, chunk[:, : size - first])
        parts.append(networks.drive(quieter(networks.features(frames))))
    return [torch.cat(tables, dim=1) for tables in zip(*parts, strict=True)]


def _retrieval_table(
    seeds: Sequence[int], delays: Sequence[int], correct: np.ndarray, false: np.ndarray, trials: np.ndarray
) -> pd.DataFrame:
    """Rows by seed, delay and label from counts of correct and false reports `[D, S, C]` and trials per class `[C]`."""
    n_delays, n_networks, classes = correct.shape
    n_trials = np.broadcast_to(trials, correct.shape).transpose(1, 0, 2).ravel()
    n_correct = correct.transpose(1, 0, 2).ravel()
    low, high = wilson(n_correct, n_trials)
    return pd.DataFrame(
        {
            "seed": np.repeat(seeds, n_delays * classes),
            "delay": np.tile(np.repeat(delays, classes), n_networks),
            "label": np.tile(np.arange(classes), n_networks * n_delays),
            "n_trials": n_trials,
            "n_correct": n_correct,
            "accuracy": n_correct / n_trials,
            "low": low,
            "high": high,
            "n_false": false.transpose(1, 0, 2).ravel(),
        }
    )
