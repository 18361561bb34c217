"""What a study came to, as Markdown: `python -m slowpoints summary results/default`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from slowpoints.analysis.predictors import PREDICTORS
from slowpoints.core.schemas.kinds import CELL
from slowpoints.core.tables import read_table

CLAIMS = {
    "C1": "protocols reach similar nominal accuracy",
    "C2": "protocols differ in extrapolation (memory score)",
    "C3": "slow-point speed predicts extrapolation",
    "C4": "regularising speed slows points and prolongs memory",
    "C5": "protocols differ in how slow points form",
}
SIGNIFICANT = 3  # digits of an effect


def summary(folder: str | Path) -> str:
    """Networks, claims and predictors of a study.

    Args:
        folder: results/{study}.
    """
    tables = {path.stem: read_table(path) for path in (Path(folder) / "tables").glob("*.parquet")}
    parts = [
        "### Networks (test images)\n\n" + _networks(tables["networks"]),
        "### Claims, pooled\n\n" + _claims(tables["claims"]),
        "### C3 cell by cell\n\n" + _by_cell(tables["claims"]),
        "### Predictors of memory score (Spearman, within cells)\n\n" + _predictors(tables["correlations"]),
    ]
    return "\n".join(parts)


def _rows(head: str, rows: list[str]) -> str:
    ruler = "|---" * (head.count("|") - 1) + "|"
    return "\n".join([head, ruler, *rows, ""])


def _interval(effect: float, low: float, high: float) -> str:
    if pd.isna(effect):
        return "too few networks"
    return f"{effect:.{SIGNIFICANT}f} [{low:.{SIGNIFICANT}f}, {high:.{SIGNIFICANT}f}]"


def _p(p: float) -> str:
    return "" if pd.isna(p) else f"{p:.4f}" if p >= 1e-4 else "< 0.0001"


def _networks(networks: pd.DataFrame) -> str:
    rows = []
    for cell, of_cell in networks.groupby(CELL):
        accuracy, score, speed = (of_cell[name] for name in ("nominal_accuracy", "memory_score", "log10_speed"))
        rows.append(
            f"| {'/'.join(cell)} | {len(of_cell)} | {accuracy.mean():.3f} ({accuracy.min():.3f}) | "
            f"{score.mean():.3f} ± {score.std():.3f} | {of_cell['half_life'].median():.0f} | {speed.mean():.2f} |"
        )
    head = "| cell | n | nominal accuracy, mean (least) | memory score, mean ± SD | half-life, median | log10 speed |"
    return _rows(head, rows)


def _claims(claims: pd.DataFrame) -> str:
    pooled = claims[claims["verdict"].notna()]
    rows = [
        f"| {row.claim} {CLAIMS[row.claim]} | {row.scope} | {row.n} | {_interval(row.effect, row.low, row.high)} | "
        f"{_p(row.p)} | {row.verdict} |"
        for row in pooled.itertuples()
    ]
    return _rows("| claim | scope | n | effect [95 % interval] | p (Holm) | verdict |", rows)


def _by_cell(claims: pd.DataFrame) -> str:
    cells = claims[(claims["claim"] == "C3") & claims["verdict"].isna()]
    rows = [
        f"| {row.scope} | {row.n} | {_interval(row.effect, row.low, row.high)} | {_p(row.p_unadjusted)} |"
        for row in cells.itertuples()
    ]
    return _rows("| cell | n | Spearman [95 % interval] | p (unadjusted) |", rows)


def _predictors(correlations: pd.DataFrame) -> str:
    pooled = correlations[correlations[CELL].isna().all(axis=1) & (correlations["method"] == "spearman")]
    pooled = pooled.set_index(["predictor", "level"]).sort_index()
    rows = []
    for predictor in [name for name in PREDICTORS if name in pooled.index]:
        cells = []
        for level in ("network", "class"):
            row = pooled.loc[(predictor, level)]
            cells.append(f"{_interval(row['r'], row['low'], row['high'])} (n = {row['n']})")
        rows.append(f"| `{predictor}` | {' | '.join(cells)} |")
    return _rows("| predictor | over networks | over classes within networks |", rows)
