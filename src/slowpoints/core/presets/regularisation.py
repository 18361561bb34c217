"""How networks are fine-tuned."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from slowpoints.core.modes import CONTROL, LAMBDA_MEANS, MODES
from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.values import UNIQUE, Number, OrNull, Whole, one_of, reads_as_number, written

ONE, SEVERAL, BY_MODE = "<number>", "<list>", "<mapping>"  # forms of lambda, which show in no message


def _form(value: Any) -> str | None:
    if isinstance(value, dict):
        return BY_MODE
    return SEVERAL if isinstance(value, (list, tuple)) else ONE if reads_as_number(value) else None


def _in_forms(allowed: str) -> Discriminator:
    return Discriminator(_form, custom_error_type="type", custom_error_message=allowed)


Lambda = Annotated[Number, Field(ge=0)]
_One = Annotated[Lambda, Tag(ONE)]
_Several = Annotated[tuple[Lambda, ...], Field(min_length=1), UNIQUE, Tag(SEVERAL)]
_OfMode = Annotated[_One | _Several, _in_forms("a number or a list of numbers")]
_Tuned = Annotated[str, one_of(mode for mode in MODES if mode != CONTROL)]
_AnyMode = Annotated[str, one_of(MODES)]
_ByMode = Annotated[dict[_Tuned, _OfMode], Field(min_length=1), Tag(BY_MODE)]
Lambdas = Annotated[
    _One | _Several | _ByMode,
    _in_forms("a number, a list of numbers, or either by mode, as {slow_points: 0.1, settled: [30, 300]}"),
]


@section
class Regularisation(Section):
    """How networks are fine-tuned."""

    steps: Whole = Field(default=600, ge=0, description="Optimisation steps.")
    learning_rate: Number = Field(default=0.0003, gt=0, description="Adam's learning rate.")
    points: OrNull[Annotated[Whole, Field(ge=1)]] = Field(
        default=None, description="Number of penalised points, those of the first classes; null for one per class."
    )
    noise_frames: Whole = Field(default=10, ge=1, description="Fresh noise frames for each point at each step.")
    refresh: Whole = Field(
        default=100,
        ge=1,
        description="Steps after which modes tracking and path recompute their points, and modes settled and path the "
        "mean input of a front end.",
    )
    mode_steps: dict[_AnyMode, Annotated[Whole, Field(ge=0)]] = Field(
        default={},
        description="Optimisation steps of modes for which they differ from `steps`, as {path: 500}: a mode whose "
        "steps cost more time can be given fewer of them.",
    )
    lambda_: Lambdas = Field(
        default=written(
            {
                **dict.fromkeys(("slow_points", "centre_of_mass", "tracking"), 0.01),
                "settled": 100,
                "path": 30,
                "long_delays": 100,
                "temporal_consistency": 0.3,
                "flossing": 10,
                "noise": 1.5,
                "weight_decay": 0.1,
            }
        ),
        alias="lambda",
        description="The only setting of each mode, usually the weight of its penalty; a list is a sweep, with a "
        "folder for each value; a dict sets either by mode, as {slow_points: 0.1, settled: [30, 300]}. By mode, it is: "
        + "; ".join(f"{mode}, {meaning}" for mode, meaning in LAMBDA_MEANS.items())
        + ". Modes settled and path do not penalise noise, so their weights are orders of magnitude larger.",
    )

    measure: Literal["short", "full"] = Field(
        default="short",
        description="What is measured in fine-tuned networks: short for what the claims compare (accuracy, memory, "
        "slow points by the authors' descent, relaxation, drift and diffusion); full also for the deep search, "
        "eigenvalues and lifetimes, which are always measured in networks as trained.",
    )

    def steps_of(self, mode: str) -> int:
        """Optimisation steps of a mode."""
        return self.mode_steps.get(mode, self.steps)

    @model_validator(mode="before")
    @classmethod
    def _only_python_says_lambda_(cls, settings: Any) -> Any:
        if isinstance(settings, dict) and "lambda_" in settings:
            raise PydanticCustomError("rule", "its key is lambda, not lambda_")
        return settings
