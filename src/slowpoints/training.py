"""Training of an ensemble: all networks of a cell at once, each on trials and noise of its own.

Shapes: S networks, B trials of a batch, T frames, M noise frames of a bank, N inputs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from slowpoints.accelerate import Captured, precision
from slowpoints.datasets.images import ImageSet
from slowpoints.devices import device_name
from slowpoints.dynamics import Dynamics
from slowpoints.ensemble import Networks, Specification, initialise, save_networks
from slowpoints.protocols import Stage, class_orders, stages
from slowpoints.resume import ResumeAt, ResumeFile
from slowpoints.snapshots import TENSORS, save_snapshots
from slowpoints.storage import write_table
from slowpoints.task import DRAWS, NoiseBank, Trials, accuracies, draw_trials, fresh_rows, in_use_mask, trial_loss

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
    networks: Networks, images: ImageSet, training: dict, *, snapshots: int = 0, resume: ResumeAt | None = None
) -> tuple[Networks, pd.DataFrame, dict[int, Dynamics]]:
    """Trains networks by their protocol.

    Args:
        networks: untrained; left as they are.
        images: training images.
        training: preset section `training`.
        snapshots: how many snapshots of the autonomous dynamics to take, evenly over the run; with any, one
            more is taken at each change of the curriculum.
        resume: where to put the run down on the way, and to take it up from.

    Returns:
        The trained networks, the table `training`, and the dynamics after so many steps.

    Raises:
        Diverged: naming seed and step, where a loss is not finite.
    """
    spec = networks.spec
    plan = stages(spec.protocol, training, spec.classes)
    taken = snapshot_steps(plan, snapshots)
    return run(networks, images, training, plan, "training", snapshot_steps=taken, resume=resume)


def train_block(
    cell: tuple[str, str, str],
    seeds: Sequence[int],
    images: ImageSet,
    preset: dict,
    folder: Path,
    *,
    device: str,
    resume_minutes: float,
) -> None:
    """Trains a block of a cell's networks and writes weights, snapshots and the training table to its folder.

    Args:
        cell: (dataset, architecture, protocol).
        seeds: one network each.
        images: training images.
        preset: its sections `network`, `training` and `formation`.
        folder: of the block; a resume file lies there on the way.
        device: where to train.
        resume_minutes: time between two resume files.

    Raises:
        Diverged: as `train`.
        MemoryError: if the networks do not fit into the device's memory together.
    """
    untrained = build_networks(*cell, seeds, images, preset, device)
    weights = folder / "weights.safetensors"
    resume = ResumeAt.beside(weights, resume_minutes)
    try:
        networks, history, snapshots = train(
            untrained, images, preset["training"], snapshots=preset["formation"]["snapshots"], resume=resume
        )
    except RuntimeError as error:  # also raised where a CPU's memory is short
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise MemoryError(
            f"{' '.join(cell)}: {len(seeds)} networks do not fit into the memory of {device} together; set "
            f"seeds_per_job to {max(1, len(seeds) // 2)} (slowpoints.train: --seeds) to train them in blocks, or a "
            "smaller training.batch_size"
        ) from error
    write_table(history, folder / "training.parquet", kind="training")
    save_snapshots(snapshots, networks.seeds, folder / "snapshots.safetensors")
    save_networks(networks, weights)
    resume.done()


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
    resume: ResumeAt | None = None,
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
        resume: where to put the run down on the way, and to take it up from.
    """
    going = _Run(networks, images, training, purpose, penalty, plan[-1].stop, frozenset(snapshot_steps))
    file = None
    if resume is not None:
        settings = [networks.spec, networks.seeds, training, plan, purpose, repr(penalty), list(snapshot_steps)]
        settings += [device_name(networks.device.type), torch.__version__, *_digests(networks, images, penalty)]
        file = ResumeFile(resume.path, settings, resume.minutes)
        if file.take_up(going):
            log.info("taken up at step %d of %d", going.step, going.steps)
    silent = not sys.stderr.isatty()
    with (
        precision(training["precision"]),
        tqdm(total=going.steps, initial=going.step, desc=purpose, unit="step", disable=silent) as bar,
    ):
        for stage in plan:
            if going.step >= stage.stop:
                continue
            going.enter(stage)
            while going.step < stage.stop:
                going.advance()
                bar.update()
                if file is not None:
                    file.put_down(going)
    return going.networks.detached(), _table(going.rows), going.snapshots


def _digests(networks: Networks, images: ImageSet, penalty: Penalty | None) -> list[str]:
    """Of what a run starts from: weights, images, and the points of a penalty."""
    tensors = [*networks.weights.values()]
    tensors += [getattr(penalty, name) for name in ("points", "counts") if hasattr(penalty, name)]
    arrays = [images.images, images.labels, *(tensor.detach().cpu().contiguous().numpy() for tensor in tensors)]
    return [hashlib.sha256(array).hexdigest() for array in arrays]


class _Run:
    """Networks on their way: all that changes from step to step."""

    def __init__(
        self,
        networks: Networks,
        images: ImageSet,
        training: dict,
        purpose: str,
        penalty: Penalty | None,
        steps: int,
        snapshot_steps: frozenset[int],
    ):
        self.networks = networks.detached()
        for weight in self.networks.weights.values():
            weight.requires_grad_()
        self.batches = _Batches(self.networks, images, training, purpose)
        # On a CPU the fused and the foreach Adam round the last few numbers of a tensor otherwise than those before,
        # so that a network's bits would depend on how many stand beside it.
        on_gpu = networks.device.type == "cuda"
        self.optimiser = torch.optim.Adam(
            self.networks.weights.values(), fused=on_gpu, foreach=False, capturable=on_gpu
        )
        self.captured = on_gpu and training["cuda_graph"] and getattr(penalty, "capturable", True)
        self.clip_norm, self.penalty = training["clip_norm"], penalty
        self.steps, self.snapshot_steps = steps, snapshot_steps
        self.step = 0
        self.step_on_device = torch.zeros((), dtype=torch.int64, device=networks.device)
        self.bad_step = torch.full((len(networks),), -1, device=networks.device)
        self.rows: list[pd.DataFrame] = []
        self.snapshots: dict[int, Dynamics] = {}

    def enter(self, stage: Stage) -> None:
        """Sets up for the steps of a stage."""
        self.stage = stage
        self.batches.enter(stage)
        self.optimiser.param_groups[0]["lr"] = stage.learning_rate
        self.work = Captured(self._work, self._streams()) if self.captured else self._work

    def advance(self) -> None:
        """One step, and what is kept of it."""
        outputs = self.work()
        if self.step % max(1, self.steps // LOGGED_ROWS) == 0 or self.step + 1 == self.steps:
            _check(self.networks, self.bad_step)
            self.rows.append(_row(self.networks, self.step, self.stage, *outputs, self.batches.mask))
        self.step += 1
        if self.step in self.snapshot_steps:
            self.snapshots[self.step] = self.networks.dynamics()

    def _work(self) -> tuple[Tensor, Tensor, Trials]:
        """What a step does on the device, without waiting for it; gives losses, outputs and trials."""
        logits, trials = self.batches.next()
        mask, readout = self.batches.mask, self.networks.spec.readout
        loss = trial_loss(logits, trials, mask, self.stage.null_weight, readout)
        total = loss if self.penalty is None else loss + self.penalty(self.networks)
        self.optimiser.zero_grad()
        total.sum().backward()
        if self.clip_norm is not None:
            clip_gradients(list(self.networks.weights.values()), self.clip_norm)
        self.optimiser.step()
        fresh = (self.bad_step < 0) & ~total.detach().isfinite()
        self.bad_step.copy_(torch.where(fresh, self.step_on_device, self.bad_step))
        self.step_on_device += 1
        return loss.detach(), logits.detach(), trials

    def _streams(self) -> list[torch.Generator]:
        return [*self.batches.trial_streams, *self.batches.noise_streams, *getattr(self.penalty, "streams", [])]

    def state(self) -> tuple[dict[str, Tensor], dict]:
        """As `resume.Resumable`."""
        tensors = {f"weight.{name}": weight.detach() for name, weight in self.networks.weights.items()}
        for name, weight in self.networks.weights.items():
            tensors |= {f"adam.{name}.{key}": value for key, value in self.optimiser.state[weight].items()}
        tensors["bad_step"] = self.bad_step
        tensors |= {f"stream.{row}": stream.get_state() for row, stream in enumerate(self._streams())}
        for step, dynamics in self.snapshots.items():
            tensors |= {f"snapshot.{step}.{name}": getattr(dynamics, name) for name in TENSORS}
        if hasattr(self.penalty, "state"):
            tensors |= {f"penalty.{name}": value for name, value in self.penalty.state().items()}
        history = _table(self.rows)
        facts = {"step": self.step, "snapshots": list(self.snapshots)}
        facts |= {"columns": list(history), "history": history.to_dict("list")}
        return {name: tensor.cpu() for name, tensor in tensors.items()}, facts

    def restore(self, tensors: dict[str, Tensor], facts: dict) -> None:
        """As `resume.Resumable`."""
        device = self.networks.device
        self.step, self.bad_step = facts["step"], tensors["bad_step"].to(device)
        self.step_on_device.fill_(self.step)
        self.rows = [pd.DataFrame(facts["history"])[facts["columns"]]]
        with torch.no_grad():
            for name, weight in self.networks.weights.items():
                weight.copy_(tensors[f"weight.{name}"])
                own = {key.split(".")[-1]: tensors[key] for key in tensors if key.startswith(f"adam.{name}.")}
                self.optimiser.state[weight] = {key: value.to(device) for key, value in own.items()}
        for row, stream in enumerate(self._streams()):
            stream.set_state(tensors[f"stream.{row}"])
        for step in facts["snapshots"]:
            own = {name: tensors[f"snapshot.{step}.{name}"].to(device) for name in TENSORS}
            self.snapshots[step] = Dynamics(architecture=self.networks.spec.architecture, **own)
        if hasattr(self.penalty, "restore"):
            names = [key for key in tensors if key.startswith("penalty.")]
            self.penalty.restore({key.removeprefix("penalty."): tensors[key].to(device) for key in names})


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
