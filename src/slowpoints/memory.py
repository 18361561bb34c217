"""How long networks remember: accuracy on the trained task, and retrieval accuracy against delay.

S networks, B trials each, D delays. docs/method.md, Memory.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from statsmodels.stats.proportion import proportion_confint
from torch import Tensor
from tqdm import tqdm

from slowpoints.datasets.images import ImageSet
from slowpoints.ensemble import Networks
from slowpoints.streams import numpy_generator
from slowpoints.task import DRAWS, FRAMES, NoiseBank, accuracies, draw_trials, fresh_rows, in_use_mask

TRIALS_AT_ONCE = 128  # of each network, when accuracy on the trained task is measured: bounds the memory taken

Drives = Callable[[int], list[Tensor]]
"""From a frame number to the drive of each block under that frame's noise, `[S, B, width * H]`."""


@torch.no_grad()
def measure_accuracy(networks: Networks, images: ImageSet, *, n_images: int) -> pd.DataFrame:
    """Accuracy on the trained task: trials of the full training distribution with fresh noise, on these images.

    Args:
        networks: S networks.
        images: test images.
        n_images: trials of each network.

    Returns:
        A row for each network: seed, nominal_accuracy (share of right reports), null_accuracy (share of right
        nulls elsewhere), n_parameters, steps, device (that trained it).
    """
    spec = networks.spec
    table = networks.image_table(images)
    order = torch.arange(spec.classes, device=networks.device).expand(len(networks), -1)
    mask = in_use_mask(order, spec.classes)
    trial_streams, noise_streams = networks.streams("accuracy trials"), networks.streams("accuracy noise")
    report = null = torch.zeros(len(networks), dtype=torch.float64, device=networks.device)
    for first in range(0, n_images, TRIALS_AT_ONCE):
        batch = min(TRIALS_AT_ONCE, n_images - first)
        uniform = torch.empty(len(networks), batch, DRAWS, dtype=torch.float64, device=networks.device)
        for own, stream in zip(uniform, trial_streams, strict=True):
            own.uniform_(generator=stream)
        trials = draw_trials(uniform, table, order, spec.classes, FRAMES)
        frames = torch.empty(len(networks), batch * (FRAMES + 1), spec.pixels, device=networks.device)
        networks.noise(noise_streams, frames[:, :-batch])
        frames[:, -batch:] = table.pixels(trials.image)
        logits = networks.run_trials(frames, fresh_rows(len(networks), batch, FRAMES, networks.device), trials)
        right = accuracies(logits, trials, mask)
        report, null = report + batch * right[0], null + batch * right[1]
    return pd.DataFrame(
        {
            "seed": networks.seeds,
            "nominal_accuracy": (report / n_images).cpu(),
            "null_accuracy": (null / n_images).cpu(),
            "n_parameters": networks.n_parameters,
            "steps": spec.steps,
            "device": networks.trained_on,
        }
    )


@torch.no_grad()
def measure_memory(
    networks: Networks, images: ImageSet, *, delays: Sequence[int], n_images: int, noise: str, bank: int
) -> pd.DataFrame:
    """Retrieval accuracy at each delay: image at frame 0, trigger at frame `delay`, noise at all others.

    Until the trigger a network runs on by itself, so one roll-out serves all delays: at each a triggered step
    branches off. All networks see the same images, as many of each class, in turn where there are fewer.

    Args:
        networks: S networks.
        images: test images.
        delays: in frames, increasing.
        n_images: trials of each network, a multiple of the classes.
        noise: `fresh`, or `bank` to draw noise frames from a bank, never the same twice in a trial.
        bank: frames of that bank, more than the longest delay.

    Returns:
        A row for each network, delay and class: seed, delay, label, n_trials, n_correct, accuracy, low and high
        (Wilson 95 % interval).
    """
    rows = chosen_rows(images, n_images)
    labels = torch.as_tensor(images.labels[rows].astype(np.int64), device=networks.device)
    noise_drives = _fresh(networks, len(rows)) if noise == "fresh" else _from_bank(networks, len(rows), bank)
    image_drives = networks.image_drives(images.images[rows])
    right = roll_out(networks, image_drives, noise_drives, labels, delays)  # [D, S, B]
    correct = torch.stack([right[..., labels == label].sum(-1) for label in range(images.classes)], dim=-1)
    trials = torch.bincount(labels, minlength=images.classes)
    return _retrieval_table(networks.seeds, delays, correct.cpu().numpy(), trials.cpu().numpy())


def roll_out(
    networks: Networks, image_drives: list[Tensor], noise_drives: Drives, labels: Tensor, delays: Sequence[int]
) -> Tensor:
    """Whether each trial is read out rightly at each delay, `[D, S, B]`.

    Args:
        networks: S networks.
        image_drives: drive of each block at frame 0, `[S, B, width * H]`.
        noise_drives: those of any later frame; called for frames 1, 2, ... in order.
        labels: class of each trial, `[B]`.
        delays: in frames, increasing.
    """
    cell = networks.spec.cell
    recurrent = cell.split(networks.weights["recurrent"])
    state = cell.initial_state(len(networks), len(labels), networks.spec.hidden, like=image_drives[0])
    state, _ = cell.step(image_drives, state, recurrent)
    wanted, right = set(delays), []
    for frame in tqdm(range(1, max(delays) + 1), desc="roll-out", unit="frame", disable=not sys.stderr.isatty()):
        drives = noise_drives(frame)
        if frame in wanted:
            triggered = [drive + extra[:, None] for drive, extra in zip(drives, networks.trigger, strict=True)]
            (hidden, *_), _ = cell.step(triggered, state, recurrent)
            right.append(networks.logits(hidden).argmax(-1) == labels + 1)
        state, _ = cell.step(drives, state, recurrent)
    return torch.stack(right)


def chosen_rows(images: ImageSet, n_images: int) -> np.ndarray:
    """Rows of `n_images` images, as many of each class; a class with fewer is gone through again and again."""
    rng = numpy_generator("memory images")
    per_class = n_images // images.classes
    own = [rng.permutation(np.flatnonzero(images.labels == label)) for label in range(images.classes)]
    return np.concatenate([np.resize(rows, per_class) for rows in own])


def _fresh(networks: Networks, trials: int) -> Drives:
    """Every frame of every trial drawn anew."""
    streams = networks.streams("memory noise")
    frames = torch.empty(len(networks), trials, networks.spec.pixels, device=networks.device)
    return lambda frame: networks.drive(networks.features(networks.noise(streams, frames)))


def _from_bank(networks: Networks, trials: int, size: int) -> Drives:
    """Frames from a bank for each network, that a trial walks without repetition (`task.NoiseBank`)."""
    bank = NoiseBank(size, networks.device)
    tables = [[] for _ in networks.spec.cell.blocks]
    streams = networks.streams("memory noise")
    chunk = torch.empty(len(networks), min(size, TRIALS_AT_ONCE), networks.spec.pixels, device=networks.device)
    for first in range(0, size, chunk.shape[1]):
        frames = networks.noise(streams, chunk[:, : size - first])
        for table, drive in zip(tables, networks.drive(networks.features(frames)), strict=True):
            table.append(drive)
    tables = [torch.cat(table, dim=1) for table in tables]
    uniform = torch.empty(len(networks), trials, 2, dtype=torch.float64, device=networks.device)
    for own, stream in zip(uniform, networks.streams("memory bank"), strict=True):
        own.uniform_(generator=stream)

    def drives(frame: int) -> list[Tensor]:
        rows = bank.row(uniform, frame)[..., None]
        return [table.gather(1, rows.expand(-1, -1, table.shape[2])) for table in tables]

    return drives


def _retrieval_table(seeds, delays, correct: np.ndarray, trials: np.ndarray) -> pd.DataFrame:
    """Rows by seed, delay and label from counts `[D, S, C]` and trials a class `[C]`."""
    n_delays, n_networks, classes = correct.shape
    n_trials = np.broadcast_to(trials, correct.shape).transpose(1, 0, 2).ravel()
    n_correct = correct.transpose(1, 0, 2).ravel()
    low, high = proportion_confint(n_correct, n_trials, method="wilson")
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
        }
    )


def memory_score(delays: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Accuracy averaged over log delay from T = 20 to the longest delay, by the trapezoid rule.

    Args:
        delays: `[D]`, increasing, in frames; 20 among them.
        accuracy: `[..., D]`.

    Returns:
        `[...]`, in [0, 1]; never censored.

    Raises:
        ValueError: if 20 is not among the delays, or nothing lies beyond it.
    """
    _require(delays, FRAMES)
    beyond = np.log(delays[delays >= FRAMES])
    if len(beyond) < 2:
        raise ValueError(f"delays {list(delays)} do not reach beyond {FRAMES}, the frames of a trial")
    return np.trapezoid(accuracy[..., delays >= FRAMES], beyond) / (beyond[-1] - beyond[0])


def half_life(delays: np.ndarray, accuracy: np.ndarray, *, chance: float, trained: int) -> np.ndarray:
    """Delay at which accuracy has fallen half-way from its trained level to chance.

    Interpolated linearly in log delay between the two delays around the first crossing.

    Args:
        delays: `[D]`, increasing, in frames.
        accuracy: `[S, D]`, one row per network, in [0, 1].
        chance: accuracy of a guess, 1 / number of classes.
        trained: longest delay seen in training, in frames; one of `delays`.

    Returns:
        `[S]` half-lives in frames; NaN where accuracy never crosses within `delays`.

    Raises:
        ValueError: if `trained` is not among `delays`.
    """
    _require(delays, trained)
    first = int(np.flatnonzero(delays == trained)[0])
    log_delay, later = np.log(delays[first:]), accuracy[:, first:]
    half = (later[:, 0] + chance) / 2
    lives = np.full(len(accuracy), np.nan)
    for row, (curve, level) in enumerate(zip(later, half, strict=True)):
        below = np.flatnonzero(curve <= level)
        if len(below) and below[0] > 0:  # a network that starts at chance has no memory to lose
            after = below[0]
            before = after - 1
            share = (curve[before] - level) / (curve[before] - curve[after])
            lives[row] = np.exp(log_delay[before] + share * (log_delay[after] - log_delay[before]))
    return lives


def _require(delays: np.ndarray, delay: int) -> None:
    if delay not in delays:
        raise ValueError(f"delay {delay} is not among the delays {list(map(int, delays))}")
