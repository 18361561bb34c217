"""Everything about a data set's networks."""

from __future__ import annotations

from dataclasses import dataclass

from slowpoints.core.presets.formation import Formation
from slowpoints.core.presets.memory import Memory
from slowpoints.core.presets.network import Network
from slowpoints.core.presets.regularisation import Regularisation
from slowpoints.core.presets.search import Search
from slowpoints.core.presets.section import Section
from slowpoints.core.presets.source import Source
from slowpoints.core.presets.training import Training


@dataclass(frozen=True)
class Preset(Section):
    """Everything about a data set's networks, in the order in which it is used."""

    seeds: int
    source: Source
    network: Network
    training: Training
    memory: Memory
    slow_points: Search
    formation: Formation
    regularisation: Regularisation
