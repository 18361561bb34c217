"""The table of recurrent units in docs/reproduction.md, from studies that compare more than the paper's two."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from origins import REFERENCE
from results_page import unbroken

from slowpoints.analysis.claims.rows import Excluded, Row, Subject, unit_scopes
from slowpoints.analysis.claims.tunings import gained
from slowpoints.analysis.lambdas import at_chosen_lambdas
from slowpoints.core.modes import CONTROL
from slowpoints.core.schemas.schema import CELL, NETWORK
from slowpoints.core.tables import read_table
from slowpoints.networks import units as recurrent_units

PREDICTED = {
    ("log10_speed", "mixed"): "speed, protocols mixed",
    ("log10_speed", "network"): "speed, within cells",
    ("log10_deep_speed", "mixed"): "deep speed, protocols mixed",
    ("protocol_label", "mixed"): "name of the protocol",
}
"""Correlations with memory that the table gives: predictor and level, and its name."""
GAINS = (
    ("memory_score", "slow_points", CONTROL),
    ("memory_score", "path", CONTROL),
    ("memory_score", "path", "slow_points"),
    ("nominal_accuracy", "slow_points", CONTROL),
    ("nominal_accuracy", "path", CONTROL),
)
"""What the table compares: a measure, a mode and its rival."""


def units(studies: list[str], results: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table: a row for each unit of each data set, the one with the longest memory first.

    Args:
        studies: names of studies in reference/ that compare units.
        results: holds reference-{study}/tables.
    """
    head = ["data set: unit", "learned", "nominal accuracy", "memory score ± SD", "allowed by the spectrum in noise"]
    head += [f"rho with memory: {name}" for name in PREDICTED.values()]
    head += [f"{measure.replace('_', ' ')}: {mode} − {rival}" for measure, mode, rival in GAINS]
    return head, [row for name in studies for row in _rows(name, results)]


def _rows(study: str, results: Path) -> list[list[str]]:
    networks, tuned = read_table(REFERENCE / study / "networks.parquet"), _tuned(study)
    correlations = read_table(results / f"reference-{study}/tables/correlations.parquet")
    excluded = Excluded(networks)
    gains = [_by_unit(_gains(tuned, *what, excluded)) for what in GAINS]
    by_unit = networks.groupby(CELL[:2], sort=False)
    order = by_unit["memory_score"].mean().sort_values(ascending=False, kind="stable").index
    rows = []
    for place in order:
        of_unit = by_unit.get_group(place)
        memory, allowed = of_unit["memory_score"], of_unit["spectral_score"].mean()
        rows.append(
            [
                f"{place[0]}: {recurrent_units.units()[place[1]].look.label}",
                f"{of_unit['learned'].sum()} of {len(of_unit)}",
                f"{of_unit['nominal_accuracy'].mean():.3f}",
                f"{memory.mean():.3f} ± {memory.std():.3f}",
                "-" if pd.isna(allowed) else f"{allowed:.3f}",
                *(_correlation(correlations, place, *what) for what in PREDICTED),
                *(by_place.get(place, "none learned") for by_place in gains),
            ]
        )
    return rows


def _tuned(study: str) -> pd.DataFrame:
    """Fine-tuned networks that learned, at the lambdas that were chosen."""
    folder = REFERENCE / study
    networks, tuned = (read_table(folder / f"{name}.parquet") for name in ("networks", "regularisation"))
    tuned = tuned.merge(networks.loc[networks["learned"], NETWORK], on=NETWORK)
    validation = folder / "validation.parquet"
    return at_chosen_lambdas(tuned, read_table(validation) if validation.is_file() else None)


def _gains(tuned: pd.DataFrame, measure: str, mode: str, rival: str, excluded: Excluded) -> list[Row]:
    about = Subject("C4", "prolong", measure, mode=mode, rival=rival, stratum="cell")
    of_mode, of_rival = (tuned[tuned["mode"] == name] for name in (mode, rival))
    return list(gained(about, of_mode, of_rival, excluded, claimed="positive", scopes=unit_scopes))


def _by_unit(rows: list[Row]) -> dict[tuple[str | None, str | None], str]:
    """Effect and interval of the rows that pool the protocols of a unit."""
    pooled = (row for row in rows if row.subject.protocol is None)
    return {(row.subject.dataset, row.subject.architecture): unbroken(*row.outcome[:4]) for row in pooled}


def _correlation(correlations: pd.DataFrame, place: tuple[str, str], predictor: str, level: str) -> str:
    """Spearman's correlation over the networks of a unit, of both protocols."""
    rows = correlations.query(
        "method == 'spearman' and predictor == @predictor and level == @level and protocol.isna()"
    )
    rows = rows[(rows["dataset"] == place[0]) & (rows["architecture"] == place[1])]
    return unbroken(*rows[["n", "r", "low", "high"]].iloc[0]) if len(rows) else "-"
