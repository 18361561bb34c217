"""Optimisation of an ensemble: all networks of a cell at once, each on its own trials and noise.

Shapes: S networks, B trials of a batch, T frames.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.core.adam import CpuAdam
from slowpoints.core.devices import device_name, precision
from slowpoints.core.presets.training import Training
from slowpoints.core.progress import report_stage
from slowpoints.core.provenance import package_versions
from slowpoints.core.tensors import tensor_digest
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.snapshots import TENSORS
from slowpoints.networks.ensemble import Networks
from slowpoints.task.curricula import Stage
from slowpoints.task.loss import accuracies, trial_loss
from slowpoints.task.trials import Trials
from slowpoints.training.batches import Batches
from slowpoints.training.changes import UNCHANGED, Changes, successive_differences
from slowpoints.training.checkpoint import ResumeAt, ResumeFile
from slowpoints.training.cuda_graph import Captured
from slowpoints.training.stopwatch import Stopwatch

log = logging.getLogger(__name__)

LOGGED_ROWS = 100  # rows of the training table for each network


class Diverged(ArithmeticError):
    """Training reached a loss that is not finite."""


def optimise(run: Run, resume: ResumeAt | None = None) -> tuple[Networks, pd.DataFrame, dict[int, Dynamics]]:
    """Runs to the end.

    Args:
        run: at its start.
        resume: where it is saved on the way, and resumed from.

    Returns:
        The networks at the end, the table `training`, and the dynamics after so many steps.

    Raises:
        Diverged: naming seed and step, where a loss is not finite.
    """
    file = None if resume is None else ResumeFile(resume, run.settings())
    if file is not None and file.restore(run):
        log.info("resumed at step %d of %d", run.step, run.steps)
    with (
        precision(run.training.precision),
        report_stage(run.purpose, run.steps, done=run.step, bar=True) as progress,
    ):
        for stage in run.plan:
            if run.step >= stage.stop:
                continue
            run.enter(stage)
            while run.step < stage.stop:
                run.advance()
                progress.update(accuracy=run.accuracy)
                if file is not None:
                    file.save_if_due(run)
    return run.networks.detached(), _sorted(run.history), run.snapshots


class Run:
    """A training run along a plan of stages: everything that changes from step to step.

    Args:
        networks: where to start from; left as they are.
        images: training images.
        training: batches, clipping, precision; rates are in the plan.
        plan: what each step trains on.
        purpose: name of the streams that trials and noise are drawn from.
        orders: classes in the order in which they come into use, `[S, C]`.
        changes: to the full task without a penalty, of a mode of fine-tuning.
        watch: counts the seconds of all attempts, if it runs.
        snapshot_steps: numbers of steps after which to take a snapshot of the autonomous dynamics.

    Attributes:
        step: steps done.
        steps: steps to do.
        accuracy: mean accuracies over the networks at the last row of the history, by name.
        history: rows of the table `training` so far.
        snapshots: dynamics after so many steps.
    """

    def __init__(
        self,
        networks: Networks,
        images: ImageSet,
        training: Training,
        plan: Sequence[Stage],
        purpose: str,
        *,
        orders: np.ndarray,
        changes: Changes = UNCHANGED,
        watch: Stopwatch | None = None,
        snapshot_steps: Sequence[int] = (),
    ):
        self.networks = networks.detached()
        for weight in self.networks.weights.values():
            weight.requires_grad_()
        self.images, self.training, self.plan, self.purpose = images, training, plan, purpose
        self.orders, self.changes, self.snapshot_steps = orders, changes, frozenset(snapshot_steps)
        self.penalty, self.watch = changes.penalty, watch or Stopwatch()
        self.batches = Batches(self.networks, images, training, orders, purpose, changes.noise_scale)
        on_gpu = networks.device.type == "cuda"
        self.optimiser = self._adam(on_gpu)
        self.captured = on_gpu and training.cuda_graph and (self.penalty is None or self.penalty.capturable)
        self.step, self.steps = 0, plan[-1].stop
        self.step_on_device = torch.zeros((), dtype=torch.int64, device=networks.device)
        self.bad_step = torch.full((len(networks),), -1, device=networks.device)
        self.accuracy: dict[str, float] = {}
        self.history: list[pd.DataFrame] = []
        self.snapshots: dict[int, Dynamics] = {}

    def _adam(self, on_gpu: bool) -> torch.optim.Adam | CpuAdam:
        """On a CPU, one that treats all numbers of a tensor alike: PyTorch's fused and foreach Adam round the last few
        otherwise, so that a network's bits would depend on how many stand beside it.
        """
        weights, decay = self.networks.weights.values(), self.changes.weight_decay
        if not on_gpu:
            return CpuAdam(weights, decay)
        return torch.optim.Adam(
            weights, weight_decay=decay, decoupled_weight_decay=decay > 0, fused=True, foreach=False, capturable=True
        )

    def settings(self) -> list[Any]:
        """All that a run at its start depends on, code aside: weights and images by their digests."""
        made_of = [self.networks.spec, self.networks.seeds, self.training, list(self.plan), self.purpose]
        made_of += [self.orders.tolist(), sorted(self.snapshot_steps), self.changes.settings()]
        made_of += [device_name(self.networks.device.type), torch.__version__, package_versions().get("numba")]
        made_of += [hashlib.sha256(array.data).hexdigest() for array in (self.images.images, self.images.labels)]
        return made_of + [tensor_digest(weight) for weight in self.networks.weights.values()]

    def enter(self, stage: Stage) -> None:
        """Sets up for the steps of a stage."""
        self.stage = stage
        self.batches.enter(stage)
        self.optimiser.param_groups[0]["lr"] = stage.learning_rate
        self.work: Callable = Captured(self._work, self._streams()) if self.captured else self._work

    def advance(self) -> None:
        """One step, and what is recorded of it."""
        if self.penalty is not None:
            self.penalty.refresh(self.networks)
        loss, logits, trials = self.work()
        if self.step % max(1, self.steps // LOGGED_ROWS) == 0 or self.step + 1 == self.steps:
            self._check_finite()
            self._note(loss, logits, trials)
        self.step += 1
        if self.step in self.snapshot_steps:
            self.snapshots[self.step] = Dynamics.of(self.networks)

    def _work(self) -> tuple[Tensor, Tensor, Trials]:
        """The work of a step on the device, without waiting for it; returns losses, outputs and trials."""
        batch = self.batches.next()
        hidden = self.networks.run_hidden(batch)
        logits = self.networks.outputs(hidden)
        mask, readout = self.batches.mask, self.networks.spec.readout
        loss = trial_loss(logits, batch.trials, mask, self.stage.null_weight, readout)
        total = loss if self.penalty is None else loss + self.penalty(self.networks)
        if self.changes.consistency:
            total = total + self.changes.consistency * successive_differences(hidden, batch.trials)
        self.optimiser.zero_grad()
        total.sum().backward()
        if self.training.clip_norm is not None:
            clip_gradients(list(self.networks.weights.values()), self.training.clip_norm)
        self.optimiser.step()
        newly_bad = (self.bad_step < 0) & ~total.detach().isfinite()
        self.bad_step.copy_(torch.where(newly_bad, self.step_on_device, self.bad_step))
        self.step_on_device += 1
        return loss.detach(), logits.detach(), batch.trials

    def _streams(self) -> list[torch.Generator]:
        return self.batches.streams + (self.penalty.streams if self.penalty else [])

    def _check_finite(self) -> None:
        spec = self.networks.spec
        for seed, step in zip(self.networks.seeds, self.bad_step.tolist(), strict=True):
            if step >= 0:
                raise Diverged(
                    f"{spec.dataset} {spec.architecture} {spec.protocol}, seed {seed}: the loss is not finite at step "
                    f"{step}; a lower training.learning_rate, or training.clip_norm, may help"
                )

    @torch.no_grad()
    def _note(self, loss: Tensor, logits: Tensor, trials: Trials) -> None:
        """Adds a row for each network to the history."""
        report, null = accuracies(logits, trials, self.batches.mask)
        step, self.accuracy = self.step, {"report": report.mean().item(), "null": null.mean().item()}
        log.info("step %d: mean loss %.4f, report %.3f, null %.3f", step, loss.mean(), *self.accuracy.values())
        stage = dataclasses.asdict(self.stage)
        row = {
            "seed": self.networks.seeds,
            "step": step,
            "loss": loss.cpu(),
            "report_accuracy": report.cpu(),
            "null_accuracy": null.cpu(),
            **{name: stage[name] for name in ("classes_in_use", "t_max", "learning_rate")},
        }
        self.history.append(pd.DataFrame(row))

    def state(self) -> tuple[dict[str, Tensor], dict]:
        """As `checkpoint.Resumable`."""
        tensors = {f"weight.{name}": weight.detach() for name, weight in self.networks.weights.items()}
        for name, weight in self.networks.weights.items():
            tensors |= {f"adam.{name}.{key}": value for key, value in self.optimiser.state[weight].items()}
        tensors["bad_step"] = self.bad_step
        tensors |= {f"stream.{row}": stream.get_state() for row, stream in enumerate(self._streams())}
        for step, dynamics in self.snapshots.items():
            tensors |= {f"snapshot.{step}.{name}": getattr(dynamics, name) for name in TENSORS}
        if self.penalty is not None:
            tensors |= {f"penalty.{name}": value for name, value in self.penalty.state().items()}
        history = _sorted(self.history)
        facts = {"step": self.step, "snapshots": list(self.snapshots), "seconds": self.watch.seconds}
        facts |= {"columns": list(history), "history": history.to_dict("list")}
        return {name: tensor.cpu() for name, tensor in tensors.items()}, facts

    def restore(self, tensors: dict[str, Tensor], facts: dict) -> None:
        """As `checkpoint.Resumable`."""
        device = self.networks.device
        self.step, self.bad_step = facts["step"], tensors["bad_step"].to(device)
        self.step_on_device.fill_(self.step)
        self.watch.before = facts["seconds"]
        self.history = [pd.DataFrame(facts["history"])[facts["columns"]]]
        with torch.no_grad():
            for name, weight in self.networks.weights.items():
                weight.copy_(tensors[f"weight.{name}"])
                self.optimiser.state[weight] = _named(tensors, f"adam.{name}.", device)
        for row, stream in enumerate(self._streams()):
            stream.set_state(tensors[f"stream.{row}"])
        for step in facts["snapshots"]:
            stored = _named(tensors, f"snapshot.{step}.", device)
            self.snapshots[step] = Dynamics(architecture=self.networks.spec.architecture, **stored)
        if self.penalty is not None:
            self.penalty.restore(_named(tensors, "penalty.", device))


def _named(tensors: dict[str, Tensor], prefix: str, device: torch.device) -> dict[str, Tensor]:
    """Tensors whose names have this prefix, by the rest of their names."""
    return {name.removeprefix(prefix): t.to(device) for name, t in tensors.items() if name.startswith(prefix)}


def clip_gradients(weights: list[Tensor], limit: float) -> None:
    """Scales each network's gradient, over all its weights, to a norm of at most `limit`; none mixes with another's."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    squares = [gradient.flatten(1).square().sum(1) for gradient in gradients]
    factor = (limit / torch.stack(squares).sum(0).sqrt()).clamp(max=1)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))


def _sorted(history: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(history).sort_values(["seed", "step"], ignore_index=True)
