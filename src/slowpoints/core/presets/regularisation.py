"""How networks are fine-tuned."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from slowpoints.core.modes import CONTROL, MODES
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
        description="Steps after which mode tracking recomputes its points, and mode settled recomputes the mean "
        "input of a front end.",
    )
    lambda_: Lambdas = Field(
        default=written({"slow_points": 0.01, "centre_of_mass": 0.01, "tracking": 0.01, "settled": 100}),
        alias="lambda",
        description="Weight of the speed penalty; a list is a sweep, with a folder for each value; a dict sets either "
        "by mode, as {slow_points: 0.1, settled: [30, 300]}. Mode settled does not penalise noise, so its weight is "
        "orders of magnitude larger.",
    )

    @model_validator(mode="before")
    @classmethod
    def _only_python_says_lambda_(cls, settings: Any) -> Any:
        if isinstance(settings, dict) and "lambda_" in settings:
            raise PydanticCustomError("rule", "its key is lambda, not lambda_")
        return settings
