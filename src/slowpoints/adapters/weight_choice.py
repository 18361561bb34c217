"""Choice of the weight of a penalty: increasing weights until a validation measure falls."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from slowpoints.adapters.tuned_copies import TunedCopies
from slowpoints.core.arguments import finite, instance, type_named
from slowpoints.core.progress import report_stage

WEIGHTS = (1, 3, 10, 30, 100, 300, 1000, 3000)
ALLOWED = 0.005  # drop in accuracy, as in the choice of the study's lambdas
SEEDS = 2**62  # of validation


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
    `validate` and `memory` are first tried on `module`, so that what they cannot measure is found before training.

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
        folder: where fine-tuned copies are saved, and from which an interrupted call resumes, with the random numbers
            that it began with. They are recognised by the weights of `module` alone: name another folder when
            `fine_tune` has changed. Validation is never saved.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if weights are not positive, the measure or memory of `module` or the control is not finite, a
            measure is not from 0 to 1 although `allowed` is not given, `fine_tune` leaves a copy as it was or changes
            `module`, the penalty leaves a copy as it is without, or the folder holds copies of another module.

    Warns:
        UserWarning: if the largest weight tried is chosen, so that a larger one might also pass; if already the
            smallest costs too much; if a copy cannot be chosen because its memory is not finite; or if the control's
            measure is below that of `module` by more than `allowed`, as when `validate` returns a loss.

    Example:
        >>> choice = choose_weight(network, fine_tune, accuracy, memory=lambda copy: memory_score(measured(copy)))
        >>> choice.weight, choice.table
        >>> tables = {"control": measured(choice.control), "penalty": measured(choice.module)}
    """
    instance(module, nn.Module, "module")
    for name, function in {"fine_tune": fine_tune, "validate": validate, "memory": memory}.items():
        if not callable(function) and (name, function) != ("memory", None):
            raise TypeError(f"{name} is {type_named(function)}; it must be a callable")
    drop = ALLOWED if allowed is None else finite(allowed, "allowed", least=0)
    copies, ascending = TunedCopies(module, fine_tune, folder), _ascending(weights)
    measures = _Measures(validate, memory, bounded=allowed is None)
    rows: list[dict[str, Any]] = []
    chosen, longest, tuned, control = 0.0, -np.inf, module, module
    stage = report_stage("weights of the penalty", 1 + len(ascending), unit="weight", at_most=True, bar=True)
    with copies.random_numbers(), stage as progress:
        untrained = measures.of_module(module)
        for weight in (0.0, *ascending):
            candidate, seconds = copies.tuned(weight)
            measure = measures.performance(candidate, weight)
            if not weight and measure < untrained - drop:
                _warn_of_control(untrained, measure)
            change = measure - (rows[0]["measure"] if rows else measure)
            passed = bool(change >= -drop)
            remembered = measures.memory(candidate, weight) if passed else np.nan
            rows.append({"weight": weight, "measure": measure, "change": change, "passed": passed})
            rows[-1] |= {"memory": remembered, "seconds": seconds}
            progress.update()
            if not passed:
                break
            control = control if weight else candidate
            if remembered > longest:
                chosen, longest, tuned = weight, remembered, candidate
    if chosen == rows[-1]["weight"]:
        _warn_of_largest(chosen, memory)
    elif not any(row["passed"] for row in rows[1:]):
        warnings.warn(f"the smallest weight, {ascending[0]:g}, costs too much: try smaller ones", stacklevel=2)
    table = pd.DataFrame(rows)
    return WeightChoice(chosen, tuned, table.drop(columns=[] if memory else "memory"), control)


def _warn_of_control(untrained: float, control: float) -> None:
    warnings.warn(
        f"fine-tuning without a penalty has lowered the measure from {untrained:g} to {control:g}, by more than a "
        "penalty may: is it higher for a better network (minus a loss, for example)?",
        stacklevel=3,
    )


def _warn_of_largest(weight: float, memory: Callable[[nn.Module], float] | None) -> None:
    advice = (
        "memory was still increasing, so try larger weights"
        if memory
        else "it cost no more than allowed. Larger weights might pass as well, but need not prolong memory: pass "
        "`memory`, by which to choose among those that pass"
    )
    warnings.warn(f"the largest weight tried, {weight:g}, is chosen: {advice}", stacklevel=3)


class _Measures:
    """What copies are judged by, each measured with random numbers that are not those of its training."""

    def __init__(
        self,
        validate: Callable[[nn.Module], float],
        memory: Callable[[nn.Module], float] | None,
        *,
        bounded: bool,
    ):
        self.validate, self.remember, self.bounded = validate, memory, bounded

    def of_module(self, module: nn.Module) -> float:
        """Performance of the module before fine-tuning; its memory is only tried."""
        self.memory(copy.deepcopy(module), None)
        return self.performance(copy.deepcopy(module), None)

    def performance(self, module: nn.Module, weight: float | None) -> float:
        """Its validation measure.

        Args:
            module: the copy fine-tuned with `weight`, or with None the module as it was given.
            weight: of the penalty.

        Raises:
            TypeError: if it is not a number.
            ValueError: if it must be from 0 to 1 and is not, or is not finite although there was no penalty.
        """
        measure, name = _evaluated(self.validate, module, "validate"), _name(weight)
        if not weight and not np.isfinite(measure):
            raise ValueError(f"the measure of {name} is {measure}; it must be finite")
        if self.bounded and not (np.isnan(measure) or 0 <= measure <= 1):
            raise ValueError(
                f"the measure of {name} is {measure:g}; it must be from 0 to 1, such as accuracy, or pass `allowed`, "
                "the greatest acceptable drop, in units of a measure that is better the higher it is (minus a loss, "
                "for example)"
            )
        return measure

    def memory(self, module: nn.Module, weight: float | None) -> float:
        """How long it remembers, or the weight if this is not measured; arguments and errors as of `performance`."""
        if self.remember is None:
            return weight or 0.0
        length = _evaluated(self.remember, module, "memory")
        if not np.isfinite(length):
            message = (
                f"the memory of {_name(weight)} is {length}; it must be finite, such as `memory_score` (a half-life is "
                "NaN where it lies beyond the longest delay)"
            )
            if not weight:
                raise ValueError(message)
            warnings.warn(f"{message}: this copy cannot be chosen", stacklevel=3)
        return length


def _name(weight: float | None) -> str:
    return "module" if weight is None else f"the copy with weight {weight:g}"


def _evaluated(function: Callable[[nn.Module], float], tuned: nn.Module, name: str) -> float:
    """A measure of a copy, with random numbers that are neither those of its training nor of another seed.

    Raises:
        TypeError: if it is not a number.
    """
    with torch.random.fork_rng():
        torch.manual_seed(int(torch.randint(SEEDS, (), device="cpu")))
        return finite_or_nan(function(tuned), name)


def finite_or_nan(value: Any, name: str) -> float:
    """A measure as a number; NaN if it is not finite, as of a copy that diverged.

    Raises:
        TypeError: if it is not a number.
    """
    number = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if isinstance(number, float) and not np.isfinite(number):
        return float("nan")
    return finite(number, f"the value of {name}")


def _ascending(weights: Any) -> list[float]:
    """Positive weights in increasing order.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if there are none, or one is not positive.
    """
    if isinstance(weights, str) or not hasattr(weights, "__iter__"):
        raise TypeError(f"weights is {weights!r}; it must be a sequence of numbers")
    numbers = sorted({finite(weight, "each of weights") for weight in weights})
    if not numbers or numbers[0] <= 0:
        raise ValueError(f"weights is {numbers}; it must hold positive numbers, at least one")
    return numbers
