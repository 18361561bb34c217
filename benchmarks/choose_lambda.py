"""Sweep of lambda on the validation images: how a preset's value was chosen, before any test image was looked at.

    python benchmarks/choose_lambda.py digits glyphs

Takes the trained networks of the default study and fine-tunes them with each lambda of a list. The rule: the largest
lambda with which, in every cell and mode, mean nominal accuracy on the validation images stays within 0.005 of
control's. Memory plays no part in it. Writes choose_lambda.parquet beside the table it prints.
"""

import argparse
from pathlib import Path

import pandas as pd
import torch

from slowpoints import load_images, load_networks, measure_accuracy
from slowpoints.study import read_study
from slowpoints.training.fine_tuning import regularise

ROOT = Path(__file__).resolve().parent.parent
LAMBDAS = (0.001, 0.003, 0.01, 0.03, 0.1)
MODES = ("slow_points", "centre_of_mass")
LOSS_ALLOWED = 0.005
N_TRIALS = 2000


def sweep(dataset: str) -> pd.DataFrame:
    """Mean nominal accuracy on the validation images by cell, mode and lambda."""
    study = read_study(
        {"datasets": [dataset]}, schema=ROOT / "workflow/schemas/config.schema.yaml", shipped=ROOT / "config/presets"
    )
    preset = study.presets[dataset]
    train, valid = (load_images(ROOT / f"results/datasets/{dataset}/{part}.parquet") for part in ("train", "valid"))
    rows = []
    for cell in study.cells():
        folder = ROOT.joinpath("results/networks", *cell, "trained")
        networks = load_networks(folder)
        points = pd.concat([pd.read_parquet(path) for path in folder.glob("*/slow_points.parquet")])
        points = points.sort_values(["seed", "label"], ignore_index=True)
        for mode, weight in [("control", 0.0), *((mode, weight) for mode in MODES for weight in LAMBDAS)]:
            tuned, _ = regularise(
                networks,
                train,
                points,
                mode=mode,
                weight=weight,
                training=preset["training"],
                search=preset["slow_points"],
                settings=preset["regularisation"],
            )
            accuracy = measure_accuracy(tuned, valid, n_images=N_TRIALS)["nominal_accuracy"].mean()
            names = dict(zip(("dataset", "architecture", "protocol"), cell, strict=True))
            rows.append(names | {"mode": mode, "lambda": weight, "valid_accuracy": accuracy})
            print(*cell, mode, f"{weight:g}", f"{accuracy:.4f}", flush=True)
    return pd.DataFrame(rows)


def chosen(table: pd.DataFrame) -> float:
    """The rule's lambda for the rows of one data set; NaN if none is harmless."""
    cell = ["dataset", "architecture", "protocol"]
    control = table[table["mode"] == "control"].set_index(cell)["valid_accuracy"]
    tuned = table[table["mode"] != "control"].set_index(cell)
    lost = control.reindex(tuned.index) - tuned["valid_accuracy"]
    worst = lost.groupby(tuned["lambda"].to_numpy()).max()
    return worst.index[worst <= LOSS_ALLOWED].max()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+", help="presets whose networks have been trained")
    torch.set_num_threads(1)
    tables = [sweep(dataset) for dataset in parser.parse_args().datasets]
    table = pd.concat(tables, ignore_index=True)
    table.to_parquet(Path(__file__).with_suffix(".parquet"))
    wide = table.pivot_table("valid_accuracy", ["dataset", "architecture", "protocol", "mode"], "lambda")
    print(wide.round(4).to_string())
    for each in tables:
        print(each["dataset"].iloc[0], "lambda", chosen(each))
