"""Training protocols."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from slowpoints.core.looks import Look


@dataclass(frozen=True)
class Protocol:
    """The schedules that a protocol follows; the others keep their final value throughout.

    Attributes:
        name: as in configurations and paths.
        look: its name and style in figures.
        vocabulary: whether classes are introduced one by one.
        delay: whether trials grow longer.
        response: whether frames without a report gain weight in the loss.
        shuffled: whether the order of classes is drawn for each network; otherwise numerical.
    """

    name: str
    look: Look
    vocabulary: bool = False
    delay: bool = False
    response: bool = False
    shuffled: bool = False

    def plain(self) -> dict[str, Any]:
        """Name and schedules as a dict, the input of `protocol_of`, without the look, which affects no training."""
        return {name: value for name, value in asdict(self).items() if name != "look"}


def protocol_of(settings: dict[str, Any]) -> Protocol:
    """The protocol from a dict returned by `Protocol.plain`."""
    return Protocol(look=Look(settings["name"]), **settings)
