"""Choice of the weight of a penalty: increasing weights until a validation measure falls."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from slowpoints.core.arguments import finite, instance
from slowpoints.core.progress import report_stage
from slowpoints.core.tensors import read_tensors, tensor_digest, write_tensors

WEIGHTS = (1, 3, 10, 30, 100, 300, 1000, 3000)
ALLOWED = 0.005  # drop in accuracy, as in the choice of the study's lambdas


class WeightChoice(NamedTuple):
    """Result of `choose_weight`.

    Attributes:
        weight: the largest one tried before the first that costs too much; 0 if the smallest does.
        module: the copy fine-tuned with it.
        table: a row for each weight tried, 0 first: weight, measure, change against weight 0, passed, seconds.
    """

    weight: float
    module: nn.Module
    table: pd.DataFrame


def choose_weight(
    module: nn.Module,
    fine_tune: Callable[[nn.Module, float], Any],
    validate: Callable[[nn.Module], float],
    *,
    weights: Sequence[float] = WEIGHTS,
    allowed: float = ALLOWED,
    folder: str | Path | None = None,
) -> WeightChoice:
    """Fine-tunes copies with increasing weights of a penalty until a validation measure falls by too much.

    Weight 0 comes first, as the control: the same steps without the penalty. The weights follow in increasing order, up
    to and including the first whose measure is more than `allowed` below the control's. How long memories last plays no
    role. Each copy starts from the same state of PyTorch's random number generators, which the call leaves unchanged.

    Args:
        module: everything that is trained, recurrent layer and readout. Not changed.
        fine_tune: trains a copy in place with a weight: `fine_tune(copy, weight)`. It builds optimiser and penalty from
            that copy.
        validate: measure of a copy, higher is better, such as accuracy, always on the same validation trials.
        weights: weights to try, positive.
        allowed: greatest acceptable drop of the measure.
        folder: where finished copies are saved, and from which an interrupted call resumes.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if weights are not positive, the control's measure is not finite, the penalty leaves a copy as it
            is without, or the folder holds copies of another module.

    Example:
        >>> choice = choose_weight(network, fine_tune, accuracy, folder="weights")
        >>> choice.weight, choice.table
    """
    instance(module, nn.Module, "module")
    for name, function in (("fine_tune", fine_tune), ("validate", validate)):
        if not callable(function):
            raise TypeError(f"{name} is a {type(function).__name__}; it must be a callable")
    allowed = finite(allowed, "allowed", least=0)
    copies = _Copies(module, fine_tune, validate, folder)
    ascending = _ascending(weights)
    rows: list[dict[str, Any]] = []
    chosen, tuned = 0.0, module
    with report_stage("weights of the penalty", 1 + len(ascending), unit="weight", at_most=True, bar=True) as progress:
        for weight in (0.0, *ascending):
            candidate, measure, seconds = copies.tuned(weight)
            control = rows[0]["measure"] if rows else measure
            if not np.isfinite(control):
                raise ValueError(f"the measure of the copy without a penalty is {control}; it must be finite")
            passed = bool(measure - control >= -allowed)
            rows.append({"weight": weight, "measure": measure, "change": measure - control, "passed": passed})
            rows[-1]["seconds"] = seconds
            progress.update()
            if not passed:
                break
            chosen, tuned = weight, candidate
    return WeightChoice(chosen, tuned, pd.DataFrame(rows))


class _Copies:
    """Fine-tuned copies of a module, from a folder if they already exist."""

    def __init__(
        self,
        module: nn.Module,
        fine_tune: Callable[[nn.Module, float], Any],
        validate: Callable[[nn.Module], float],
        folder: str | Path | None,
    ):
        if folder is not None:
            instance(folder, (str, os.PathLike), "folder")
        self.module, self.fine_tune, self.validate = module, fine_tune, validate
        self.folder = None if folder is None else Path(folder)
        self.start = _digests(module)
        self.control: dict[str, str] = {}  # of the copy with weight 0

    def tuned(self, weight: float) -> tuple[nn.Module, float, float]:
        """The copy fine-tuned with a weight, its measure, and the seconds that fine-tuning took."""
        tuned = copy.deepcopy(self.module)
        path = None if self.folder is None else self.folder / f"weight-{weight:g}.safetensors"
        if path is not None and path.is_file():
            tensors, facts = read_tensors(path)
            if facts.get("start") != self.start:
                raise ValueError(f"{path} holds a copy of another module; name another folder, or remove this one")
            tuned.load_state_dict(tensors)
            self._compared(tuned, weight)
            return tuned, float(facts["measure"]), float(facts["seconds"])
        begun = time.perf_counter()
        with torch.random.fork_rng():
            self.fine_tune(tuned, weight)
            seconds = time.perf_counter() - begun
            self._compared(tuned, weight)
            measure = float(finite_or_nan(self.validate(tuned)))
        if path is not None:
            facts = {"start": self.start, "weight": weight, "measure": repr(measure), "seconds": seconds}
            write_tensors(_tensors(tuned), path, facts)
        return tuned, measure, seconds

    def _compared(self, tuned: nn.Module, weight: float) -> None:
        """Raises ValueError if a copy equals the control, so that its weight had no effect."""
        if not weight:
            self.control = _digests(tuned)
        elif _digests(tuned) == self.control:
            raise ValueError(
                f"fine_tune(copy, {weight:g}) left the same copy as fine_tune(copy, 0); it must train the copy that "
                "it receives, with a penalty built from that copy"
            )


def finite_or_nan(value: Any) -> float:
    """A measure as a number; NaN if it is not finite, as of a copy that diverged.

    Raises:
        TypeError: if it is not a number.
    """
    number = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if isinstance(number, float) and not np.isfinite(number):
        return float("nan")
    return finite(number, "the value of validate")


def _digests(module: nn.Module) -> dict[str, str]:
    return {name: tensor_digest(tensor) for name, tensor in _tensors(module).items()}


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """State of a module as tensors that share no memory."""
    return {name: tensor.detach().clone().contiguous() for name, tensor in module.state_dict().items()}


def _ascending(weights: Any) -> list[float]:
    """Positive weights in increasing order.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if there are none, or one is not positive.
    """
    if isinstance(weights, str) or not hasattr(weights, "__iter__"):
        raise TypeError(f"weights is {weights!r}; it must be a sequence of numbers")
    numbers = sorted({finite(weight, "each of weights", least=0) for weight in weights})
    if not numbers or not numbers[0]:
        raise ValueError(f"weights is {numbers}; it must hold positive numbers, at least one")
    return numbers
