"""What networks are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.values import OrNull, Whole

Size = Annotated[Whole, Field(ge=1)]


@section
class Layers(Section):
    """Layers of a front end: output channels of each convolutional block, units of each dense layer."""

    filters: tuple[Size, ...] = Field(
        description="Output channels of each block of 3x3 convolution and 2x2 pooling.",
    )
    dense: tuple[Size, ...] = Field(
        min_length=1,
        description="Units of each dense layer after them; the last is the input of the recurrent units.",
    )


@section
class Network(Section):
    """Size of the networks."""

    hidden: Size = Field(default=64, description="Hidden units.")
    front_end: OrNull[Layers] = Field(
        default=None, description="Layers between image and recurrent units; null for none."
    )
