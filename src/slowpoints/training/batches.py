"""Batches of the training distribution, drawn step by step."""

from __future__ import annotations

import numpy as np
import torch

from slowpoints.core.presets.training import Training
from slowpoints.core.streams import uniform
from slowpoints.datasets.images import ImageSet
from slowpoints.networks.ensemble import Networks
from slowpoints.task.curricula import Stage
from slowpoints.task.loss import in_use_mask
from slowpoints.task.trials import DRAWS, Batch, NoiseBank, draw_trials, fresh_rows


class Batches:
    """Draws batches for networks, with separate streams for each network's trials and noise.

    Args:
        networks: S networks.
        images: training images.
        training: batch size and noise.
        orders: classes in the order in which they come into use, `[S, C]`.
        purpose: first word of the streams' names.
        noise_scale: factor on the standard deviation of noise frames.

    Attributes:
        mask: outputs in use, `[S, C + 1]`.
    """

    def __init__(
        self,
        networks: Networks,
        images: ImageSet,
        training: Training,
        orders: np.ndarray,
        purpose: str,
        noise_scale: float = 1.0,
    ):
        self.networks, self.noise_scale = networks, noise_scale
        self.table = networks.image_table(images)
        self.size = training.batch_size
        self.fresh = training.noise == "fresh"
        self.bank_size = training.bank
        self.order = torch.tensor(orders, device=networks.device)
        self.trial_streams = networks.streams(f"{purpose} trials")
        self.noise_streams = networks.streams(f"{purpose} noise")
        self.uniform = torch.empty(len(networks), self.size, DRAWS, dtype=torch.float64, device=networks.device)

    @property
    def streams(self) -> list[torch.Generator]:
        """Every stream that batches draw from."""
        return [*self.trial_streams, *self.noise_streams]

    def enter(self, stage: Stage) -> None:
        """Sets up for the steps of a stage."""
        networks, device = len(self.networks), self.networks.device
        self.stage = stage
        self.mask = in_use_mask(self.order, stage.classes_in_use)
        # A trial never meets a noise frame twice, so that longer ones than the task's may need a larger bank.
        self.bank = NoiseBank(max(self.bank_size, stage.t_max), self.networks.device)
        noise_frames = stage.t_max * self.size if self.fresh else self.bank.size
        self.batch = Batch(networks, self.size, noise_frames, self.networks.spec.pixels, device)
        if self.fresh:
            self.rows = fresh_rows(networks, self.size, stage.t_max, device)

    def next(self) -> Batch:
        """A fresh batch, in the memory of the last one."""
        draws, t_max = uniform(self.trial_streams, self.uniform), self.stage.t_max
        trials = draw_trials(draws, self.table, self.order, self.stage.classes_in_use, t_max)
        self.networks.noise(self.noise_streams, self.batch.noise, self.noise_scale)
        rows = self.rows if self.fresh else self.bank.rows(draws[..., -2:], t_max)
        self.batch.show(trials, self.table.pixels(trials.image), rows)
        return self.batch
