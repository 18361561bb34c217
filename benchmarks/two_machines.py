"""A study run here and the same one run elsewhere: how far its networks differ when all but the machine is the same.

    python benchmarks/two_machines.py results/embedded/tables/networks.parquet reference/embedded/networks.parquet

Both of the same code and settings: a table's metadata name its revision. Rounding differs between processors, and
training may make more of it at each step. For each cell and measure that both tables have: mean difference, here less
there, of networks in pairs by seed with its 95 % interval (t), how alike pairs are (Pearson's r), and the standard
deviation between seeds to judge it by.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from _results import arguments, keep, markdown
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from slowpoints.core.schemas.schema import CELL, NETWORK
from slowpoints.core.tables import read_facts

MEASURES = ("nominal_accuracy", "memory_score", "log10_speed", "log10_lifetime")


def compared(here: pd.DataFrame, there: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell and measure, of networks that both tables `networks` have."""
    pairs = here.merge(there, on=NETWORK, suffixes=("_here", "_there"), validate="1:1")
    rows = []
    for cell, networks in pairs.groupby(CELL):
        for measure in MEASURES:
            one, other = (networks[f"{measure}_{side}"].to_numpy() for side in ("here", "there"))
            low, high = DescrStatsW(one - other).tconfint_mean()
            alike = stats.pearsonr(one, other).statistic if min(np.ptp(one), np.ptp(other)) > 0 else np.nan
            rows.append(
                {"cell": "/".join(cell), "measure": measure, "n": len(networks), "here": one.mean()}
                | {"there": other.mean(), "sd": other.std(ddof=1), "r": alike, "equal": int((one == other).sum())}
                | {"difference": (one - other).mean(), "low": low, "high": high}
            )
    return pd.DataFrame(rows)


def table_of(table: pd.DataFrame) -> str:
    """In Markdown."""
    rows = []
    for row in table.to_dict("records"):
        numbers = [f"{row[name]:.3f}" for name in ("here", "there", "sd")]
        difference = f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
        leading = [row["cell"], row["measure"].replace("_", " "), row["n"], *numbers, difference]
        rows.append([*leading, f"{row['r']:.2f}", row["equal"]])
    between = ["SD between seeds", "difference [95 % interval]", "r of pairs", "equal"]
    return markdown(rows, ["cell", "measure", "n", "here", "there", *between])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("here", type=Path, help="table networks of the run on this machine")
    parser.add_argument("there", type=Path, help="that of the other")
    args = parser.parse_args()
    for side in (args.here, args.there):
        print(f"{side}: code {read_facts(side).get('code_revision')}")
    table = compared(pd.read_parquet(args.here), pd.read_parquet(args.there))
    keep(table, args.output)
    print(table_of(table))
