"""What a training protocol is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from slowpoints.core.looks import Look


@dataclass(frozen=True)
class Protocol:
    """Which schedules a protocol follows; the others stand at their final value throughout.

    Attributes:
        name: as in configurations and paths.
        look: how figures name and draw it.
        vocabulary: classes come into use one by one.
        delay: trials grow longer.
        response: frames without a report gain weight in the loss.
        shuffled: classes come into use in an order drawn for each network, not by number.
    """

    name: str
    look: Look
    vocabulary: bool = False
    delay: bool = False
    response: bool = False
    shuffled: bool = False

    def plain(self) -> dict[str, Any]:
        """Its name and schedules as a dict, what `protocol_of` takes; without the look, which trains nothing."""
        return {name: value for name, value in asdict(self).items() if name != "look"}


def protocol_of(settings: dict[str, Any]) -> Protocol:
    """The protocol of a dict that `Protocol.plain` gave."""
    return Protocol(look=Look(settings["name"]), **settings)
