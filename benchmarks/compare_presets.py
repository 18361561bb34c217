"""Two presets that should give the same networks: whether they come out the same.

    snakemake --cores 2 --configfile benchmarks/noise_bank.yaml
    python benchmarks/compare_presets.py results/noise-bank digits digits-fresh

Bank against fresh noise, as above; float32 against tf32 on a GPU with benchmarks/precision.yaml. For each cell the
difference of means over networks, first less second, with Welch's 95 % interval, beside the standard deviation between
networks trained alike. Prints a table in Markdown.
"""

import argparse
from pathlib import Path

import pandas as pd
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

MEASURES = ("nominal_accuracy", "memory_score", "log10_speed", "log10_lifetime")


def compared(networks: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """A row for each cell and measure of the table `networks`."""
    rows = []
    for cell, of_cell in networks.groupby(["architecture", "protocol"]):
        for measure in MEASURES:
            one, other = (of_cell.loc[of_cell["dataset"] == name, measure] for name in (first, second))
            low, high = CompareMeans(DescrStatsW(one), DescrStatsW(other)).tconfint_diff(usevar="unequal")
            row = {"cell": "/".join(cell), "measure": measure, "n": f"{len(one)} + {len(other)}"}
            row |= {first: one.mean(), second: other.mean(), "sd": other.std()}
            rows.append(row | {"difference": one.mean() - other.mean(), "low": low, "high": high})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="folder of a finished study")
    parser.add_argument("first", help="a preset")
    parser.add_argument("second", help="the preset it is compared with")
    given = parser.parse_args()
    networks = pd.read_parquet(given.study / "tables/networks.parquet")
    print(compared(networks, given.first, given.second).round(3).to_markdown(index=False))
