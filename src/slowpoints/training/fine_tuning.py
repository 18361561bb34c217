"""Control of memory: fine-tuning trained networks with a penalty on the speed at chosen points.

Haviv, Rivkind & Barak (2019), section 6, and the authors' released code. S networks, C classes, n coordinates.
"""

from __future__ import annotations

import pandas as pd
from torch import Tensor

from slowpoints.core.modes import CONTROL
from slowpoints.core.presets.regularisation import Regularisation
from slowpoints.core.presets.search import Search
from slowpoints.core.presets.training import Training
from slowpoints.core.schemas.training import TRAINING
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.measures.centres import class_centres
from slowpoints.measures.points import stored_points
from slowpoints.measures.relaxation import settled_states
from slowpoints.networks.ensemble import Networks
from slowpoints.task.curricula import Stage, class_orders
from slowpoints.task.protocol import Protocol
from slowpoints.task.timing import FRAMES
from slowpoints.training.checkpoint import ResumeAt
from slowpoints.training.loop import Run, optimise
from slowpoints.training.penalties import Penalty, SettledPenalty, SpeedPenalty, TrackedPenalty


def regularise(
    networks: Networks,
    images: ImageSet,
    slow_points: pd.DataFrame,
    *,
    training: Training,
    search: Search,
    settings: Regularisation,
    mode: str,
    lambda_: float,
    protocol: Protocol,
    resume: ResumeAt | None = None,
) -> tuple[Networks, pd.DataFrame]:
    """Fine-tunes trained networks on the full task, all weights trainable, with a fresh optimiser.

    All modes draw the same trials and noise, so that networks can be compared in pairs.

    Args:
        networks: trained networks; left as they are.
        images: training images.
        slow_points: table `slow_points` of these networks, in their order.
        training: batches, clipping, precision.
        search: how class centres are found.
        settings: how to fine-tune.
        mode: one of `modes.MODES`.
        lambda_: weight of the penalty; not used by `control`.
        protocol: that the networks were trained under.
        resume: where the run is saved on the way, and gone on from.

    Returns:
        The fine-tuned networks and the table `training`.
    """
    if not settings.steps:
        return networks, pd.DataFrame(columns=list(TRAINING.columns))
    penalty = _penalty(networks, images, slow_points, search, settings, mode, lambda_)
    return fine_tune(networks, images, penalty, training=training, settings=settings, protocol=protocol, resume=resume)


def fine_tune(
    networks: Networks,
    images: ImageSet,
    penalty: Penalty | None,
    *,
    training: Training,
    settings: Regularisation,
    protocol: Protocol,
    resume: ResumeAt | None = None,
) -> tuple[Networks, pd.DataFrame]:
    """Fine-tunes trained networks with a penalty of one's own, None for none; all else as `regularise`."""
    spec = networks.spec
    full_task = Stage(
        0,
        settings.steps,
        classes_in_use=spec.classes,
        t_max=FRAMES,
        null_weight=1.0,
        learning_rate=settings.learning_rate,
    )
    orders = class_orders(protocol, spec.classes, spec.dataset, networks.seeds)
    tuned, history, _ = optimise(
        Run(networks, images, training, [full_task], "fine-tuning", orders=orders, penalty=penalty), resume
    )
    return tuned, history


def _penalty(
    networks: Networks,
    images: ImageSet,
    slow_points: pd.DataFrame,
    search: Search,
    settings: Regularisation,
    mode: str,
    lambda_: float,
) -> Penalty | None:
    if mode == CONTROL or lambda_ == 0:
        return None
    points, found = _points(networks, images, slow_points, search, mode)
    if settings.points is not None:
        found[:, settings.points :] = False
    points = points.to(networks.weights["bias"].dtype)
    if mode == "tracking":
        return TrackedPenalty(networks, points, found, lambda_, settings.noise_frames, settings.refresh)
    if mode == "settled":
        return SettledPenalty(networks, points, found, lambda_, settings.refresh)
    return SpeedPenalty(networks, points, found, lambda_, settings.noise_frames)


def _points(
    networks: Networks, images: ImageSet, slow_points: pd.DataFrame, search: Search, mode: str
) -> tuple[Tensor, Tensor]:
    """Points `[S, C, n]` of a mode, and which exist `[S, C]`."""
    shape = (len(networks), networks.spec.classes, -1)
    if mode in ("centre_of_mass", "settled"):
        dynamics = Dynamics.of(networks)
        centres = class_centres(networks, dynamics, images, search)
        states = settled_states(dynamics, centres.state) if mode == "settled" else centres.state
        return states.view(shape), centres.found.view(shape[:2])
    if mode not in ("slow_points", "tracking"):
        raise ValueError(f"mode {mode!r} says of no points where speed is penalised")
    states, found = stored_points(slow_points, networks.spec.unit.parts * networks.spec.hidden, networks.device)
    return states.view(shape), found.view(shape[:2])
