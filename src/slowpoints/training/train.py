"""Training of the networks of a cell of the grid, by their protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from slowpoints.core.files import SNAPSHOTS, WEIGHTS
from slowpoints.core.presets.network import Network
from slowpoints.core.presets.training import Training
from slowpoints.core.provenance import provenance
from slowpoints.core.schemas.training import TRAINING
from slowpoints.core.tables import write_table
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.snapshots import save_snapshots
from slowpoints.networks.ensemble import Networks, Specification, initialise
from slowpoints.networks.weights import save_networks
from slowpoints.task.curricula import class_orders, snapshot_steps, stages
from slowpoints.task.protocol import Protocol
from slowpoints.training.checkpoint import ResumeAt
from slowpoints.training.loop import Run, optimise


def build_networks(
    dataset: str,
    architecture: str,
    protocol: Protocol,
    seeds: Sequence[int],
    images: ImageSet,
    network: Network,
    training: Training,
    device: torch.device | str = "cpu",
) -> Networks:
    """Untrained networks of a cell of the grid, for these images.

    Args:
        dataset: name of the preset.
        architecture: name of the recurrent unit.
        protocol: that they will be trained under.
        seeds: one network each.
        images: of the data set, for shape, classes and noise.
        network: their size.
        training: their readout, and steps.
        device: where to put them.
    """
    spec = Specification(
        dataset=dataset,
        architecture=architecture,
        protocol=protocol.name,
        hidden=network.hidden,
        classes=images.classes,
        image_shape=images.shape,
        noise_mean=images.mean,
        noise_std=images.std,
        readout=training.readout,
        front_end=network.front_end,
        steps=training.steps,
    )
    return initialise(spec, seeds, device)


def train(
    networks: Networks,
    images: ImageSet,
    training: Training,
    protocol: Protocol,
    *,
    snapshots: int = 0,
    resume: ResumeAt | None = None,
) -> tuple[Networks, pd.DataFrame, dict[int, Dynamics]]:
    """Trains networks under a protocol.

    Args:
        networks: untrained; left as they are.
        images: training images.
        training: batches, rates and schedules.
        protocol: which schedules to follow.
        snapshots: how many snapshots of the autonomous dynamics to take, evenly over the run; with any, more are
            taken at its start and around each change (`snapshot_steps`).
        resume: where the run is saved on the way, and resumed from.

    Returns:
        The trained networks, the table `training`, and the dynamics after so many steps.

    Raises:
        Diverged: naming seed and step, where a loss is not finite.
    """
    spec = networks.spec
    plan = stages(protocol, training, spec.classes)
    orders = class_orders(protocol, spec.classes, spec.dataset, networks.seeds)
    taken = snapshot_steps(plan, snapshots)
    run = Run(networks, images, training, plan, "training", orders=orders, snapshot_steps=taken)
    return optimise(run, resume)


def train_block(
    networks: Networks,
    images: ImageSet,
    training: Training,
    protocol: Protocol,
    folder: Path,
    *,
    snapshots: int,
    resume: ResumeAt,
) -> None:
    """Trains a seed block of a cell and writes weights, snapshots and the training table to its folder.

    Args:
        networks: untrained.
        images: training images.
        training: as for `train`.
        protocol: as for `train`.
        folder: of the seed block.
        snapshots: as for `train`.
        resume: where the run is saved on the way; removed at the end.

    Raises:
        Diverged: as `train`.
        MemoryError: if the networks do not fit into the device's memory together.
    """
    try:
        trained, history, taken = train(networks, images, training, protocol, snapshots=snapshots, resume=resume)
    except RuntimeError as error:  # also raised where a CPU's memory is short
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        spec, count = networks.spec, len(networks)
        split = f"seeds_per_job to {count // 2} (slowpoints train: --seeds) to train them in seed blocks, or "
        raise MemoryError(
            f"{spec.dataset} {spec.architecture} {spec.protocol}: {count} networks do not fit into the memory of "
            f"{networks.device} together; set {'' if count == 1 else split}a smaller training.batch_size"
        ) from error
    with provenance(code_digest=resume.code):  # by which a plan tells whether they would be trained otherwise now
        write_table(history, folder / "training.parquet", TRAINING)
        save_snapshots(taken, networks.seeds, folder / SNAPSHOTS)
        save_networks(trained, folder / WEIGHTS)
    resume.done()
