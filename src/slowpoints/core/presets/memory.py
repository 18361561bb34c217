"""How memory is measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.values import Whole, written


@section
class Memory(Section):
    """How memory is measured."""

    delays: tuple[Annotated[Whole, Field(ge=4)], ...] = Field(
        default=written(
            [
                *(4, 6, 8, 10, 13, 16, 19, 20, 25, 32, 40, 50, 63, 80),
                *(100, 126, 158, 200, 251, 316, 398, 501, 631, 794, 1000),
            ]
        ),
        min_length=3,
        description="Delays in frames, increasing; they must include 19, 20 and one beyond.",
    )
    n_images: Whole = Field(
        default=400, ge=1, description="Trials of each network, a multiple of the number of classes."
    )
    noise: Literal["fresh", "bank"] = Field(
        default="fresh", description="fresh, or bank if a front end makes fresh noise expensive."
    )
    bank: Whole = Field(default=4096, ge=1, description="Noise frames in that bank, more than the longest delay.")
