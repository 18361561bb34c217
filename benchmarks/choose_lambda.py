"""Sweep of lambda on the validation images: how a preset's value was chosen, before any test image was looked at.

    python benchmarks/choose_lambda.py digits glyphs
    python benchmarks/choose_lambda.py mnist-small --config config/mnist.yaml    # the cells of another study

Takes the trained networks of the default study and fine-tunes them with each lambda of a list. The rule: the largest
lambda with which, in every cell and mode, mean nominal accuracy on the validation images stays within 0.005 of
control's. Memory plays no part in it. Writes choose_lambda.parquet beside the table it prints.
"""

import argparse
from pathlib import Path

import pandas as pd
import torch
import yaml

from slowpoints import load_images, load_networks, measure_accuracy
from slowpoints.core.layout import DATASET, NETWORKS
from slowpoints.core.modes import CONTROL, TRAINED
from slowpoints.core.schemas.kinds import CELL
from slowpoints.study import read_study
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.training.fine_tuning import regularise

ROOT = Path(__file__).resolve().parent.parent
LAMBDAS = (0.001, 0.003, 0.01, 0.03, 0.1)
MODES = ("slow_points", "centre_of_mass")
LOSS_ALLOWED = 0.005
N_TRIALS = 2000


def sweep(dataset: str, config: dict, lambdas: list[float]) -> pd.DataFrame:
    """Mean nominal accuracy on the validation images by cell, mode and lambda."""
    schema, shipped = ROOT / "workflow/schemas/config.schema.yaml", ROOT / "config/presets"
    study = read_study({**config, "datasets": [dataset]}, schema=schema, shipped=shipped)
    preset = study.presets[dataset]
    images = ROOT / DATASET.format(dataset=dataset)
    train, valid = (load_images(images / f"{part}.parquet") for part in ("train", "valid"))
    rows = []
    for cell in study.cells():
        folder = ROOT.joinpath(NETWORKS, *cell, TRAINED)
        networks = load_networks(folder)
        points = pd.concat([pd.read_parquet(path) for path in folder.glob("*/slow_points.parquet")])
        points = points.sort_values(["seed", "label"], ignore_index=True)
        for mode, lambda_ in [(CONTROL, 0.0), *((mode, lambda_) for mode in MODES for lambda_ in lambdas)]:
            tuned, _ = regularise(
                networks,
                train,
                points,
                training=preset.training,
                search=preset.slow_points,
                settings=preset.regularisation,
                mode=mode,
                lambda_=lambda_,
                protocol=PROTOCOLS[networks.spec.protocol],
            )
            accuracy = measure_accuracy(tuned, valid, n_images=N_TRIALS)["nominal_accuracy"].mean()
            names = dict(zip(CELL, cell, strict=True))
            rows.append(names | {"mode": mode, "lambda": lambda_, "valid_accuracy": accuracy})
            print(*cell, mode, f"{lambda_:g}", f"{accuracy:.4f}", flush=True)
    return pd.DataFrame(rows)


def chosen(table: pd.DataFrame) -> float:
    """The rule's lambda for the rows of one data set; NaN if none is harmless."""
    cell = list(CELL)
    control = table[table["mode"] == CONTROL].set_index(cell)["valid_accuracy"]
    tuned = table[table["mode"] != CONTROL].set_index(cell)
    lost = control.reindex(tuned.index) - tuned["valid_accuracy"]
    worst = lost.groupby(tuned["lambda"].to_numpy()).max()
    return worst.index[worst <= LOSS_ALLOWED].max()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+", help="presets whose networks have been trained")
    parser.add_argument("--config", type=Path, help="a configuration, for its cells and presets")
    parser.add_argument("--lambdas", type=float, nargs="+", default=LAMBDAS)
    given = parser.parse_args()
    config = yaml.safe_load(given.config.read_text()) if given.config else {}
    torch.set_num_threads(1)
    tables = [sweep(dataset, config, given.lambdas) for dataset in given.datasets]
    table = pd.concat(tables, ignore_index=True)
    table.to_parquet(Path(__file__).with_suffix(".parquet"))
    wide = table.pivot_table("valid_accuracy", [*CELL, "mode"], "lambda")
    print(wide.round(4).to_string())
    for each in tables:
        print(each["dataset"].iloc[0], "lambda", chosen(each))
