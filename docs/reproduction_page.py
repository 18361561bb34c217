"""Tables of docs/reproduction.md, written in place from reference/ by `make results`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from origins import origin, revision_text
from results_page import RESULTS, ROOT, searches, studies

from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.wording import asked, interval
from slowpoints.core.config import read_yaml
from slowpoints.core.modes import lambda_text
from slowpoints.core.presets.preset import Preset
from slowpoints.core.schemas.schema import CELL
from slowpoints.core.tables import read_table
from slowpoints.study import read_study

PAGE = ROOT / "docs/reproduction.md"
MARKED = re.compile(r"(<!-- table (\w+), by `make results` -->\n\n).*?(\n<!-- end of table -->)", re.DOTALL)
PAPER = ("mnist", "cifar10")
PENALTIES = ("slow_points", "centre_of_mass", "settled")
MERGED = "merged_share"
TRAINED_DELAY, LONGEST = 19, 1000


def page(text: str, results: Path = RESULTS) -> str:
    """The page with its tables replaced.

    Args:
        text: the page, with a pair of marks for each table.
        results: holds reference-{study}/tables.

    Raises:
        ValueError: if a table has no place on the page.
    """
    tables = {
        "claims": lambda: claims(results),
        "cells": lambda: cells(results),
        "origins": origins,
        "settings": settings,
    }
    marked = [name for _, name, _ in MARKED.findall(text)]
    if sorted(marked) != sorted(tables):
        raise ValueError(f"{PAGE} has the tables {marked}; it must have {sorted(tables)}, each once")
    return MARKED.sub(lambda place: place[1] + tables[place[2]]() + place[3], text)


def claims(results: Path) -> str:
    """The effect and verdict of each question, a row each, on each data set of the finished studies, a column each."""
    columns: dict[str, dict[tuple[str, str], str]] = {}
    for name in studies():
        networks = read_table(ROOT / f"reference/{name}/networks.parquet")
        sizes = networks["dataset"].value_counts(sort=False)
        for row in with_verdict(_claims(name, results)).dropna(subset="dataset").itertuples():
            column = columns.setdefault(f"{row.dataset}, n = {sizes[row.dataset]}", {})
            column[row.claim, asked(row)] = f"{_effect(row)}, {row.verdict}"
    rows: list[list[str]] = []
    for claim, question in _questions(columns.values()):
        title = claim if rows and rows[-1][0].startswith(claim) else f"{claim} {all_claims()[claim].title}"
        rows.append([title, question, *(column.get((claim, question), "not measured") for column in columns.values())])
    return _table(["claim", "question", *columns], rows)


def cells(results: Path) -> str:
    """Births, and the share of accuracy left at the longest delay, of each cell."""
    rows = []
    for name in studies():
        births = _claims(name, results).query("claim == 'C5' and question == 'mean' and measure == @MERGED")
        merged = {(row.dataset, row.architecture, row.protocol): _effect(row) for row in births.itertuples()}
        left = _left(read_table(ROOT / f"reference/{name}/extrapolation.parquet"))
        for cell, of_cell in left.groupby(CELL):
            shares = [
                f"{of_cell[mode].iloc[0]:.2f}" if mode in of_cell else "not run" for mode in ("control", "settled")
            ]
            rows.append([f"{name}: {'/'.join(cell)}", merged.get(cell, "not measured"), *shares])
    share = all_claims()["C5"].measures[MERGED]
    head = ["study, cell", share, f"accuracy left at {LONGEST:,} frames, control", "the same, settled"]
    return _table(head, rows)


def origins() -> str:
    """Where the tables of each study come from, and how far their deep search went."""
    rows = []
    for name in studies():
        source = origin(name)
        rows.append([f"`{name}`", revision_text(source), f"at most {searches(name)}", source.legacy or "none"])
    head = ["study", "code revision", "deep search", "remarks"]
    return _table(head, rows)


def settings() -> str:
    """The settings of the finished studies beside those of the paper's presets."""
    paper = read_study(read_yaml(ROOT / "config/paper.yaml") | {"data_dir": None}, name="config/paper.yaml")
    columns = {f"paper: {name}": _settings(paper.settings(), name) for name in PAPER}
    for name in studies():
        stored = origin(name).settings
        columns |= {dataset: _settings(stored, dataset) for dataset in stored["presets"]}
    rows = [[name, *(column[name] for column in columns.values())] for name in next(iter(columns.values()))]
    return _table(["setting", *columns], rows)


def _settings(settings: dict[str, Any], dataset: str) -> dict[str, str]:
    preset = Preset.of(settings["presets"][dataset])
    training, tuning = preset.training, preset.regularisation
    front_end = preset.network.front_end
    return {
        "networks per cell": f"{preset.seeds}",
        "hidden units": f"{preset.network.hidden}",
        "front end (filters; dense)": "; ".join(
            ", ".join(map(str, part)) for part in (front_end.filters, front_end.dense)
        )
        if front_end
        else "none",
        "steps": f"{training.steps:,}",
        "batch": f"{training.batch_size}",
        "learning rate": f"{training.learning_rate:g}",
        "readout": training.readout,
        "noise": f"bank of {training.bank}" if training.noise == "bank" else training.noise,
        "descent steps": f"{preset.slow_points.adam_steps:,}",
        "Hessians at most": f"{preset.slow_points.max_iterations}",
        "even snapshots": f"{preset.formation.snapshots}",
        "fine-tuning steps": f"{tuning.steps:,}",
        "fine-tuning rate": f"{tuning.learning_rate:g}",
    } | {f"lambda, {mode.replace('_', ' ')}": _lambda(settings, mode, tuning.lambda_) for mode in PENALTIES}


def _lambda(settings: dict[str, Any], mode: str, lambda_: float | dict[str, float]) -> str:
    if mode not in settings["modes"]:
        return "not run"
    return lambda_text(lambda_[mode] if isinstance(lambda_, dict) else lambda_)


def _claims(study: str, results: Path) -> pd.DataFrame:
    return read_table(results / f"reference-{study}/tables/claims.parquet")


def _questions(columns: Iterable[Iterable[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Every claim and question, in the order of the first column that has it."""
    place: dict[tuple[str, str], int] = {}
    for column in columns:
        for row in column:
            place.setdefault(row, len(place))
    return sorted(place, key=lambda row: (row[0], place[row]))


def _effect(row: Any) -> str:
    """An effect, with no line broken in its interval."""
    return interval(row.n, row.effect, row.low, row.high).replace(", ", ",\u00a0")


def _left(extrapolation: pd.DataFrame) -> pd.DataFrame:
    """Share of a cell's accuracy at the longest trained delay that is left at the longest, a column a mode."""
    counts = extrapolation.groupby([*CELL, "mode", "delay"])[["n_correct", "n_trials"]].sum()
    accuracy = (counts["n_correct"] / counts["n_trials"]).unstack("delay")
    return (accuracy[LONGEST] / accuracy[TRAINED_DELAY]).unstack("mode").reset_index()


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
