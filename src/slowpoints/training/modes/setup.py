"""What modes of fine-tuning start from: trained networks, and the points that penalties are about.

S networks, C classes, P points of each network, n coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
from torch import Tensor

from slowpoints.core.presets.regularisation import Regularisation
from slowpoints.core.presets.search import Search
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.relaxation import relaxation_path
from slowpoints.measures.centres import class_centres
from slowpoints.measures.points import stored_points
from slowpoints.networks.ensemble import Networks


class Points(NamedTuple):
    """Points of each network.

    Attributes:
        states: `[S, P, n]`.
        exist: which of them exist, `[S, P]`.
    """

    states: Tensor
    exist: Tensor


@dataclass(frozen=True)
class Setup:
    """Networks at the start of fine-tuning, and the sources of points for penalties.

    Attributes:
        networks: trained networks.
        images: training images.
        slow_points: table `slow_points` of these networks, in their order.
        search: how class centres are found.
        settings: how to fine-tune.
        longest_delay: longest delay at which memory is measured, in frames.
    """

    networks: Networks
    images: ImageSet
    slow_points: pd.DataFrame
    search: Search
    settings: Regularisation
    longest_delay: int

    def stored_points(self) -> Points:
        """The slow points of the table, one per class."""
        spec = self.networks.spec
        states, exist = stored_points(self.slow_points, spec.unit.parts * spec.hidden, self.networks.device)
        return self._points(states[None], exist)

    def class_centres(self) -> Points:
        """The class centres of the networks at the start."""
        return self.relaxed(self.networks, [0])

    def relaxed(self, networks: Networks, frames: Sequence[int]) -> Points:
        """States at F frames after the C class centres of networks, under the mean input."""
        dynamics = Dynamics.of(networks)
        centres = class_centres(networks, dynamics, self.images, self.search)
        return self._points(relaxation_path(dynamics.step, centres.state, frames), centres.exist)

    def _points(self, states: Tensor, exist: Tensor) -> Points:
        """Points from states `[F, S * C, n]`, restricted to the first classes if the settings say so."""
        bias, shape = self.networks.weights["bias"], (len(self.networks), self.networks.spec.classes)
        exist = exist.view(shape).clone()
        if self.settings.points is not None:
            exist[:, self.settings.points :] = False
        states = states.view(len(states), *shape, -1).transpose(0, 1).flatten(1, 2)
        return Points(states.to(bias.dtype), exist.repeat(1, states.shape[1] // shape[1]))
