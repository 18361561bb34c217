"""Everything about a data set's networks."""

from __future__ import annotations

from pydantic import Field

from slowpoints.core.presets.formation import Formation
from slowpoints.core.presets.memory import Memory
from slowpoints.core.presets.network import Network
from slowpoints.core.presets.regularisation import Regularisation
from slowpoints.core.presets.search import Search
from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.source import Source
from slowpoints.core.presets.training import Training
from slowpoints.core.presets.values import Whole

MOST_SEEDS = 100_000


@section
class Preset(Section):
    """Everything about a data set's networks, in the order in which it is used."""

    seeds: Whole = Field(default=8, ge=1, le=MOST_SEEDS, description="Networks per cell.")
    source: Source = Field(
        default_factory=Source,
        description="Where the images come from. A section that sets `kind` replaces that of its base.",
    )
    network: Network = Field(default_factory=Network)
    training: Training = Field(default_factory=Training)
    memory: Memory = Field(default_factory=Memory)
    slow_points: Search = Field(default_factory=Search)
    formation: Formation = Field(default_factory=Formation)
    regularisation: Regularisation = Field(default_factory=Regularisation)


@section
class WrittenPreset(Preset):
    """A preset as it is written, silent where its base speaks."""

    base: str = Field(default="", description="Preset that supplies all settings that this one omits.")
