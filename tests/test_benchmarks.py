"""Every benchmark starts and takes a step at small sizes, as benchmarks/README.md says to run it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from places import ROOT
from projects import Project
from safetensors.torch import load_file, save_file

TABLE = (ROOT / "benchmarks/README.md").read_text().split("## What a GPU must still show")[1]
ROWS = [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in TABLE.splitlines() if line.startswith("| `")]
CAPTURE, TRAINING, FRONT_END, PRECISION, PAPER, WORKFLOW = ROWS
"""Commands that wait for a GPU, and the options that they are to be run with as well."""

CUT = {
    "source": {"kind": "digits"},  # which needs no files
    "network": {"hidden": 6},
    "training": {"steps": 3, "batch_size": 8},
    "memory": {"delays": [4, 19, 20, 40], "n_images": 20, "bank": 60},
    "slow_points": {"adam_steps": 5, "max_iterations": 1, "images_per_class": 4},
}
SMALL = {
    "device": "cpu",
    "seeds": 2,
    "architectures": ["lstm"],
    "protocols": ["decu"],
    "presets": {"mnist": CUT, "mnist-small": CUT},
}
TRAINING_SIZES = "--networks 1 2 --steps 1 --pixels 16 --hidden 6 --batch 4 --bank 23"
FRONT_END_SIZES = "--networks 2 --steps 1 --filters 3 2 --dense 5 4 --rows 3"


def run(folder: Path, command: str, status: int = 0) -> str:
    """What a command line says in a copy of the project."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def small(command: str, *changes: tuple[str, str]) -> str:
    """A command of the README with parts of it replaced."""
    for before, after in changes:
        assert before in command, command
        command = command.replace(before, after)
    return command


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the project with its benchmarks, and a configuration of small networks."""
    project = Project(tmp_path_factory.mktemp("benchmarks") / "project")
    shutil.copytree(ROOT / "benchmarks", project.folder / "benchmarks", ignore=shutil.ignore_patterns("*.parquet"))
    (project.folder / "config/small.yaml").write_text(yaml.safe_dump(SMALL))
    return project.folder


@pytest.fixture
def study(copy, finished):
    """The finished tiny study, with benchmarks beside it meanwhile."""
    shutil.copytree(copy / "benchmarks", finished.folder / "benchmarks")
    yield finished.folder
    shutil.rmtree(finished.folder / "benchmarks")


def test_the_capture_s_test_is_where_the_readme_says():
    assert (ROOT / CAPTURE[0].removeprefix("pytest ")).is_file()  # the suite runs it


@pytest.mark.parametrize("also", ["", " ".join(TRAINING[1:])])
def test_training_throughput(copy, also):
    output = run(copy, f"{TRAINING[0]} {also} {TRAINING_SIZES}")
    table = pd.read_parquet(copy / "benchmarks/training.parquet")
    ways = ["torch.nn, fresh noise", *2 * ["ensemble, fresh noise", "ensemble, bank of 23"]]
    assert list(zip(table["way"], table["networks"], strict=True)) == list(zip(ways, [1, 1, 1, 2, 2], strict=True))
    assert (table["networks_steps_per_s"] > 0).all()
    assert all(way in output for way in ways)


@pytest.mark.parametrize("also", ["", " ".join(FRONT_END[1:])])
def test_front_end(copy, also):
    output = run(copy, f"{FRONT_END[0]} {also} {FRONT_END_SIZES}")
    table = pd.read_parquet(copy / "benchmarks/front_end.parquet")
    assert list(table["way"]) == ["in turn", "grouped convolution", "one product"]
    assert all(way in output for way in table["way"])


def test_networks_are_trained_in_tf32(copy):
    weights = "results/networks/mnist-small-tf32/lstm/decu/trained/0-1/weights.safetensors"
    changes = ("snakemake", f"snakemake {weights}"), ("precision.yaml", "precision.yaml config/small.yaml")
    run(copy, small(PRECISION[0], *changes))
    assert (copy / weights).is_file()


def test_networks_of_two_presets_are_compared(study):
    changes = ("results/precision", "results/test"), ("mnist-small mnist-small-tf32", "digits-tiny digits-tiny")
    output = run(study, small(PRECISION[1], *changes))
    rows = [[part.strip() for part in line.split("|")[1:-1]] for line in output.splitlines() if "| gru/" in line]
    assert len(rows) == 2 * 4  # cells, measures
    assert {float(row[-3]) for row in rows} == {0}  # difference of a preset from itself


def test_the_paper_s_networks_are_trained_and_the_workflow_goes_on_from_there(copy):
    run(
        copy,
        small(
            PAPER[0], ("in gru lstm", "in lstm"), ("in vocu decu", "in decu"), ("...", ". --config config/small.yaml")
        ),
    )
    block = "results/networks/mnist/lstm/decu/trained/0-1"
    assert (copy / block / "weights.safetensors").is_file()
    target = f"snakemake {block}/accuracy.parquet"
    output = run(copy, small(WORKFLOW[0], ("snakemake", target), ("paper.yaml", "paper.yaml config/small.yaml")))
    assert (copy / block / "accuracy.parquet").is_file()
    assert "rule train_networks" not in output


def test_the_study_of_noise_banks_is_planned(copy):
    plan = run(copy, "snakemake -n --cores 2 --configfile benchmarks/noise_bank.yaml")
    assert re.search(r"^train_networks +8$", plan, re.MULTILINE)


def test_a_large_grid_is_planned(copy):
    """Ten cells of one data set: each trained, measured twice and fine-tuned in four modes."""
    output = run(copy, "python benchmarks/planning.py --datasets 1")
    collated = 6  # tables that are in no group
    assert f"{1 + 10 * (1 + 2 + 4) + collated + 2} submissions" in output
    assert all(f"'{group}': {count}" in output for group, count in (("measure", 10), ("trained", 1), ("study", 1)))


def test_lambda_is_chosen(study):
    output = run(study, "python benchmarks/choose_lambda.py digits-tiny --config config/test.yaml --lambdas 0.01 1")
    table = pd.read_parquet(study / "benchmarks/choose_lambda.parquet")
    tried = set(zip(table["mode"], table["lambda"], strict=True))
    first = {(mode, 0.01) for mode in ("slow_points", "centre_of_mass", "settled")}
    assert {("control", 0.0), *first} <= tried <= {("control", 0.0), *first, *((mode, 1.0) for mode, _ in first)}
    assert table["valid_accuracy"].between(0, 1).all()
    assert re.search(r"^digits-tiny lambda \{'slow_points': (None|[\d.]+), ", output, re.MULTILINE)


def test_variants_of_the_settled_penalty_are_compared(study):
    run(study, "python benchmarks/penalties.py digits-tiny/gru/vocu")
    table = pd.read_parquet(study / "benchmarks/penalties.parquet")
    assert set(table["variant"]) == {"control", "settled", "noise", "noise 50", "both", "trials", "anew", "first"}
    control = table[table["variant"] == "control"]
    assert (control["change"] == 0).all()
    assert table["mean"].between(0, 1.1).all()
    assert table.loc[table["variant"] != "control", "change"].ne(0).any()


def test_memory_is_followed_beyond_the_delays_of_the_study(study):
    output = run(study, "python benchmarks/long_delays.py digits-tiny --config config/test.yaml")
    table = pd.read_parquet(study / "benchmarks/long_delays.parquet")
    assert table["delay"].max() == 10_000
    assert set(table["mode"]) == {"control", "settled"}
    assert table["accuracy"].between(0, 1).all()
    assert table.groupby("delay")["n_trials"].nunique().eq(1).all()
    assert "half-life" in output


def test_searches_for_slow_points_are_compared(study, tmp_path):
    """Without FixedPointFinder, which is no package; SciPy, given the same residual, comes to the same speeds."""
    sizes = "--kinds GRU LSTM --units 4 --points 3 --steps 20"
    run(study, f"python benchmarks/slow_points.py {sizes} --output {tmp_path / 'table.parquet'} --networks {tmp_path}")
    table = pd.read_parquet(tmp_path / "table.parquet").set_index(["network", "tool"])
    assert len(table) == 2 * 4
    assert (table["inside"] == 1).all()
    assert (table["seconds"] > 0).all()
    for network in ("flip-flop GRU 4", "flip-flop LSTM 4"):
        worst = table["worst_speed"][network]
        assert worst["slowpoints"] <= worst.min() + 1e-6


def test_resources_asked_for_are_set_against_those_taken(study):
    output = run(study, "python benchmarks/resources.py --configfile config/test.yaml")
    table = pd.read_parquet(study / "benchmarks/resources.parquet")
    measured = {"train_networks", "measure_memory", "find_slow_points", "track_formation", "regularise_networks"}
    assert set(table["rule"]) == measured
    assert (table["asked_mb"] > 0).all()
    assert (table["measured_mb"] > 0).any()
    assert all(rule in output for rule in measured)


def test_results_are_the_same_or_the_file_that_differs_is_named(study, tmp_path):
    weights = "digits-tiny/gru/vocu/trained/0-1/weights.safetensors"
    compare = f"python benchmarks/same_results.py results/networks {tmp_path / 'networks'}"
    shutil.copytree(study / "results/networks", tmp_path / "networks")
    assert " 0 differ" in run(study, compare)
    changed = load_file(tmp_path / "networks" / weights)
    changed["bias"] = torch.nextafter(changed["bias"], torch.tensor(torch.inf))
    save_file(changed, tmp_path / "networks" / weights)
    assert f" 1 differ\n  {weights}" in run(study, compare, status=1)
