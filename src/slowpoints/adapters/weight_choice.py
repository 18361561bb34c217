"""Choice of the weight of a penalty: increasing weights until a validation measure falls."""

from __future__ import annotations

import copy
import logging
import os
import time
import warnings
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
SEEDS = 2**62  # of validation

log = logging.getLogger(__name__)


class WeightChoice(NamedTuple):
    """Result of `choose_weight`.

    Attributes:
        weight: the largest one tried before the first that costs too much, or of these the one with the longest
            memory; 0 if the smallest costs too much, or if none lengthens memory.
        module: the copy fine-tuned with it.
        table: a row for each weight tried, 0 first: weight, measure, change against weight 0, passed, memory if it was
            asked for (NaN where the weight cost too much), seconds.
        control: the copy fine-tuned with weight 0, as many steps without the penalty: what `module` is compared with.
    """

    weight: float
    module: nn.Module
    table: pd.DataFrame
    control: nn.Module


def choose_weight(
    module: nn.Module,
    fine_tune: Callable[[nn.Module, float], Any],
    validate: Callable[[nn.Module], float],
    *,
    weights: Sequence[float] = WEIGHTS,
    allowed: float | None = None,
    memory: Callable[[nn.Module], float] | None = None,
    folder: str | Path | None = None,
) -> WeightChoice:
    """Fine-tunes copies with increasing weights of a penalty until a validation measure falls by too much.

    Weight 0 comes first, as the control: the same steps without the penalty. The weights follow in increasing order, up
    to and including the first whose measure is more than `allowed` below the control's. The largest that passed is
    chosen, however long memories last, or with `memory` the one with the longest, 0 included: where accuracy bears any
    weight, the largest can shorten memories. Each copy is trained from the same state of PyTorch's random number
    generators, and validated from another that is also the same for all; the call leaves the caller's unchanged.

    Args:
        module: everything that is trained, recurrent layer and readout. Not changed.
        fine_tune: trains a copy in place with a weight: `fine_tune(copy, weight)`. It builds optimiser and penalty from
            that copy.
        validate: measure of a copy, higher is better, such as accuracy, always on the same validation trials.
        weights: weights to try, positive. Beyond some weight Adam follows the penalty alone, and larger ones change
            little.
        allowed: greatest acceptable drop of the measure, in its units; by default 0.005, for measures from 0 to 1.
        memory: how long a copy remembers, higher is longer, such as the `memory_score` of its `retention` on validation
            trials. A finite number: the half-life is NaN where it lies beyond the longest delay.
        folder: where fine-tuned copies are saved, and from which an interrupted call resumes. They are recognised by
            the weights of `module` alone: name another folder when `fine_tune` has changed. Validation is never saved.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if weights are not positive, the control's measure or a memory is not finite, a measure is not from
            0 to 1 although `allowed` is not given, the penalty leaves a copy as it is without, or the folder holds
            copies of another module.

    Warns:
        UserWarning: if the largest weight tried is chosen, so that a larger one might also pass.

    Example:
        >>> choice = choose_weight(network, fine_tune, accuracy, memory=lambda copy: memory_score(measured(copy)))
        >>> choice.weight, choice.table
        >>> tables = {"control": measured(choice.control), "penalty": measured(choice.module)}
    """
    instance(module, nn.Module, "module")
    for name, function in {"fine_tune": fine_tune, "validate": validate, "memory": memory}.items():
        if not callable(function) and (name, function) != ("memory", None):
            raise TypeError(f"{name} is a {type(function).__name__}; it must be a callable")
    drop = ALLOWED if allowed is None else finite(allowed, "allowed", least=0)
    copies, ascending = _Copies(module, fine_tune, folder), _ascending(weights)
    rows: list[dict[str, Any]] = []
    chosen, longest, tuned, control = 0.0, -np.inf, module, module
    with report_stage("weights of the penalty", 1 + len(ascending), unit="weight", at_most=True, bar=True) as progress:
        for weight in (0.0, *ascending):
            candidate, seconds = copies.tuned(weight)
            measure = _evaluated(validate, candidate, "validate")
            _check_measure(measure, weight, bounded=allowed is None)
            change = measure - (rows[0]["measure"] if rows else measure)
            passed = bool(change >= -drop)
            remembered = _remembered(memory, candidate, weight) if passed else np.nan
            rows.append({"weight": weight, "measure": measure, "change": change, "passed": passed})
            rows[-1] |= {"memory": remembered, "seconds": seconds}
            progress.update()
            if not passed:
                break
            control = control if weight else candidate
            if remembered > longest:
                chosen, longest, tuned = weight, remembered, candidate
    if chosen == rows[-1]["weight"]:
        warnings.warn(
            f"the largest weight tried, {chosen:g}, is chosen: it cost no more than allowed (try larger weights, or a "
            "harder validation)",
            stacklevel=2,
        )
    table = pd.DataFrame(rows)
    return WeightChoice(chosen, tuned, table.drop(columns=[] if memory else "memory"), control)


def _check_measure(measure: float, weight: float, *, bounded: bool) -> None:
    """Raises ValueError if the control's measure is not finite, or one that must be from 0 to 1 is not."""
    if not weight and not np.isfinite(measure):
        raise ValueError(f"the measure of the copy without a penalty is {measure}; it must be finite")
    if bounded and not (np.isnan(measure) or 0 <= measure <= 1):
        raise ValueError(
            f"the measure of the copy with weight {weight:g} is {measure:g}; it must be from 0 to 1, such as accuracy, "
            "or pass `allowed`, the greatest acceptable drop, in units of a measure that is better the higher it is "
            "(minus a loss, for example)"
        )


def _remembered(memory: Callable[[nn.Module], float] | None, tuned: nn.Module, weight: float) -> float:
    """What a copy is chosen by: how long it remembers, or without a measure of this its weight."""
    if memory is None:
        return weight
    length = _evaluated(memory, tuned, "memory")
    if not np.isfinite(length):
        raise ValueError(
            f"the memory of the copy with weight {weight:g} is {length}; it must be finite, such as `memory_score` (a "
            "half-life is NaN where it lies beyond the longest delay)"
        )
    return length


def _evaluated(function: Callable[[nn.Module], float], tuned: nn.Module, name: str) -> float:
    """A measure of a copy, with random numbers that are neither those of its training nor of another seed.

    Raises:
        TypeError: if it is not a number.
    """
    with torch.random.fork_rng():
        torch.manual_seed(int(torch.randint(SEEDS, (), device="cpu")))
        return finite_or_nan(function(tuned), name)


class _Copies:
    """Fine-tuned copies of a module, from a folder if they already exist."""

    def __init__(
        self,
        module: nn.Module,
        fine_tune: Callable[[nn.Module, float], Any],
        folder: str | Path | None,
    ):
        if folder is not None:
            instance(folder, (str, os.PathLike), "folder")
        self.module, self.fine_tune = module, fine_tune
        self.folder = None if folder is None else Path(folder)
        self.start = _digests(module)
        self.control: dict[str, str] = {}  # of the copy with weight 0

    def tuned(self, weight: float) -> tuple[nn.Module, float]:
        """The copy fine-tuned with a weight, and the seconds that this took."""
        tuned = copy.deepcopy(self.module)
        path = None if self.folder is None else self.folder / f"weight-{weight:g}.safetensors"
        if path is not None and path.is_file():
            tensors, facts = read_tensors(path)
            if facts.get("start") != self.start:
                raise ValueError(f"{path} holds a copy of another module; name another folder, or remove this one")
            log.warning("weight %g read from %s, not trained again", weight, path)
            tuned.load_state_dict(tensors)
            self._compared(tuned, weight)
            return tuned, float(facts["seconds"])
        begun = time.perf_counter()
        with torch.random.fork_rng():
            self.fine_tune(tuned, weight)
        seconds = time.perf_counter() - begun
        self._compared(tuned, weight)
        if path is not None:
            write_tensors(_tensors(tuned), path, {"start": self.start, "weight": weight, "seconds": seconds})
        return tuned, seconds

    def _compared(self, tuned: nn.Module, weight: float) -> None:
        """Raises ValueError if a copy equals the control, so that its weight had no effect."""
        if not weight:
            self.control = _digests(tuned)
        elif _digests(tuned) == self.control:
            raise ValueError(
                f"fine_tune(copy, {weight:g}) left the same copy as fine_tune(copy, 0); it must train the copy that "
                "it receives, with a penalty built from that copy"
            )


def finite_or_nan(value: Any, name: str) -> float:
    """A measure as a number; NaN if it is not finite, as of a copy that diverged.

    Raises:
        TypeError: if it is not a number.
    """
    number = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if isinstance(number, float) and not np.isfinite(number):
        return float("nan")
    return finite(number, f"the value of {name}")


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
