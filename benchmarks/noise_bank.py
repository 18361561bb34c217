"""A bank of noise frames against fresh noise: whether networks come out the same.

    snakemake --cores 2 --configfile benchmarks/noise_bank.yaml
    python benchmarks/noise_bank.py

For each cell the difference of means over networks, bank less fresh, with Welch's 95 % interval, beside the standard
deviation between networks trained alike. Prints a table in Markdown.
"""

from pathlib import Path

import pandas as pd
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

TABLE = Path(__file__).resolve().parent.parent / "results/noise-bank/tables/networks.parquet"
MEASURES = ("nominal_accuracy", "memory_score", "log10_speed", "log10_lifetime")


def compared(networks: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell and measure."""
    rows = []
    for cell, own in networks.groupby(["architecture", "protocol"]):
        for measure in MEASURES:
            bank, fresh = (own.loc[own["dataset"] == name, measure] for name in ("digits", "digits-fresh"))
            low, high = CompareMeans(DescrStatsW(bank), DescrStatsW(fresh)).tconfint_diff(usevar="unequal")
            row = {"cell": "/".join(cell), "measure": measure, "n": f"{len(bank)} + {len(fresh)}"}
            row |= {"bank": bank.mean(), "fresh": fresh.mean(), "sd": fresh.std()}
            rows.append(row | {"difference": bank.mean() - fresh.mean(), "low": low, "high": high})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    print(compared(pd.read_parquet(TABLE)).round(3).to_markdown(index=False))
