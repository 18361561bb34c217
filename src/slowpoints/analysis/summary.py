"""The results of a study as Markdown: `slowpoints summary results/default`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from slowpoints.analysis.aggregation import as_trained
from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.wording import interval, p_value
from slowpoints.analysis.findings import counted, overall, pooled, studied
from slowpoints.analysis.lambdas import at_chosen_lambdas
from slowpoints.analysis.predicted_lifetimes import NOISE_FREE, NOISY, prediction_errors
from slowpoints.analysis.predictors import KNOWN
from slowpoints.core.modes import lambda_text
from slowpoints.core.schemas.schema import CELL
from slowpoints.core.schemas.study import LEVELS
from slowpoints.core.tables import read_table


def summary(folder: str | Path) -> str:
    """Networks, claims, fine-tuning and predictors of a study.

    Args:
        folder: results/{study}.
    """
    tables = {path.stem: read_table(path) for path in (Path(folder) / "tables").glob("*.parquet")}
    parts = [
        "### Networks (test images)\n\n" + _networks(tables["networks"]),
        "### Claims, pooled\n\n" + _claims(tables["claims"]),
        "### C3 in parts\n\n" + _by_cell(tables["claims"]),
        "### Predictors of memory score (Spearman)\n\n" + _predictors(tables["correlations"]),
    ]
    if lifetimes := _lifetimes(tables):
        parts.append("### Half-lives of single memories, predicted and measured\n\n" + lifetimes)
    if len(chosen := at_chosen_lambdas(tables["regularisation"], tables.get("validation"))):
        parts.insert(2, "### Fine-tuning, cell by cell\n\n" + _tuned(chosen))
    return "\n".join(parts)


def brief(folder: str | Path) -> str:
    """The outcome of a study in a few lines, and which files to open.

    Args:
        folder: results/{study}.
    """
    claims, networks = (read_table(Path(folder) / f"tables/{name}.parquet") for name in ("claims", "networks"))
    pages = {"report.html": "the report", "explorer.html": "any network", "figures": "the figures"}
    to_open = [f"{Path(folder) / page} ({what})" for page, what in pages.items() if (Path(folder) / page).exists()]
    lines = [studied(networks), *counted(overall(pooled(claims)))]
    return "\n".join([*lines, f"Open {', '.join(to_open)}."] if to_open else lines)


def _rows(head: str, rows: list[str]) -> str:
    ruler = "|---" * (head.count("|") - 1) + "|"
    return "\n".join([head, ruler, *rows, ""])


def _networks(networks: pd.DataFrame) -> str:
    rows = []
    speeds = [name for name in ("log10_speed", "log10_settled_speed") if name in networks]
    for cell, of_cell in networks.groupby(CELL):
        accuracy, score = of_cell["nominal_accuracy"], of_cell["memory_score"]
        half_life = of_cell["half_life"].fillna(np.inf).median()  # one that is never reached counts as infinite
        rows.append(
            f"| {'/'.join(cell)} | {len(of_cell)} | {accuracy.mean():.3f} ({accuracy.min():.3f}) | "
            f"{score.mean():.3f} ± {score.std():.3f} | {'beyond' if np.isinf(half_life) else f'{half_life:.0f}'} | "
            + "".join(f"{of_cell[speed].mean():.2f} | " for speed in speeds).rstrip()
        )
    head = "| cell | n | nominal accuracy, mean (least) | memory score, mean ± SD | half-life, median | "
    return _rows(head + "".join(f"{speed.replace('_', ' ')} | " for speed in speeds).rstrip(), rows)


def _tuned(table: pd.DataFrame) -> str:
    """Mean memory score and accuracy of each cell before and after each mode, at the chosen lambda in a sweep."""
    rows = []
    for (*cell, mode, lambda_), networks in table.groupby([*CELL, "mode", "lambda"]):
        score, accuracy = (
            f"{networks[f'{name}_before'].mean():.3f} → {networks[f'{name}_after'].mean():.3f}"
            for name in ("memory_score", "nominal_accuracy")
        )
        rows.append(f"| {'/'.join(cell)} | {mode} {lambda_text(lambda_)} | {len(networks)} | {score} | {accuracy} |")
    return _rows("| cell | mode, lambda | n | memory score | nominal accuracy |", rows)


def _claims(claims: pd.DataFrame) -> str:
    rows = [
        f"| {row.claim} {all_claims()[row.claim].title} | {row.scope} | {row.n} | "
        f"{interval(row.n, row.effect, row.low, row.high)} | {p_value(row.p)} | {row.verdict} |"
        for row in with_verdict(claims).itertuples()
    ]
    return _rows("| claim | scope | n | effect [95 % interval] | p (Holm) | verdict |", rows)


def _by_cell(claims: pd.DataFrame) -> str:
    cells = claims[(claims["claim"] == "C3") & claims["verdict"].isna()]
    rows = [
        f"| {row.scope} | {row.n} | {interval(row.n, row.effect, row.low, row.high)} | {p_value(row.p_unadjusted)} |"
        for row in cells.itertuples()
    ]
    return _rows("| scope | n | Spearman, or its mean over networks [95 % interval] | p (unadjusted) |", rows)


def _predictors(correlations: pd.DataFrame) -> str:
    """Correlations at each level, for each data set and over all, and their differences from that of `log10_speed`."""
    pooled = correlations[correlations[["architecture", "protocol"]].isna().all(axis=1)]
    pooled = pooled[pooled["method"] == "spearman"].assign(dataset=pooled["dataset"].fillna("all"))
    by_row = pooled.set_index(["dataset", "predictor", "level"]).sort_index()
    rows = []
    datasets = sorted(set(pooled["dataset"]), key=lambda name: (name == "all", name))
    for dataset in datasets if len(datasets) > 2 else datasets[:1]:  # "all" would repeat a single data set
        for predictor in KNOWN:
            keys = [(dataset, predictor, level) for level in LEVELS]
            cells = [rho(by_row.loc[key]) if key in by_row.index else "" for key in keys]
            if any(cells):
                rows.append(f"| {dataset} | `{predictor}` | {' | '.join(cells)} |")
    levels = " | ".join(LEVELS.values())
    return _rows(f"| data set | predictor | {levels} |", rows)


def _lifetimes(tables: dict[str, pd.DataFrame]) -> str:
    """How far predicted half-lives are from measured ones; empty if the study predicted none."""
    if not {"extrapolation", "slow_points"} <= set(tables):
        return ""
    errors = prediction_errors(
        tables["networks"], *(as_trained(tables[name]) for name in ("extrapolation", "slow_points"))
    )
    names = {NOISY: "in noise", NOISE_FREE: "without noise"}
    rows = [
        f"| {'/'.join(row[:3])} | {names[row.prediction]} | {row.n} | {row.factor:.2f} "
        f"[{row.factor_low:.2f}, {row.factor_high:.2f}] | {row.ratio:.2f} |"
        for row in errors.itertuples(index=False)
    ]
    head = "| cell | prediction | memories | factor off, median [95 % interval] | predicted / measured, median |"
    return _rows(head, rows) if rows else ""


def rho(row: pd.Series) -> str:
    """A correlation with its interval and, after a semicolon, its difference from that of `log10_speed`, if known."""
    text = interval(row["n"], row["r"], row["low"], row["high"])
    if pd.isna(row.get("difference")):
        return text
    return f"{text}; {row['difference']:+.2f} [{row['difference_low']:+.2f}, {row['difference_high']:+.2f}]"
