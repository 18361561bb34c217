"""Memory at delays far beyond those of the study, of networks fine-tuned by `settled` and by `control`.

    python benchmarks/long_delays.py digits glyphs

Takes the fine-tuned networks of the default study, or another's, and measures them on fewer test images out to 10,000
frames. Prints for each cell and mode the accuracy left at each delay, relative to that at delay 19, and the half-life
(median; `beyond` where more than half of the networks never cross); writes long_delays.parquet.
"""

from pathlib import Path

import pandas as pd
import torch
from _results import arguments, keep, markdown
from _study import ROOT, study_of

from slowpoints import load_images, load_networks, measure_memory
from slowpoints.analysis.aggregation import accuracy_by_delay, memory_measures
from slowpoints.core.modes import CONTROL
from slowpoints.core.presets.memory import Memory
from slowpoints.core.schemas.schema import CELL
from slowpoints.task.timing import FRAMES

MODES = (CONTROL, "settled")
TRAINED = FRAMES - 1
DELAYS = (TRAINED, FRAMES, 100, 300, 1000, 2000, 3000, 5000, 10_000)
TRIALS_A_CLASS = 10


def measured(cell: tuple[str, ...], mode: str, memory: Memory, results: Path) -> pd.DataFrame:
    """Retrieval of a cell's networks in a mode: the columns of `measure_memory`, the cell and the mode."""
    images = load_images(results.joinpath("datasets", cell[0], "test.parquet"))
    networks = load_networks(results.joinpath("networks", *cell, mode))
    trials = TRIALS_A_CLASS * images.classes
    bank = max(memory.bank, max(DELAYS) + 1)  # no frame twice in a trial
    table = measure_memory(networks, images, delays=DELAYS, n_images=trials, noise=memory.noise, bank=bank)
    return table.assign(**dict(zip(CELL, cell, strict=True)), mode=mode)


def left(table: pd.DataFrame) -> pd.Series:
    """Of the networks of one cell and mode: accuracy left at each delay, and the half-life."""
    accuracy = accuracy_by_delay(table, ["seed"])
    share = accuracy.div(accuracy[TRAINED], axis=0).mean()
    lives = memory_measures(table, ["seed"])["half_life"].fillna(float("inf"))
    text = "beyond" if lives.median() == float("inf") else f"{lives.median():.0f}"
    return pd.concat([share[[delay for delay in DELAYS if delay >= 100]], pd.Series({"half-life": text})])


def table_of(table: pd.DataFrame) -> str:
    """In Markdown: a row a cell and mode."""
    shares = table.groupby([*CELL, "mode"], sort=False).apply(left, include_groups=False)
    rows = [
        ["/".join(cell), mode, *(f"{share:.2f}" for share in row.iloc[:-1]), row.iloc[-1]]
        for (*cell, mode), row in shares.iterrows()
    ]
    delays = [f"{delay:,}" for delay in DELAYS if delay >= 100]
    return markdown(rows, ["cell", "after", *delays, "half-life"])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("datasets", nargs="+", help="presets whose networks have been fine-tuned")
    parser.add_argument("--config", type=Path, help="a configuration, for its cells and presets")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of the networks")
    args = parser.parse_args()
    torch.set_num_threads(1)
    study = study_of(args.datasets, args.config)
    tables = []
    for cell in study.cells():
        for mode in MODES:
            tables.append(measured(cell, mode, study.presets[cell[0]].memory, args.results))
            print(*cell, mode, left(tables[-1])["half-life"], flush=True)
    table = pd.concat(tables, ignore_index=True)
    keep(table, args.output)
    print(table_of(table))
