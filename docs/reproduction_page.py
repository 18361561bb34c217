"""Tables of docs/reproduction.md, written in place from reference/ by `make results`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from origins import REFERENCE, origin, revision_text
from results_page import RESULTS, ROOT, compares_units, searches, studies, unbroken
from units_page import units

from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.wording import asked
from slowpoints.analysis.lambdas import at_chosen_lambdas
from slowpoints.core.config import read_yaml
from slowpoints.core.costs import seconds_per_network
from slowpoints.core.modes import CONTROL, RIVALS, lambda_text
from slowpoints.core.presets.preset import Preset
from slowpoints.core.schemas.schema import CELL
from slowpoints.core.tables import read_table
from slowpoints.study import read_study

PAGE = ROOT / "docs/reproduction.md"
MARKED = re.compile(r"(<!-- table (\w+), by `make results` -->\n\n).*?(\n<!-- end of table -->)", re.DOTALL)
PAPER = ("mnist", "cifar10")
PENALTIES = ("slow_points", "centre_of_mass", "settled", "path")
LEFT = (CONTROL, "settled", "path")
"""Modes whose accuracy at the longest delay the table of cells gives."""
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
        "rivals": lambda: rivals(results),
        "units": lambda: _table(*units([name for name in studies() if compares_units(name)], results)),
        "origins": origins,
        "settings": settings,
    }
    marked = [name for _, name, _ in MARKED.findall(text)]
    if sorted(marked) != sorted(tables):
        raise ValueError(f"{PAGE} has the tables {marked}; it must have {sorted(tables)}, each once")
    return MARKED.sub(lambda place: place[1] + tables[place[2]]() + place[3], text)


def with_the_papers_units() -> list[str]:
    """Finished studies with the paper's units alone, which the tables of claims, cells and settings are about."""
    return [name for name in studies() if not compares_units(name)]


def claims(results: Path) -> str:
    """The effect and verdict of each question, a row each, on each data set of the finished studies, a column each."""
    columns: dict[str, dict[tuple[str, str], str]] = {}
    for name in with_the_papers_units():
        networks = read_table(REFERENCE / name / "networks.parquet")
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
    for name in with_the_papers_units():
        births = _claims(name, results).query("claim == 'C5' and question == 'mean' and measure == @MERGED")
        merged = {(row.dataset, row.architecture, row.protocol): _effect(row) for row in births.itertuples()}
        left = _left(name)
        for cell, of_cell in left.groupby(CELL):
            shares = [f"{of_cell[mode].iloc[0]:.2f}" if mode in of_cell else "not run" for mode in LEFT]
            rows.append([f"{name}: {'/'.join(cell)}", merged.get(cell, "not measured"), *shares])
    share = all_claims()["C5"].measures[MERGED]
    lefts = [f"the same, {mode}" for mode in LEFT[1:]]
    return _table(["study, cell", share, f"accuracy left at {LONGEST:,} frames, {LEFT[0]}", *lefts], rows)


def rivals(results: Path) -> str:
    """What each mode of fine-tuning gained and cost, on each data set of the studies with rivals of our penalties."""
    rows = []
    for name in studies():
        claims, costs = with_verdict(_claims(name, results)), REFERENCE / name / "costs.csv"
        if not (set(claims["rival"]) & set(RIVALS) and costs.is_file()):
            continue
        seconds, left = seconds_per_network(pd.read_csv(costs)), _left(name)
        effects = claims[claims["claim"] == "C4"].dropna(subset="dataset").set_index(["dataset", "mode", "measure"])
        gains = effects.xs("memory_score", level="measure").sort_values("effect", ascending=False)
        for row in gains.sort_index(level="dataset", sort_remaining=False).reset_index().itertuples():
            shares = left.loc[left["dataset"] == row.dataset, row.mode]
            cost = effects.loc[(row.dataset, row.mode, "nominal_accuracy")]
            relative = seconds[row.dataset, row.mode, row.lambda_] / seconds[row.dataset, CONTROL, 0.0]
            rows.append(
                [
                    f"{row.dataset}: {row.mode}",
                    _chosen(row.lambda_, seconds.loc[row.dataset, row.mode].index),
                    _effect(row),
                    _effect(cost),
                    f"{shares.min():.2f} to {shares.max():.2f}",
                    f"{relative:.1f}",
                ]
            )
    head = ["data set: mode", "lambda", "memory score gained", "nominal accuracy changed"]
    head += [f"accuracy left at {LONGEST:,} frames, by cell", "time relative to control"]
    return _table(head, rows)


def _chosen(lambda_: float, tried: pd.Index) -> str:
    """A lambda, and of which it was chosen if several were tried."""
    text = lambda_text(lambda_)
    return f"{text} of {', '.join(map(lambda_text, sorted(tried)))}" if len(tried) > 1 else text


def origins() -> str:
    """Where the tables of each study come from, and how far their deep search went."""
    rows = []
    for name in studies():
        source = origin(name)
        rows.append([f"`{name}`", revision_text(source), f"at most {searches(name)}", source.legacy or "none"])
    head = ["study", "code revision", "deep search", "remarks"]
    return _table(head, rows)


def settings() -> str:
    """The settings of these studies beside those of the paper's presets."""
    paper = read_study(read_yaml(ROOT / "config/paper.yaml") | {"data_dir": None}, name="config/paper.yaml")
    columns = {f"paper: {name}": _settings(paper.settings(), name) for name in PAPER}
    for name in with_the_papers_units():
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


def _lambda(settings: dict[str, Any], mode: str, lambda_: Any) -> str:
    if mode not in settings["modes"]:
        return "not run"
    values = lambda_[mode] if isinstance(lambda_, dict) else lambda_
    return ", ".join(map(lambda_text, values if isinstance(values, (list, tuple)) else [values]))


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
    return unbroken(row.n, row.effect, row.low, row.high)


def _left(study: str) -> pd.DataFrame:
    """Share of a cell's accuracy at the longest trained delay that is left at the longest, a column a mode.

    Of a mode with several lambdas, networks with the chosen one.
    """
    validation = REFERENCE / study / "validation.parquet"
    chosen = at_chosen_lambdas(
        read_table(REFERENCE / study / "extrapolation.parquet"),
        read_table(validation) if validation.is_file() else None,
    )
    counts = chosen.groupby([*CELL, "mode", "delay"])[["n_correct", "n_trials"]].sum()
    accuracy = (counts["n_correct"] / counts["n_trials"]).unstack("delay")
    return (accuracy[LONGEST] / accuracy[TRAINED_DELAY]).unstack("mode").reset_index()


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
