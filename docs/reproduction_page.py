"""Tables of docs/reproduction.md, written where they stand, from reference/ and the presets: `make results`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from results_page import RESULTS, ROOT, studies

from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.wording import asked, interval
from slowpoints.core.modes import lambda_text
from slowpoints.core.presets.preset import Preset
from slowpoints.core.schemas.schema import CELL
from slowpoints.core.tables import read_table
from slowpoints.study import Study, read_study

PAGE = ROOT / "docs/reproduction.md"
BLOCK = re.compile(r"(<!-- table (\w+), by `make results` -->\n\n).*?(\n<!-- end of table -->)", re.DOTALL)
PAPER = ("mnist", "cifar10")
MERGED = "merged_share"
TRAINED_DELAY, LONGEST = 19, 1000


def page(text: str, results: Path = RESULTS) -> str:
    """The page with its tables written anew.

    Args:
        text: the page; between its marks stand the tables.
        results: holds reference-{study}/tables.

    Raises:
        ValueError: if a table has no place on the page.
    """
    tables = {"claims": lambda: claims(results), "cells": lambda: cells(results), "settings": settings}
    there = [name for _, name, _ in BLOCK.findall(text)]
    if sorted(there) != sorted(tables):
        raise ValueError(f"{PAGE} has the tables {there}; it must have {sorted(tables)}, each once")
    return BLOCK.sub(lambda block: block[1] + tables[block[2]]() + block[3], text)


def claims(results: Path) -> str:
    """What each data set of the finished studies says to each claim: a row a question, a column a data set."""
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
        rows.append([title, question, *(found.get((claim, question), "not measured") for found in columns.values())])
    return _table(["claim", "question", *columns], rows)


def cells(results: Path) -> str:
    """Births, and what is left of accuracy at the longest delay, of each cell of networks with all modes."""
    rows = []
    for name in studies():
        found = _claims(name, results).query("claim == 'C5' and question == 'mean' and measure == @MERGED")
        merged = {(row.dataset, row.architecture, row.protocol): _effect(row) for row in found.itertuples()}
        left = _left(read_table(ROOT / f"reference/{name}/extrapolation.parquet"))
        for cell, of_cell in left.groupby(CELL):
            shares = [
                f"{of_cell[mode].iloc[0]:.2f}" if mode in of_cell else "not run" for mode in ("control", "settled")
            ]
            rows.append([f"{name}: {'/'.join(cell)}", merged.get(cell, "not measured"), *shares])
    share = all_claims()["C5"].measures[MERGED]
    head = ["study, cell", share, f"accuracy left at {LONGEST:,} frames, control", "the same, settled"]
    return _table(head, rows)


def settings() -> str:
    """What the finished studies do otherwise than the paper's presets."""
    study = _study({"datasets": list(PAPER), "data_dir": None})
    presets = {f"paper: {name}": (study.presets[name], study.seeds(name)) for name in PAPER}
    for name in studies():
        config = yaml.safe_load((ROOT / f"reference/{name}/config.yaml").read_text(encoding="utf-8"))
        study = _study(config)
        presets |= {dataset: (preset, study.seeds(dataset)) for dataset, preset in study.presets.items()}
    columns = [_settings(preset, seeds) for preset, seeds in presets.values()]
    return _table(["setting", *presets], [[name, *(column[name] for column in columns)] for name in columns[0]])


def _settings(preset: Preset, seeds: int) -> dict[str, str]:
    training, tuning = preset.training, preset.regularisation
    front_end = preset.network.front_end
    lambdas = tuning.lambda_ if isinstance(tuning.lambda_, dict) else {"all": tuning.lambda_}
    return {
        "networks a cell": f"{seeds}",
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
        "lambda, slow points": lambda_text(lambdas["slow_points"]),
        "lambda, settled": lambda_text(lambdas["settled"]),
    }


def _study(config: dict) -> Study:
    """A checked configuration; a path of files is not looked for."""
    return read_study(config, name="reference")


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
