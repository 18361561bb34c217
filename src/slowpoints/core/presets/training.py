"""How networks train."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.values import Number, OrNull, Share, Whole, YesNo, written

Schedule = tuple[tuple[Share, Number], ...]
"""Pairs of a fraction of the run and the value from there on."""
_Steps = Annotated[Schedule, Field(min_length=1)]


@section
class Schedules(Section):
    """Curricula as fractions of the run, by default the authors' for MNIST."""

    vocabulary: OrNull[_Steps] = Field(
        default=written(
            [
                [0, 2],
                *([f"{start}/140", classes] for classes, start in enumerate((8, 16, 26, 36, 48, 62, 78, 98), 3)),
            ]
        ),
        description="Classes in use (vocu); the default is for ten classes, null adds one every 1/classes of the run.",
    )
    delay: _Steps = Field(
        default=written([[0, 6], *([f"{10 * step}/140", 4 + 2 * step] for step in range(2, 9))]),
        description="Frames a trial lasts (decu).",
    )
    response: _Steps = Field(
        default=written([[0, 0], ["2/14", 0.25], ["3/14", 0.5], ["4/14", 0.75], ["6/14", 1]]),
        description="Weight of null frames in the loss (recu).",
    )


@section
class Training(Section):
    """How networks train."""

    steps: Whole = Field(default=3000, ge=1, description="Optimisation steps.")
    batch_size: Whole = Field(default=32, ge=1, description="Trials per step.")
    learning_rate: Number = Field(default=0.003, gt=0, description="Adam's learning rate.")
    rate_drop: OrNull[Share] = Field(
        default=written("12/14"),
        description="Share of the run after which the learning rate is a tenth; null for never.",
    )
    readout: Literal["softmax", "sigmoid_softmax"] = Field(
        default="softmax", description="softmax, or the authors' softmax of sigmoids (sigmoid_softmax)."
    )
    noise: Literal["bank", "fresh"] = Field(
        default="bank", description="bank (the trials of a step share noise frames) or fresh (each trial has its own)."
    )
    bank: Whole = Field(default=128, ge=1, description="Noise frames per bank.")
    clip_norm: OrNull[Annotated[Number, Field(gt=0)]] = Field(
        default=None, description="Maximum norm of each network's gradient, which is clipped to it; null for none."
    )
    precision: Literal["float32", "tf32"] = Field(
        default="float32",
        description="Precision of matrix products on a GPU; `tf32` uses tensor cores, which round factors to 10 bits.",
    )
    cuda_graph: YesNo = Field(
        default=True,
        description="Whether a GPU replays the training step as one graph instead of launching some hundred kernels.",
    )
    schedules: Schedules = Field(
        default_factory=Schedules,
        description="Curricula, as pairs of a share of the run and the value from then on.",
    )
