"""Modes of regularised fine-tuning, their lambdas, and the folders of their networks."""

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
"""The mode with the same number of steps and no penalty, with which the other modes are compared."""

LOOKS: dict[str, Look] = {
    TRAINED: Look("before", "#9a9a9a", ":"),
    CONTROL: Look("control", "#4d4d4d", "-."),
    "slow_points": Look("slow points", "#0b4f8a", "-"),
    "centre_of_mass": Look("centre of mass", "#e08214", "--"),
    "settled": Look("settled", "#b2182b", "-"),
    "tracking": Look("tracking", "#35978f", (0, (5, 1, 1, 1))),
    "path": Look("path", "#000000", (0, (9, 1.5))),
    "long_delays": Look("long delays", "#8c510a", (0, (4, 3))),
    "temporal_consistency": Look("temporal consistency", "#4393c3", (0, (1, 1))),
    "flossing": Look("gradient flossing", "#c51b7d", (0, (7, 1, 1, 1, 1, 1))),
    "noise": Look("more noise", "#5aae61", (0, (3, 1, 1, 1, 1, 1))),
    "weight_decay": Look("weight decay", "#bf9f00", (0, (2, 2, 6, 2))),
}
"""Looks of trained networks and of each mode, with different line styles where colours are similar.

The modules of `training.modes` define what the modes do.
"""
MODES = tuple(mode for mode in LOOKS if mode != TRAINED)
PAPER = ("slow_points", "centre_of_mass")
"""The penalties of Haviv, Rivkind & Barak (2019)."""
OURS = ("settled", "path")
"""Our own penalties."""
RIVALS = ("long_delays", "temporal_consistency", "flossing", "noise", "weight_decay")
"""Other ways of training for longer memory, with which the penalties are compared."""
LAMBDA_MEANS = {
    "slow_points": "weight of the squared speeds in noise",
    "centre_of_mass": "the same",
    "tracking": "the same",
    "settled": "weight of the squared speeds under the mean input",
    "path": "the same",
    "long_delays": "frames of a trial, a whole number of at least 20",
    "temporal_consistency": "weight of the mean squared difference between successive hidden states",
    "flossing": "weight of the squared Lyapunov exponents",
    "noise": "factor on the standard deviation of the input noise",
    "weight_decay": "coefficient of decoupled weight decay",
}
"""Meaning of lambda, the only setting of a mode."""
LAMBDA_FILE = "lambda.txt"  # in the folder of a cell and mode


@dataclass(frozen=True)
class Tuning:
    """A mode with its lambda.

    Attributes:
        mode: one of `MODES`.
        lambda_: the mode's setting (`LAMBDA_MEANS`); 0 for `control`.
        folder: folder of its networks, below that of their cell.
    """

    mode: str
    lambda_: float
    folder: str


def lambda_text(lambda_: float) -> str:
    """The shortest text for exactly this lambda: 0.01, 300, 1e-05."""
    return repr(float(lambda_)).removesuffix(".0")


def write_lambda(folder: Path, lambda_: float) -> None:
    """Records the lambda of the networks in the folder of a cell and mode, beside their seed blocks.

    It is not a declared output, so it survives while a seed block is made again, when `tunings` needs it.
    """
    with atomic(folder / LAMBDA_FILE) as temporary:
        temporary.write_text(lambda_text(lambda_) + "\n", encoding="utf-8")


def read_lambda(folder: Path) -> float | None:
    """The lambda that `write_lambda` wrote into a folder; None if it wrote none.

    Raises:
        ValueError: naming the file, if it cannot be read or holds no lambda.
    """
    note = folder / LAMBDA_FILE
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
        f"{note} should hold the lambda of the networks beside it, but {reason}; write the value of column lambda in "
        "their tables into it, or remove it"
    )


def lambdas(mode: str, setting: Any) -> list[float]:
    """Lambdas of a mode from the setting `lambda`: a number, a list, or either by mode.

    Raises:
        KeyError: if the setting is by mode and has none for this one.
    """
    of_mode = setting[mode] if isinstance(setting, dict) else setting
    return [float(lambda_) for lambda_ in of_mode] if isinstance(of_mode, (list, tuple)) else [float(of_mode)]


def tunings(modes: Iterable[str], setting: Any, tuned: dict[str, float]) -> list[Tuning]:
    """Every mode with each of its lambdas.

    A mode with one lambda has a folder such as `slow_points`; one with several has a folder for each, such as
    `slow_points-0.01`, unless the plain folder already holds networks of that lambda: turning a number into a list
    retrains nothing. `layout.tuning_named` reads these names.

    Args:
        modes: modes of the study.
        setting: preset key `regularisation.lambda`.
        tuned: lambda of the networks in each plain folder that exists already.
    """
    result = []
    for mode in modes:
        mode_lambdas = [0.0] if mode == CONTROL else lambdas(mode, setting)
        for lambda_ in mode_lambdas:
            plain = len(mode_lambdas) == 1 or tuned.get(mode) == lambda_
            result.append(Tuning(mode, lambda_, mode if plain else f"{mode}-{lambda_text(lambda_)}"))
    return result
