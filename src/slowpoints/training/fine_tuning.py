"""Control of memory: fine-tuning trained networks in one of the modes of `training.modes`.

Haviv, Rivkind & Barak (2019), section 6, and the authors' released code.
"""

from __future__ import annotations

import pandas as pd

from slowpoints.core.presets.regularisation import Regularisation
from slowpoints.core.presets.search import Search
from slowpoints.core.presets.training import Training
from slowpoints.core.schemas.training import TRAINING
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.relaxation import RELAXATION_FRAMES
from slowpoints.networks.ensemble import Networks
from slowpoints.task.curricula import Stage, class_orders
from slowpoints.task.protocol import Protocol
from slowpoints.task.timing import FRAMES
from slowpoints.training.changes import UNCHANGED, Changes
from slowpoints.training.checkpoint import ResumeAt
from slowpoints.training.loop import Run, optimise
from slowpoints.training.modes import changes_of
from slowpoints.training.modes.setup import Setup
from slowpoints.training.stopwatch import Stopwatch


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
    longest_delay: int = RELAXATION_FRAMES[-1],
    resume: ResumeAt | None = None,
    watch: Stopwatch | None = None,
) -> tuple[Networks, pd.DataFrame]:
    """Fine-tunes trained networks on the full task, all weights trainable, with a fresh optimiser.

    All modes draw the same trials and noise where they can, so that networks can be compared in pairs.

    Args:
        networks: trained networks; left as they are.
        images: training images.
        slow_points: table `slow_points` of these networks, in their order.
        training: batches, clipping, precision.
        search: how class centres are found.
        settings: how to fine-tune.
        mode: one of `modes.MODES`.
        lambda_: the mode's setting (`modes.LAMBDA_MEANS`); 0 is `control`.
        protocol: that the networks were trained under.
        longest_delay: longest delay at which memory is measured, in frames: how far mode path looks.
        resume: where the run is saved on the way, and resumed from.
        watch: to which the seconds of fine-tuning are added.

    Returns:
        The fine-tuned networks and the table `training`.

    Raises:
        ValueError: if there is no such mode, or lambda is not a setting of it.
    """
    make_changes = changes_of(mode)
    if not settings.steps_of(mode):
        return networks, pd.DataFrame(columns=list(TRAINING.columns))
    if watch is None:
        watch = Stopwatch()
    else:
        _compile(networks, images, training, protocol)
    with watch.running():
        setup = Setup(networks, images, slow_points, search, settings, longest_delay)
        changes = make_changes(setup, lambda_) if lambda_ else UNCHANGED
        steps, rate = settings.steps_of(mode), settings.learning_rate
        return fine_tune(
            networks,
            images,
            changes,
            training=training,
            steps=steps,
            learning_rate=rate,
            protocol=protocol,
            resume=resume,
            watch=watch,
        )


def fine_tune(
    networks: Networks,
    images: ImageSet,
    changes: Changes,
    *,
    training: Training,
    steps: int,
    learning_rate: float,
    protocol: Protocol,
    resume: ResumeAt | None = None,
    watch: Stopwatch | None = None,
) -> tuple[Networks, pd.DataFrame]:
    """Fine-tunes trained networks with given changes, such as a penalty; otherwise as `regularise`."""
    stage = _full_task(networks, steps, changes.t_max, learning_rate)
    orders = class_orders(protocol, networks.spec.classes, networks.spec.dataset, networks.seeds)
    run = Run(networks, images, training, [stage], "fine-tuning", orders=orders, changes=changes, watch=watch)
    tuned, history, _ = optimise(run, resume)
    return tuned, history


def _full_task(networks: Networks, steps: int, t_max: int, learning_rate: float) -> Stage:
    classes = networks.spec.classes
    return Stage(0, steps, classes_in_use=classes, t_max=t_max, null_weight=1.0, learning_rate=learning_rate)


def _compile(networks: Networks, images: ImageSet, training: Training, protocol: Protocol) -> None:
    """One discarded step, so that compilation in the first step does not count as time of fine-tuning."""
    stage = _full_task(networks, 1, FRAMES, 0.0)
    orders = class_orders(protocol, networks.spec.classes, networks.spec.dataset, networks.seeds)
    run = Run(networks, images, training, [stage], "fine-tuning", orders=orders)
    run.enter(stage)
    run.work()
