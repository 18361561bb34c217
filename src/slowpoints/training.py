"""Training of an ensemble: all networks of a cell at once, each on trials and noise of its own.

Shapes: S networks, B trials of a batch, T frames, M noise frames of a bank, N inputs.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Callable, Sequence

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics import Dynamics
from slowpoints.ensemble import Networks, Specification, initialise
from slowpoints.protocols import Stage, class_orders, stages
from slowpoints.task import DRAWS, NoiseBank, accuracies, draw_trials, fresh_rows, in_use_mask, trial_loss

log = logging.getLogger(__name__)

LOGGED_ROWS = 100  # rows of the training table for each network
Penalty = Callable[[Networks], Tensor]
"""A term `[S]` added to each network's loss."""


class Diverged(ArithmeticError):
    """Training came to a loss that is not finite."""


def build_networks(
    dataset: str, architecture: str, protocol: str, seeds: Sequence[int], images: ImageSet, preset: dict, device: str
) -> Networks:
    """Untrained networks of a cell of the grid, for these images.

    Args:
        dataset: name of the preset.
        architecture: name of the recurrent unit.
        protocol: training protocol.
        seeds: one network each.
        images: of the data set, for shape, classes and noise.
        preset: its sections `network` and `training`.
        device: where to put them.
    """
    spec = Specification(
        dataset=dataset,
        architecture=architecture,
        protocol=protocol,
        hidden=preset["network"]["hidden"],
        classes=images.classes,
        image_shape=images.shape,
        noise_mean=images.mean,
        noise_std=images.std,
        readout=preset["training"]["readout"],
        front_end=preset["network"]["front_end"],
        steps=preset["training"]["steps"],
    )
    return initialise(spec, seeds, device)


def train(
    networks: Networks, images: ImageSet, training: dict, *, snapshots: int = 0
) -> tuple[Networks, pd.DataFrame, dict[int, Dynamics]]:
    """Trains networks by their protocol.

    Args:
        networks: untrained; left as they are.
        images: training images.
        training: preset section `training`.
        snapshots: how many snapshots of the autonomous dynamics to take, evenly over the run; with any, one
            more is taken at each change of the curriculum.

    Returns:
        The trained networks, the table `training`, and the dynamics after so many steps.

    Raises:
        Diverged: naming seed and step, where a loss is not finite.
    """
    spec = networks.spec
    plan = stages(spec.protocol, training, spec.classes)
    return run(networks, images, training, plan, "training", snapshot_steps=snapshot_steps(plan, snapshots))


def snapshot_steps(plan: list[Stage], snapshots: int) -> list[int]:
    """Steps after which to take a snapshot: evenly spaced, the last step's always, and each change's."""
    steps = plan[-1].stop
    if not snapshots:
        return []
    even = {round(steps * k / snapshots) for k in range(1, snapshots + 1)}
    return sorted(even | {stage.start for stage in plan[1:]})


def run(
    networks: Networks,
    images: ImageSet,
    training: dict,
    plan: list[Stage],
    purpose: str,
    *,
    penalty: Penalty | None = None,
    snapshot_steps: Sequence[int] = (),
) -> tuple[Networks, pd.DataFrame, dict[int, Dynamics]]:
    """Optimises networks along a plan of stages; see `train`.

    Args:
        networks: where to start from; left as they are.
        images: training images.
        training: preset section `training`: batch_size, noise, bank, clip_norm; rates are in the plan.
        plan: what each step trains on.
        purpose: name of the streams that trials and noise are drawn from.
        penalty: added to each network's loss.
        snapshot_steps: numbers of steps after which to keep the autonomous dynamics.
    """
    networks = networks.detached()
    for weight in networks.weights.values():
        weight.requires_grad_()
    batches = _Batches(networks, images, training, purpose)
    # On a CPU the fused and the foreach Adam round the last few numbers of a tensor otherwise than those before, so
    # that a network's bits would depend on how many stand beside it.
    on_gpu = networks.device.type == "cuda"
    optimiser = torch.optim.Adam(networks.weights.values(), fused=on_gpu, foreach=False)
    bad_step = torch.full((len(networks),), -1, device=networks.device)
    rows, snapshots = [], {}
    every = max(1, plan[-1].stop // LOGGED_ROWS)
    with tqdm(total=plan[-1].stop, desc=purpose, unit="step", disable=not sys.stderr.isatty()) as bar:
        for stage in plan:
            batches.enter(stage)
            optimiser.param_groups[0]["lr"] = stage.learning_rate
            for step in range(stage.start, stage.stop):
                logits, trials = batches.next()
                loss = trial_loss(logits, trials, batches.mask, stage.null_weight, networks.spec.readout)
                total = loss if penalty is None else loss + penalty(networks)
                optimiser.zero_grad()
                total.sum().backward()
                if training["clip_norm"] is not None:
                    clip_gradients(list(networks.weights.values()), training["clip_norm"])
                optimiser.step()
                bad_step = torch.where((bad_step < 0) & ~total.detach().isfinite(), step, bad_step)
                if step % every == 0 or step + 1 == plan[-1].stop:
                    _check(networks, bad_step)
                    rows.append(_row(networks, step, stage, loss, logits, trials, batches.mask))
                if step + 1 in snapshot_steps:
                    snapshots[step + 1] = networks.dynamics()
                bar.update()
    return networks.detached(), _table(rows), snapshots


class _Batches:
    """Draws batches and runs them through the networks, reusing one buffer of frames."""

    def __init__(self, networks: Networks, images: ImageSet, training: dict, purpose: str):
        spec, device = networks.spec, networks.device
        self.networks = networks
        self.table = networks.image_table(images)
        self.batch = training["batch_size"]
        self.fresh = training["noise"] == "fresh"
        self.bank = NoiseBank(training["bank"], device)
        orders = class_orders(spec.protocol, spec.classes, spec.dataset, networks.seeds)
        self.order = torch.tensor(orders, device=device)
        self.trial_streams = networks.streams(f"{purpose} trials")
        self.noise_streams = networks.streams(f"{purpose} noise")
        self.uniform = torch.empty(len(networks), self.batch, DRAWS, dtype=torch.float64, device=device)

    def enter(self, stage: Stage) -> None:
        """Sets up for the steps of a stage."""
        self.stage = stage
        self.mask = in_use_mask(self.order, stage.classes_in_use)
        noise_frames = stage.t_max * self.batch if self.fresh else self.bank.size
        shape = (len(self.networks), noise_frames + self.batch, self.networks.spec.pixels)
        self.frames = torch.empty(shape, device=self.networks.device)
        if self.fresh:
            self.rows = fresh_rows(len(self.networks), self.batch, stage.t_max, self.networks.device)

    def next(self):
        """Outputs `[t_max, S, B, C + 1]` for a fresh batch, and its trials."""
        for own, stream in zip(self.uniform, self.trial_streams, strict=True):
            own.uniform_(generator=stream)
        trials = draw_trials(self.uniform, self.table, self.order, self.stage.classes_in_use, self.stage.t_max)
        self.networks.noise(self.noise_streams, self.frames[:, : -self.batch])
        self.frames[:, -self.batch :] = self.table.pixels(trials.image)
        rows = self.rows if self.fresh else self.bank.rows(self.uniform[..., -2:], self.stage.t_max)
        return self.networks.run_trials(self.frames, rows, trials), trials


def clip_gradients(weights: list[Tensor], limit: float) -> None:
    """Scales each network's gradient, over all its weights, to a norm of at most `limit`; none mixes with another's."""
    squares = [weight.grad.flatten(1).square().sum(1) for weight in weights]
    factor = (limit / torch.stack(squares).sum(0).sqrt()).clamp(max=1)
    for weight in weights:
        weight.grad.mul_(factor.view(-1, *[1] * (weight.dim() - 1)))


def _check(networks: Networks, bad_step: Tensor) -> None:
    for seed, step in zip(networks.seeds, bad_step.tolist(), strict=True):
        if step >= 0:
            cell = f"{networks.spec.dataset} {networks.spec.architecture} {networks.spec.protocol}"
            raise Diverged(
                f"{cell}, seed {seed}: the loss is not finite at step {step}; "
                "a lower training.learning_rate, or training.clip_norm, may help"
            )


@torch.no_grad()
def _row(networks, step: int, stage: Stage, loss, logits, trials, mask) -> pd.DataFrame:
    report, null = accuracies(logits, trials, mask)
    log.info("step %d: mean loss %.4f, report %.3f, null %.3f", step, loss.mean(), report.mean(), null.mean())
    about = dataclasses.asdict(stage)
    return pd.DataFrame(
        {
            "seed": networks.seeds,
            "step": step,
            "loss": loss.cpu(),
            "report_accuracy": report.cpu(),
            "null_accuracy": null.cpu(),
            **{name: about[name] for name in ("classes_in_use", "t_max", "learning_rate")},
        }
    )


def _table(rows: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(rows).sort_values(["seed", "step"], ignore_index=True)
