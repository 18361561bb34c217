"""How slow points are tracked back through training."""

from __future__ import annotations

from pydantic import Field

from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.values import Whole


@section
class Formation(Section):
    """How slow points are tracked back through training."""

    snapshots: Whole = Field(
        default=25,
        ge=1,
        description="Snapshots of the dynamics, evenly over the run; more are taken at its start and around each "
        "change of the curriculum or the learning rate.",
    )
    max_iterations: Whole = Field(
        default=10,
        ge=1,
        description="Iterations of the deep search in each snapshot, which starts where the search in the following "
        "snapshot ended.",
    )
