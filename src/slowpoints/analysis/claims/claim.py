"""What a claim is, and what it is tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from slowpoints.analysis.claims.rows import Excluded, Row


@dataclass(frozen=True)
class Evidence:
    """Tables of a study, from which claims are tested.

    Attributes:
        networks: table `networks`.
        learned: its rows of the networks that learned.
        correlations: table `correlations`.
        formation: table `formation` of the networks that learned.
        tuned: table `regularisation` of the networks that learned.
        excluded: counts the networks that did not learn.
    """

    networks: pd.DataFrame
    learned: pd.DataFrame
    correlations: pd.DataFrame
    formation: pd.DataFrame
    tuned: pd.DataFrame
    excluded: Excluded


@dataclass(frozen=True)
class Question:
    """One question of a claim: p is adjusted over the rows of each.

    Attributes:
        effect: what its effect is called, as figures say it after the measure.
        words: what tells it apart from the other questions of its claim; empty where nothing else needs to.
    """

    effect: str
    words: str = ""


@dataclass(frozen=True)
class Claim:
    """A claim. Its texts are for readers: no number depends on them.

    Attributes:
        name: such as "C1", which the table gives.
        title: what it says.
        topic: the question on the report's front page that it answers.
        figure: the figure below which its outcome is told.
        questions: by the name that column `question` gives.
        rows: tests it.
        sentences: tells its outcome, from its rows as `reading.with_verdict` gives them.
        measures: words for measures of its own, by the name that column `measure` gives.
        each_data_set: whether the front page tells it for each data set, not for all together alone.
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
