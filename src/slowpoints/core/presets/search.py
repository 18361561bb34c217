"""How slow points are searched."""

from __future__ import annotations

from pydantic import Field

from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.values import Number, Share, Whole, YesNo, written


@section
class Search(Section):
    """How slow points are searched."""

    adam_steps: Whole = Field(default=10_000, ge=1, description="Steps of the authors' descent.")
    max_iterations: Whole = Field(default=40, ge=0, description="Maximum number of iterations of the deep search.")
    tolerance: Number = Field(
        default=1e-8, gt=0, description="Projected gradient below which a deep search has converged."
    )
    images_per_class: Whole = Field(
        default=100, ge=1, description="Trials of each class; the search starts at their mean state."
    )
    noise_scale: Share = Field(
        default=written(1), description="Factor on the noise's standard deviation in those trials."
    )
    predict_lifetimes: YesNo = Field(
        default=False,
        description="Whether lifetimes in noise are predicted; takes minutes for each network of 512 units.",
    )
