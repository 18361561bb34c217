"""Does the length of the authors' descent decide whether the speed of slow points predicts memory?

    python benchmarks/long_descent.py mnist-tenth --config reference/mnist-tenth/config.yaml

Takes the trained networks of a study that was run and descends anew from the same class centres in 100,000 steps (the
paper's; `--steps`), all else as the study did. Prints Spearman's correlation with memory score at each level for the
study's descent, the longer one and the deep search, with how much more strongly than the study's each predicts; writes
long_descent.parquet.
"""

from pathlib import Path

import pandas as pd
import torch
from _results import arguments, keep, markdown
from _study import ROOT, study_of

from slowpoints import correlations, load_images, load_networks
from slowpoints.analysis.aggregation import as_trained
from slowpoints.analysis.summary import rho
from slowpoints.core.modes import TRAINED
from slowpoints.core.presets.search import Search
from slowpoints.core.schemas.schema import CELL
from slowpoints.core.schemas.study import LEVELS
from slowpoints.core.tables import read_table
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.descent import descend
from slowpoints.dynamics.speed import SpeedResidual, reachable
from slowpoints.measures.centres import class_centres
from slowpoints.measures.points import point_table


def speeds(cell: tuple[str, ...], search: Search, steps: int, results: Path) -> pd.DataFrame:
    """Speed at the end of a descent of so many steps, of each class and network of a cell."""
    networks = load_networks(results.joinpath("networks", *cell, TRAINED))
    images = load_images(results.joinpath("datasets", cell[0], "train.parquet"))
    dynamics = Dynamics.of(networks)
    centres = class_centres(networks, dynamics, images, search)
    slow, _ = descend(SpeedResidual(dynamics), centres.state, *reachable(dynamics), steps=steps)
    table = point_table({"longer": dynamics.speed(slow)}, networks.seeds, images.classes, centres.exist)
    return table.assign(**dict(zip(CELL, cell, strict=True)))


def compared(longer: pd.DataFrame, tables: Path) -> pd.DataFrame:
    """Correlations with memory score, pooled: of the study's descent, of the longer one and of the deep search.

    The longer one's stands in the place of `speed_1000`, so that its difference from the study's is worked out, too.
    """
    names = ("networks", "extrapolation", "slow_points")
    table = {name: read_table(tables / f"{name}.parquet") for name in names}
    points = as_trained(table["slow_points"]).merge(longer, on=[*CELL, "seed", "label"], validate="1:1")
    points = points.assign(speed_1000=points.pop("longer"))
    found = correlations(table["networks"], as_trained(table["extrapolation"]), points)
    pooled = found[found[[*CELL]].isna().all(axis=1) & (found["method"] == "spearman")]
    kinds = {"log10_speed": "study's", "log10_speed_1000": "longer", "log10_deep_speed": "deep search"}
    medians = {"study's": points["speed"], "longer": points["speed_1000"], "deep search": points["deep_speed"]}
    pooled = pooled.assign(descent=pooled["predictor"].map(kinds)).dropna(subset="descent")
    pooled = pooled.assign(median_speed=pooled["descent"].map(lambda kind: medians[kind].median()))
    columns = ["descent", "median_speed", "level", "n", "r", "low", "high"]
    return pooled[[*columns, "difference", "difference_low", "difference_high"]].reset_index(drop=True)


def table_of(table: pd.DataFrame) -> str:
    """In Markdown."""
    rows = []
    for (descent, median), levels in table.groupby(["descent", "median_speed"], sort=False):
        by_level = levels.set_index("level")
        rows.append([descent, f"{median:.1e}", *(rho(by_level.loc[level]) for level in LEVELS)])
    return markdown(rows, ["descent", "median speed", *LEVELS.values()])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("dataset", help="a preset whose networks have been trained and measured")
    parser.add_argument("--config", type=Path, help="the study's configuration")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of the networks")
    parser.add_argument("--steps", type=int, default=100_000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    study = study_of([args.dataset], args.config)
    search = study.presets[args.dataset].slow_points
    longer = []
    for cell in study.cells():
        longer.append(speeds(cell, search, args.steps, args.results))
        print(*cell, f"median speed {longer[-1]['longer'].median():.1e}", flush=True)
    table = compared(pd.concat(longer, ignore_index=True), args.results / study.name / "tables")
    keep(table, args.output)
    print(table_of(table))
