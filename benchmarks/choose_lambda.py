"""Sweep of lambda on the validation images: how a preset's values were chosen, before any test image was looked at.

    python benchmarks/choose_lambda.py digits glyphs
    python benchmarks/choose_lambda.py mnist-small --config config/mnist.yaml --modes settled --seeds 3

Takes trained networks, of the default study or another, all of a cell or the first few, and fine-tunes them with ever
larger lambdas, mode by mode, until accuracy falls. The rule: the largest lambda before the first with which, in any
cell, mean nominal accuracy on the validation images is more than 0.005 below control's. Memory plays no part in it.
(Studies that sweep lambda choose it from their table `validation` by the rule of `analysis/lambdas.py`.)
Writes choose_lambda.parquet beside the table it prints.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch
from _results import arguments, keep, markdown
from _study import ROOT, study_of

from slowpoints import Networks, load_images, load_networks, measure_accuracy
from slowpoints.core.modes import CONTROL, TRAINED
from slowpoints.core.schemas.schema import CELL
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.training.fine_tuning import regularise

OF_NOISE = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)
LAMBDAS = {
    "slow_points": OF_NOISE,
    "centre_of_mass": OF_NOISE,
    "settled": (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000),
    "path": (1, 3, 10, 30, 100, 300, 1000, 3000),
}
LOSS_ALLOWED = 0.005
N_TRIALS = 2000


class Sweep:
    """Fine-tuning of all cells of a data set, judged on the validation images.

    Args:
        dataset: preset whose networks have been trained.
        config: a configuration, for its cells and presets; None for the defaults.
        results: folder of the study's results.
        lambdas: of each mode, ascending.
        seeds: networks of each cell; None for all that are there.
    """

    def __init__(
        self,
        dataset: str,
        config: Path | None,
        results: Path,
        lambdas: Mapping[str, Sequence[float]],
        seeds: int | None,
    ):
        study = study_of([dataset], config)
        self.preset, self.lambdas, self.rows = study.presets[dataset], lambdas, []
        self.seeds = seeds
        self.train, self.valid = (
            load_images(results / "datasets" / dataset / f"{part}.parquet") for part in ("train", "valid")
        )
        self.cells = {cell: self._trained(results.joinpath("networks", *cell, TRAINED)) for cell in study.cells()}

    def run(self) -> dict[str, float | None]:
        """The largest harmless lambda of each mode; None if there is none."""
        control = {cell: self._accuracy(cell, CONTROL, 0.0) for cell in self.cells}
        found: dict[str, float | None] = dict.fromkeys(self.lambdas)
        for mode, lambdas in self.lambdas.items():
            for lambda_ in lambdas:
                lost = [control[cell] - self._accuracy(cell, mode, lambda_) for cell in self.cells]
                if max(lost) > LOSS_ALLOWED:
                    break
                found[mode] = lambda_
        return found

    def _trained(self, folder: Path) -> tuple[Networks, pd.DataFrame]:
        networks = load_networks(folder)
        networks = networks.select(networks.seeds[: self.seeds])
        points = pd.concat([pd.read_parquet(path) for path in folder.glob("*/slow_points.parquet")])
        points = points[points["seed"].isin(networks.seeds)]
        return networks, points.sort_values(["seed", "label"], ignore_index=True)

    def _accuracy(self, cell: tuple, mode: str, lambda_: float) -> float:
        networks, points = self.cells[cell]
        tuned, _ = regularise(
            networks,
            self.train,
            points,
            training=self.preset.training,
            search=self.preset.slow_points,
            settings=self.preset.regularisation,
            mode=mode,
            lambda_=lambda_,
            longest_delay=self.preset.memory.delays[-1],
            protocol=PROTOCOLS[networks.spec.protocol],
        )
        accuracy = measure_accuracy(tuned, self.valid, n_images=N_TRIALS)["nominal_accuracy"].mean()
        names = dict(zip(CELL, cell, strict=True))
        self.rows.append(names | {"mode": mode, "lambda": lambda_, "valid_accuracy": accuracy})
        print(*cell, mode, f"{lambda_:g}", f"{accuracy:.4f}", flush=True)
        return accuracy


def table_of(*tables: pd.DataFrame) -> str:
    """In Markdown: of each preset and mode the lambda chosen and the next, with what each costs in its worst cell."""
    rows = []
    for table in tables:
        accuracy = table.pivot_table("valid_accuracy", ["dataset", "mode", "lambda"], ["architecture", "protocol"])
        for (dataset, mode), of_mode in accuracy.groupby(["dataset", "mode"], sort=False):
            if mode == CONTROL:
                continue
            cost = (accuracy.loc[(dataset, CONTROL, 0)] - of_mode.droplevel([0, 1])).max(axis=1)
            cheap = cost <= LOSS_ALLOWED
            tried = [(f"{lambda_:,g}", f"{lost:.4f}") for lambda_, lost in cost.items()]
            chosen = int(cheap.cummin().sum())
            kept = tried[chosen - 1] if chosen else ("none", "")
            following = tried[chosen] if chosen < len(tried) else ("the top of the sweep", "")
            rows.append([f"`{dataset}`", f"`{mode}`", *kept, *following])
    return markdown(rows, ["preset", "mode", "chosen", "cost at most", "next", "cost at most"])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("datasets", nargs="+", help="presets whose networks have been trained")
    parser.add_argument("--config", type=Path, help="a configuration, for its cells and presets")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of the networks")
    parser.add_argument("--lambdas", type=float, nargs="+", help="in place of each mode's own")
    parser.add_argument("--modes", nargs="+", choices=LAMBDAS, default=list(LAMBDAS), help="all, unless said")
    parser.add_argument("--seeds", type=int, help="networks of each cell; all, unless said")
    args = parser.parse_args()
    lambdas = {mode: args.lambdas or LAMBDAS[mode] for mode in args.modes}
    torch.set_num_threads(1)
    rows = []
    for dataset in args.datasets:
        sweep = Sweep(dataset, args.config, args.results, lambdas, args.seeds)
        print(dataset, "lambda", sweep.run())
        rows += sweep.rows
    table = pd.DataFrame(rows)
    keep(table, args.output)
    print(table.pivot_table("valid_accuracy", ["mode", "lambda"], CELL).round(4).to_string())
