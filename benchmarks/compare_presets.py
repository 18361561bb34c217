"""Two presets that should give the same networks: whether they come out the same.

    snakemake --cores 2 --configfile benchmarks/noise_bank.yaml
    python benchmarks/compare_presets.py results/noise-bank digits digits-fresh

Bank against fresh noise, as above; float32 against tf32 on a GPU with benchmarks/precision.yaml. For each cell the
difference of means over networks, first less second, with Welch's 95 % interval, beside the standard deviation between
networks trained alike. Prints a table in Markdown.
"""

from pathlib import Path

import pandas as pd
from _results import arguments, keep, markdown
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


def table_of(table: pd.DataFrame) -> str:
    """In Markdown."""
    first, second = table.columns[3:5]
    rows = []
    for row in table.to_dict("records"):
        numbers = [f"{row[name]:.3f}" for name in (first, second, "sd")]
        difference = f"{row['difference']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        rows.append([row["cell"], row["measure"].replace("_", " "), row["n"], *numbers, difference])
    return markdown(rows, ["cell", "measure", "n", first, second, "SD between networks", "difference [95 % interval]"])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("study", type=Path, help="folder of a finished study")
    parser.add_argument("first", help="a preset")
    parser.add_argument("second", help="the preset it is compared with")
    args = parser.parse_args()
    networks = pd.read_parquet(args.study / "tables/networks.parquet")
    table = compared(networks, args.first, args.second)
    keep(table, args.output)
    print(table_of(table))
