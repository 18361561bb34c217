"""Every benchmark runs a step at small sizes, with the command of benchmarks/README.md.

The longest are slow tests.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import bench
import growth
import own_networks
import pandas as pd
import pytest
import torch
import two_machines
import yaml
from _results import keep
from _study import study_of
from browser.chromium import missing, program
from helpers import reference_tables
from places import ROOT
from projects import Project
from safetensors.torch import load_file, save_file

TABLE = (ROOT / "benchmarks/README.md").read_text().split("## What a GPU must still show")[1]
ROWS = [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in TABLE.splitlines() if line.startswith("| `")]
CAPTURE, TRAINING, FRONT_END, PRECISION, PAPER, WORKFLOW = ROWS
"""Commands that wait for a GPU, and the options that they are to be run with as well."""

GRID_CELLS, COLLATED = 10, 7  # cells of one data set; tables that are in no group
GRID_SUBMISSIONS = 1 + GRID_CELLS * (1 + 2 + 3) + COLLATED + 2
"""Of a grid of one data set: each cell trained, measured twice and fine-tuned in three modes; two groups of tables."""
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
    """Output of a command in a copy of the project."""
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
    """The finished tiny study, with the benchmarks copied into it."""
    shutil.copytree(copy / "benchmarks", finished.folder / "benchmarks")
    yield finished.folder
    shutil.rmtree(finished.folder / "benchmarks")


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Path:
    """A folder of benchmarks' rows."""
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    return tmp_path


def throughput(architecture: str) -> pd.DataFrame:
    rows = {"way": ["torch.nn, fresh noise", "ensemble, bank of 23"], "networks": [1, 2]}
    speed = {"networks_steps_per_s": [8.04, 17.0], "peak": [0.5, 0.25], "ratio": [1.0, 2.114]}
    return pd.DataFrame(rows | speed).assign(architecture=architecture)


def test_the_tables_of_the_readme_are_those_of_the_rows_that_are_kept():
    page = bench.README.read_text()
    assert len(bench.BLOCK.findall(page)) == page.count("<!-- results:") == page.count("<!-- end of results -->")
    assert bench.with_tables(page) == page, "run `python benchmarks/bench.py --tables`"


def test_a_table_is_made_anew_from_its_rows_with_where_they_come_from(kept):
    for architecture in ("gru", "lstm"):
        keep(throughput(architecture), kept / f"training-{architecture}.parquet")
    before, mark, after = "text\n", "<!-- results: training-gru, training-lstm -->\n", "<!-- end of results -->\nmore\n"
    page = bench.with_tables(before + mark + "| old |\n" + after)
    assert page.startswith(before + mark)
    assert page.endswith(after)
    assert "old" not in page
    assert "| GRU: ratio | LSTM: networks x steps per s |" in page
    assert "| ensemble, bank of 23 | 2 | 17.0 | 0.25 | 2.11 | 17.0 | 0.25 | 2.11 |" in page
    assert f"torch {torch.__version__.split('+')[0]}" in page
    assert bench.with_tables(page) == page


def test_a_table_without_rows_stays_and_a_name_that_is_no_benchmark_is_refused(kept, capsys):
    page = "<!-- results: growth -->\n| old |\n<!-- end of results -->\n"
    assert bench.with_tables(page) == page
    assert "table of growth left as it is, without growth.parquet" in capsys.readouterr().out
    with pytest.raises(ValueError, match="no benchmark is called grwth; there are training-gru"):
        bench.with_tables(page.replace("growth", "grwth"))


def test_what_make_bench_runs_is_there():
    for name, command in bench.RUNS.items():
        assert (ROOT / "benchmarks" / command.split()[0]).is_file(), name
    assert set(bench.STUDIES) <= set(bench.RUNS)
    assert all((ROOT / study).is_file() for study in bench.STUDIES.values())


@pytest.mark.slow
def test_one_benchmark_is_run_and_its_rows_are_kept(copy):
    """The grid is really planned; its rows are saved with their provenance."""
    script = copy / "benchmarks/bench.py"
    script.write_text(small(script.read_text(), ('"planning.py"', '"planning.py --datasets 1"')))
    output = run(copy, "python benchmarks/bench.py planning")
    assert all(f"'{group}': {count}" in output for group, count in (("measure", 10), ("trained", 1), ("study", 1)))
    table = pd.read_parquet(copy / "benchmarks/results/planning.parquet")
    assert table["submissions"].item() == GRID_SUBMISSIONS
    assert f"| 1 | {table['jobs'].item()} |" in (copy / "benchmarks/README.md").read_text()
    assert "`python benchmarks/planning.py --datasets 1`" in (copy / "benchmarks/README.md").read_text()
    run(copy, "python benchmarks/bench.py plannning", status=2)


@pytest.mark.parametrize("work", growth.WORK)
def test_growth_is_measured(monkeypatch, work):
    monkeypatch.setattr(growth, "SHORTEST", 0.0001)
    monkeypatch.setattr(growth, "TRIALS", 10)
    row = growth.one(work, {"networks": 2, "units": 4, "points": 3, "delay": 30})
    assert row["seconds"] > 0
    assert row["mb"] > 10
    quick, slow = {"seconds": 0.001, "value": 10}, {"seconds": 0.1, "value": 100}
    table = pd.DataFrame([row | {"work": work, "varied": "units"} | each for each in (quick, slow)])
    assert "10: 1 ms, " in growth.table_of(table)
    assert "100: 100 ms (2.0), " in growth.table_of(table)


def test_the_capture_s_test_is_where_the_readme_says():
    assert (ROOT / CAPTURE[0].removeprefix("pytest ")).is_file()  # the suite runs it


@pytest.mark.slow
@pytest.mark.parametrize("also", ["", " ".join(TRAINING[1:])])
def test_training_throughput(copy, also):
    output = run(copy, f"{TRAINING[0]} {also} {TRAINING_SIZES}")
    table = pd.read_parquet(copy / "benchmarks/training.parquet")
    ways = ["torch.nn, fresh noise", *2 * ["ensemble, fresh noise", "ensemble, bank of 23"]]
    assert list(zip(table["way"], table["networks"], strict=True)) == list(zip(ways, [1, 1, 1, 2, 2], strict=True))
    assert (table["networks_steps_per_s"] > 0).all()
    assert all(way in output for way in ways)


@pytest.mark.slow
@pytest.mark.parametrize("also", ["", " ".join(FRONT_END[1:])])
def test_front_end(copy, also):
    output = run(copy, f"{FRONT_END[0]} {also} {FRONT_END_SIZES}")
    table = pd.read_parquet(copy / "benchmarks/front_end.parquet")
    assert list(table["way"]) == ["in turn", "grouped convolution", "one product"]
    assert all(way in output for way in table["way"])


@pytest.mark.slow
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
    assert {float(row[-1].split()[0]) for row in rows} == {0}  # difference of a preset from itself


@pytest.mark.slow
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


@pytest.mark.long
def test_the_study_of_noise_banks_is_planned(copy):
    plan = run(copy, "snakemake -n --cores 2 --configfile benchmarks/noise_bank.yaml")
    assert re.search(r"^train_networks +8$", plan, re.MULTILINE)


@pytest.mark.slow
def test_lambda_is_chosen(study):
    output = run(study, "python benchmarks/choose_lambda.py digits-tiny --config config/test.yaml --lambdas 0.01 1")
    table = pd.read_parquet(study / "benchmarks/choose_lambda.parquet")
    tried = set(zip(table["mode"], table["lambda"], strict=True))
    first = {(mode, 0.01) for mode in ("slow_points", "centre_of_mass", "settled", "path")}
    assert {("control", 0.0), *first} <= tried <= {("control", 0.0), *first, *((mode, 1.0) for mode, _ in first)}
    assert table["valid_accuracy"].between(0, 1).all()
    assert re.search(r"^digits-tiny lambda \{'slow_points': (None|[\d.]+), ", output, re.MULTILINE)


@pytest.mark.slow
def test_variants_of_the_settled_penalty_are_compared(study):
    run(study, "python benchmarks/penalties.py digits-tiny/gru/vocu")
    table = pd.read_parquet(study / "benchmarks/penalties.parquet")
    assert set(table["variant"]) == {"control", "settled", "noise", "noise 50", "both", "trials", "anew", "first"}
    control = table[table["variant"] == "control"]
    assert (control["change"] == 0).all()
    assert table["mean"].between(0, 1.1).all()
    assert table.loc[table["variant"] != "control", "change"].ne(0).any()


@pytest.mark.slow
def test_memory_is_followed_beyond_the_delays_of_the_study(study):
    output = run(study, "python benchmarks/long_delays.py digits-tiny --config config/test.yaml")
    table = pd.read_parquet(study / "benchmarks/long_delays.parquet")
    assert table["delay"].max() == 10_000
    assert set(table["mode"]) == {"control", "settled"}
    assert table["accuracy"].between(0, 1).all()
    assert table.groupby("delay")["n_trials"].nunique().eq(1).all()
    assert "half-life" in output


@pytest.mark.slow
def test_a_descent_as_long_as_the_study_s_comes_to_its_speeds(study):
    steps = study_of(["digits-tiny"], study / "config/test.yaml").presets["digits-tiny"].slow_points.adam_steps
    run(study, f"python benchmarks/long_descent.py digits-tiny --config config/test.yaml --steps {steps}")
    table = pd.read_parquet(study / "benchmarks/long_descent.parquet").set_index(["descent", "level"])
    pd.testing.assert_frame_equal(
        table.loc["longer"][["median_speed", "r"]], table.loc["study's"][["median_speed", "r"]]
    )
    assert (table.loc["longer", "difference"].dropna().abs() < 1e-12).all()


@pytest.mark.slow
def test_searches_for_slow_points_are_compared(study, tmp_path):
    """Without FixedPointFinder, which is not a package; SciPy finds the same speeds for the same residual."""
    sizes = "--kinds GRU LSTM --units 4 --points 3 --steps 20"
    run(study, f"python benchmarks/slow_points.py {sizes} --output {tmp_path / 'table.parquet'} --networks {tmp_path}")
    table = pd.read_parquet(tmp_path / "table.parquet").set_index(["network", "tool"])
    assert len(table) == 2 * 5
    assert (table["inside"] == 1).all()
    assert (table["seconds"] > 0).all()
    for network in ("flip-flop GRU 4", "flip-flop LSTM 4"):
        worst = table["worst_speed"][network]
        assert worst["slowpoints"] <= worst.min() + 1e-6


@pytest.mark.parametrize("task", own_networks.TASKS)
def test_trials_of_own_networks_ask_once_after_what_is_to_be_remembered(task):
    task = own_networks.TASKS[task]
    inputs, labels, asked = task.trials("valid", 50, 20, torch.Generator().manual_seed(0))
    shown, of_stimuli = task.stimuli("valid", 50, torch.Generator().manual_seed(0))
    assert torch.equal(inputs[: len(shown)], shown)
    assert torch.equal(labels, of_stimuli)
    assert set(labels.tolist()) <= set(range(task.classes))
    assert torch.equal(inputs[..., -1].argmax(0), asked)
    assert (inputs[..., -1].sum(0) == 1).all()
    assert (asked - len(shown) + 1 >= 1).all()
    far = task.delay(4000, 10, torch.Generator().manual_seed(1))
    torch.testing.assert_close(far.mean((0, 1)), task.mean, atol=0.02, rtol=0)


@pytest.mark.filterwarnings("ignore:the largest weight tried")  # so few steps cost nothing
@pytest.mark.filterwarnings("ignore:(fine-tuning without a penalty|the smallest weight)")  # after three steps: chance
def test_own_networks_are_trained_on_in_all_ways(monkeypatch):
    sizes = {"STEPS": 3, "MORE_STEPS": 2, "TEST_TRIALS": 100, "DELAYS": (1, 20, 1000), "CHOSEN_ON": (101,)}
    for name, value in sizes.items():
        monkeypatch.setattr(own_networks, name, value)
    monkeypatch.setattr(own_networks, "WEIGHTS", {"penalty": [1.0], "consistency": [0.1]})
    cell = own_networks.Cell("digits", "GRU")
    weights = cell.weights()
    assert set(weights) == {"penalty", "consistency"}
    table = pd.DataFrame([row for seed in (1, 2) for row in cell.compared(seed, weights)])
    assert table.groupby("seed")["way"].agg(tuple).tolist() == 2 * [own_networks.WAYS]
    assert table["memory_score"].between(0, 1).all()
    assert table.loc[table["way"] != "trained", "memory_score"].nunique() > 2
    assert "| digits | GRU | control |" in own_networks.table_of(table)


@pytest.mark.slow
def test_resources_asked_for_are_set_against_those_taken(study):
    output = run(study, "python benchmarks/resources.py --configfile config/test.yaml")
    table = pd.read_parquet(study / "benchmarks/resources.parquet")
    measured = {"train_networks", "measure_memory", "find_slow_points", "track_formation", "regularise_networks"}
    assert set(table["rule"]) == measured
    assert (table["asked_mb"] > 0).all()
    assert (table["measured_mb"] > 0).any()
    assert all(rule in output for rule in measured)


@pytest.mark.slow
def test_the_explorer_is_timed(study):
    lacking = missing()
    if lacking:
        pytest.skip(f"no browser to test in: {lacking}")
    run(study, f"python benchmarks/explorer.py results/test/explorer.html --browser {program()}")
    table = pd.read_parquet(study / "benchmarks/explorer.parquet").set_index("what")
    assert 0 < table["clock_ms"]["first paint"] < table["clock_ms"]["all panels"]
    assert (table.loc["another network", ["clock_ms", "thread_ms"]] > 0).all(axis=None)


def test_results_are_the_same_or_the_file_that_differs_is_named(study, tmp_path):
    weights = "digits-tiny/gru/vocu/trained/0-1/weights.safetensors"
    compare = f"python benchmarks/same_results.py results/networks {tmp_path / 'networks'}"
    shutil.copytree(study / "results/networks", tmp_path / "networks")
    assert " 0 differ" in run(study, compare)
    changed = load_file(tmp_path / "networks" / weights)
    changed["bias"] = torch.nextafter(changed["bias"], torch.tensor(torch.inf))
    save_file(changed, tmp_path / "networks" / weights)
    assert f" 1 differ\n  {weights}" in run(study, compare, status=1)


def test_two_machines_are_compared_network_by_network():
    here = reference_tables("embedded", "networks")["networks"]
    there = here.sample(frac=1, random_state=0).assign(memory_score=lambda table: table["memory_score"] - 0.1)
    found = two_machines.compared(here, there).set_index(["cell", "measure"])
    assert (found["n"] == 10).all()
    shifted = found.xs("memory_score", level="measure")
    assert shifted[["difference", "low", "high"]].to_numpy() == pytest.approx(0.1)
    assert shifted["r"].to_numpy() == pytest.approx(1)
    assert (shifted["equal"] == 0).all()
    assert (found.xs("log10_speed", level="measure")["equal"] == 10).all()
