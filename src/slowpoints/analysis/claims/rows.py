"""Rows of the table `claims` without their verdicts, and the scopes in which claims are tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from slowpoints.analysis.comparisons import Effect, Pairs, change, difference
from slowpoints.analysis.over_cells import OverCells, mean_over_cells
from slowpoints.core.schemas.schema import CELL
from slowpoints.core.streams import numpy_generator
from slowpoints.task.protocols import PROTOCOLS

Place = dict[str, Any]
"""Names of a data set, architecture and protocol by column, without columns that are pooled over."""
Changes = Sequence[np.ndarray]
"""One value per network, for each cell."""


class ScopeLevel(StrEnum):
    """How much a scope pools, ordered by how many of data set, architecture and protocol identify it.

    Rows of data sets, and of all together, have verdicts; those of cells and strata do not.
    """

    ALL = "all"
    DATA_SET = "data set"
    STRATUM = "data set x architecture"
    CELL = "cell"


POOLED = (ScopeLevel.DATA_SET, ScopeLevel.ALL)
"""Scopes whose rows have verdicts, unless a claim names others."""


@dataclass(frozen=True)
class Subject:
    """The subject of a row: its columns in the table `claims`, None if pooled over or not applicable.

    Attributes:
        claim: such as "C1".
        question: a key of `Claim.questions`.
        measure: what is measured, such as "memory_score".
        dataset, architecture: of the networks.
        protocol: of the networks or, with a protocol as `rival`, the first of two that are compared.
        mode, lambda_: of their fine-tuning.
        rival: the protocol or mode with which the first is compared.
        rival_lambda: its lambda.
        stratum: what values are compared or ranked within: `architecture` (of a data set), `cell`, or `network`.
    """

    claim: str
    question: str
    measure: str
    dataset: str | None = None
    architecture: str | None = None
    protocol: str | None = None
    mode: str | None = None
    lambda_: float | None = None
    rival: str | None = None
    rival_lambda: float | None = None
    stratum: str | None = None

    def columns(self) -> dict[str, Any]:
        """Values by column of the table."""
        return {name.removesuffix("_"): value for name, value in asdict(self).items()}

    def stream(self) -> np.random.Generator:
        """Random stream of the row's resamples and permutations, named by its columns, so that no text affects it."""
        return numpy_generator(*(f"{name}={value}" for name, value in self.columns().items()))

    @property
    def compares_protocols(self) -> bool:
        """Whether `protocol` and `rival` are two protocols."""
        return self.rival is not None and self.mode is None

    @property
    def place(self) -> Place:
        """The place, without protocols that are compared.

        Raises:
            ValueError: if it names an architecture without a data set, or a protocol without an architecture.
        """
        names = {"dataset": self.dataset, "architecture": self.architecture}
        names["protocol"] = None if self.compares_protocols else self.protocol
        place = {column: name for column, name in names.items() if name is not None}
        if list(place) != CELL[: len(place)]:
            raise ValueError(f"{place} is no scope of a claim: it needs {CELL[: len(place)]}")
        return place

    @property
    def level(self) -> ScopeLevel:
        """How much is pooled."""
        return list(ScopeLevel)[len(self.place)]


@dataclass(frozen=True)
class Row:
    """A claim in a scope.

    Attributes:
        subject: what it is about.
        outcome: effect, interval and test.
        claimed: `positive`, `negative`, `either` (any difference), `none` (an effect within `margin`), `no loss` or
            `no gain` (none beyond `margin`), or None for a row that describes and has no verdict.
        n_excluded: number of networks of the scope that are excluded because they did not learn.
        margin: largest effect, loss or gain that counts as none.
        cells: the cells of a pooled scope as a sample.
        levels: levels of scope at which a row has a verdict.
    """

    subject: Subject
    outcome: Effect
    claimed: str | None
    n_excluded: int
    margin: float = 0.0
    cells: OverCells | None = None
    levels: tuple[ScopeLevel, ...] = POOLED


class Excluded:
    """Counts the networks of a scope that did not learn."""

    def __init__(self, networks: pd.DataFrame):
        self.cells = networks.loc[~networks["learned"].astype(bool), CELL]

    def __call__(self, **place: str) -> int:
        """Number of those networks in a place."""
        return int((self.cells[list(place)] == pd.Series(place, dtype=object)).all(axis=1).sum())


def contrasts(table: pd.DataFrame, column: str) -> Iterator[tuple[Place, tuple[str, str], Pairs]]:
    """Values under each pair of protocols, for each data set and architecture, and pooled over these.

    Yields:
        The place, the names of the two protocols, and their values in each stratum (data set and architecture).
    """
    table = table.dropna(subset=[column])
    present = set(table["protocol"])
    for names in combinations([name for name in PROTOCOLS if name in present], 2):
        strata = {}
        for key, group in table.groupby(["dataset", "architecture"], sort=False):
            first, second = (group.loc[group["protocol"] == name, column].to_numpy(float) for name in names)
            if min(len(first), len(second)) >= 2:
                strata[key] = (first, second)
        for (dataset, architecture), pair in strata.items():
            yield {"dataset": dataset, "architecture": architecture}, names, [pair]
        for dataset in dict.fromkeys(dataset for dataset, _ in strata):
            yield {"dataset": dataset}, names, [pair for (name, _), pair in strata.items() if name == dataset]
        if strata:
            yield {}, names, list(strata.values())


def compared(
    about: Subject,
    table: pd.DataFrame,
    excluded: Excluded | None,
    *,
    claimed: str = "either",
    margin: float = 0.0,
    test: Callable[[Pairs, np.random.Generator], Effect] = difference,
) -> Iterator[Row]:
    """Rows that compare protocols in a measure, one value per network.

    Args:
        about: claim, question and measure.
        table: with the columns of the network and the measure.
        excluded: counts the excluded networks; None if there are none.
        claimed, margin: as in `Row`.
        test: test of the difference.
    """
    for place, (first, second), strata in contrasts(table, about.measure):
        subject = replace(about, **place, protocol=first, rival=second, stratum="architecture")
        outcome = test(strata, subject.stream())
        yield Row(subject, outcome, claimed, excluded(**place) if excluded else 0, margin)


def cell_scopes(table: pd.DataFrame, column: str) -> Iterator[tuple[Place, list[pd.DataFrame]]]:
    """Each cell, each data set, and all together, with the rows of each of their cells that have a value."""
    cells = dict(list(table.dropna(subset=[column]).groupby(CELL, sort=False)))
    for key, rows in cells.items():
        yield dict(zip(CELL, key, strict=True)), [rows]
    for dataset in dict.fromkeys(key[0] for key in cells):
        yield {"dataset": dataset}, [rows for key, rows in cells.items() if key[0] == dataset]
    if cells:
        yield {}, list(cells.values())


def unit_scopes(table: pd.DataFrame, column: str) -> Iterator[tuple[Place, list[pd.DataFrame]]]:
    """Each cell, and each recurrent unit of each data set, in the form of `cell_scopes`."""
    cells = [(place, rows) for place, rows in cell_scopes(table, column) if len(place) == len(CELL)]
    yield from cells
    units: dict[tuple[str, str], list[pd.DataFrame]] = {}
    for place, rows in cells:
        units.setdefault((place["dataset"], place["architecture"]), []).extend(rows)
    for names, rows in units.items():
        yield dict(zip(CELL[:2], names, strict=True)), rows


def changed(
    about: Subject,
    table: pd.DataFrame,
    excluded: Excluded,
    *,
    claimed: str | None,
    margin: float = 0.0,
    test: Callable[[Changes, np.random.Generator], Effect] = change,
    scopes: Callable[[pd.DataFrame, str], Iterator[tuple[Place, list[pd.DataFrame]]]] = cell_scopes,
) -> Iterator[Row]:
    """Rows on a column of changes, one value per network, in each scope.

    Args:
        about: claim, question, measure, and whatever else is the same in all rows.
        table: with the columns of the network and the measure; a row states `lambda` and `lambda_rival`, if there are
            such columns, where all its networks share one.
        excluded: counts the excluded networks.
        claimed, margin: as in `Row`.
        test: test of the changes.
        scopes: function of the table and the column that yields places and the rows of each of their cells.
    """
    for place, cells in scopes(table, about.measure):
        lambdas: dict[str, Any] = {
            name: _shared(cells, column)
            for name, column in (("lambda_", "lambda"), ("rival_lambda", "lambda_rival"))
            if column in table
        }
        subject = replace(about, **place, **lambdas)
        changes = [rows[about.measure].to_numpy(float) for rows in cells]
        outcome = test(changes, subject.stream())
        row = Row(subject, outcome, claimed, excluded(**place), margin)
        if subject.level in POOLED:
            means = np.array([values.mean() for values in changes])
            row = replace(row, cells=mean_over_cells(changes, agreeing(means, row)))
        yield row


def agreeing(effects: np.ndarray, row: Row) -> np.ndarray:
    """Whether the effects of cells have the sign that a row claims or, without a claim, the sign of its effect."""
    if row.claimed == "no loss":
        return effects > -row.margin
    if row.claimed == "no gain":
        return effects < row.margin
    sign = {"positive": 1.0, "negative": -1.0}.get(row.claimed or "", np.sign(row.outcome.effect))
    return effects * sign > 0


def _shared(cells: Sequence[pd.DataFrame], column: str) -> float | None:
    """The value that all rows share; None if they differ."""
    values = {float(value) for rows in cells for value in rows[column].unique()}
    return values.pop() if len(values) == 1 else None
