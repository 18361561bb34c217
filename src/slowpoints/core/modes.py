"""Modes of regularised fine-tuning, their lambda, and the folders of their networks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slowpoints.core.files import atomic
from slowpoints.core.looks import Look

TRAINED = "trained"
"""The mode of networks as trained."""
CONTROL = "control"
"""As many steps without a penalty: what the other modes are compared with."""

LOOKS: dict[str, Look] = {
    TRAINED: Look("before", "#9a9a9a", ":"),
    CONTROL: Look("control", "#4d4d4d", "-."),
    "slow_points": Look("slow points", "#0b4f8a", "-"),
    "centre_of_mass": Look("centre of mass", "#e08214", "--"),
    "settled": Look("settled", "#b2182b", "-"),
    "tracking": Look("tracking", "#35978f", (0, (5, 1, 1, 1))),
}
"""Looks of the networks as trained, and of each mode: no penalty; at the slow points; at the class centres; under the
mean input at the settled states (our own); at slow points sought anew as training goes on."""
MODES = tuple(mode for mode in LOOKS if mode != TRAINED)
KEPT = "lambda.txt"  # in the folder of a mode: the lambda of its networks


@dataclass(frozen=True)
class Tuning:
    """A mode with its lambda.

    Attributes:
        mode: one of `MODES`.
        lambda_: weight of the penalty; 0 for `control`.
        folder: of its networks, below their cell's.
    """

    mode: str
    lambda_: float
    folder: str


def lambda_text(lambda_: float) -> str:
    """The shortest text that reads as exactly this lambda: 0.01, 300, 1e-05."""
    return repr(float(lambda_)).removesuffix(".0")


def keep_lambda(folder: Path, lambda_: float) -> None:
    """Notes the lambda of the networks in the folder of a cell and mode, beside their blocks.

    No declared output, so that it stays while a block is made anew: `tunings` needs it then too.
    """
    with atomic(folder / KEPT) as temporary:
        temporary.write_text(lambda_text(lambda_) + "\n", encoding="utf-8")


def kept_lambda(folder: Path) -> float | None:
    """What `keep_lambda` noted in a folder; None where nothing was.

    Raises:
        ValueError: naming the file, if it cannot be read or holds no lambda.
    """
    note = folder / KEPT
    if not note.is_file():
        return None
    try:
        lambda_ = float(note.read_text(encoding="utf-8"))
        if 0 <= lambda_ < math.inf:
            return lambda_
        reason = f"it holds {lambda_}"
    except (OSError, ValueError) as error:
        reason = str(error)
    raise ValueError(
        f"{note} should hold the lambda of the networks beside it, but {reason}; write there what column lambda of "
        "their tables says, or remove it"
    )


def lambdas(mode: str, setting: Any) -> list[float]:
    """Lambdas of a mode from the setting `lambda`: a number, a list, or either by mode.

    Raises:
        KeyError: if the setting goes by mode and has none for this one.
    """
    given = setting[mode] if isinstance(setting, dict) else setting
    return [float(lambda_) for lambda_ in given] if isinstance(given, (list, tuple)) else [float(given)]


def tunings(modes: Iterable[str], setting: Any, tuned: dict[str, float]) -> list[Tuning]:
    """Every mode with each of its lambdas.

    A mode with one lambda has the folder `slow_points`, one with several `slow_points-0.01` for each, unless the
    plain folder holds networks of that lambda already: so a number that becomes a list retrains nothing.
    `layout.tuning_named` reads them.

    Args:
        modes: of the study.
        setting: preset key `regularisation.lambda`.
        tuned: lambda of the networks in each plain folder that is there already.
    """
    found = []
    for mode in modes:
        if mode == CONTROL:
            found.append(Tuning(mode, 0.0, mode))
            continue
        several = lambdas(mode, setting)
        for lambda_ in several:
            plain = len(several) == 1 or tuned.get(mode) == lambda_
            found.append(Tuning(mode, lambda_, mode if plain else f"{mode}-{lambda_text(lambda_)}"))
    return found
