"""Claims, and the tables on which they are tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from slowpoints.analysis.claims.rows import Excluded, Row


@dataclass(frozen=True)
class Evidence:
    """Tables of a study on which claims are tested.

    Attributes:
        networks: table `networks`.
        learned: its rows for the networks that learned.
        correlations: table `correlations`.
        formation: table `formation` of the networks that learned.
        tuned: table `regularisation` of the networks that learned.
        chosen: its rows at the lambda that the rule chooses for each mode and data set (`lambdas.at_chosen_lambdas`).
        excluded: counts the networks that did not learn.
    """

    networks: pd.DataFrame
    learned: pd.DataFrame
    correlations: pd.DataFrame
    formation: pd.DataFrame
    tuned: pd.DataFrame
    chosen: pd.DataFrame
    excluded: Excluded


@dataclass(frozen=True)
class Question:
    """One question of a claim; p is adjusted over its rows.

    Attributes:
        effect: name of its effect, which follows the measure in figures.
        words: text that distinguishes it from the other questions of its claim; empty if none is needed.
    """

    effect: str
    words: str = ""


@dataclass(frozen=True)
class Claim:
    """A claim. Its texts are for readers; no number depends on them.

    Attributes:
        name: such as "C1", as in the table.
        title: what it says.
        topic: the question on the report's front page that it answers.
        figure: the figure whose caption reports its outcome.
        questions: its questions by name, as in column `question`.
        rows: function that tests it.
        sentences: function that reports its outcome, from its rows as returned by `reading.with_verdict`.
        measures: words for its own measures, by name, as in column `measure`.
        each_data_set: whether the front page reports it for each data set, not only over all.
        ours: whether it is our own and not the paper's.
    """

    name: str
    title: str
    topic: str
    figure: str
    questions: Mapping[str, Question]
    rows: Callable[[Evidence], Iterator[Row]]
    sentences: Callable[[pd.DataFrame], Iterator[str]]
    measures: Mapping[str, str] = field(default_factory=dict)
    each_data_set: bool = False
    ours: bool = False
