"""The tiny study, run by Snakemake to the end: files, tables, and what a change reruns."""

import contextlib
import json
import re
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from places import ROOT

from slowpoints.study import read_study

TEST = ("--cores", "2", "--configfile", "config/test.yaml")
FIGURES = ["cells", "claims", "control", "extrapolation", "formation", "predictors", "regularisation", "relaxation"]
FIGURES += ["spectrum", "speed_vs_memory", "state_space", "task", "units"]
FORMS = ("pdf", "png", "parquet")
MODES = ("control", "slow_points", "settled")
COLUMNS = {
    "networks": "dataset architecture protocol seed nominal_accuracy null_accuracy learned memory_score half_life "
    "half_life_reached log10_speed log10_centre_speed log10_deep_speed log10_lifetime n_parameters steps device "
    "persistence log10_settled_speed log10_margin_time",
    "relaxation": "dataset architecture protocol mode lambda seed label frame speed margin readout",
    "extrapolation": "dataset architecture protocol mode lambda seed delay label n_trials n_correct accuracy low high",
    "slow_points": "dataset architecture protocol mode lambda seed label centre_speed speed_1000 speed readout "
    "distance deep_speed deep_readout deep_distance projected_gradient converged iterations deep_kind raw_speed "
    "leading n_unstable time_constant lifetime lifetime_capped state settled_speed margin_time",
    "spectrum": "dataset architecture protocol mode lambda seed label index real imag",
    "trajectories": "dataset architecture protocol seed kind label trial frame pc1 pc2 pc3",
    "formation": "dataset architecture protocol seed label step speed displacement jumped readout parent",
    "regularisation": "dataset architecture protocol mode lambda seed memory_score_before memory_score_after "
    "nominal_accuracy_before nominal_accuracy_after log10_speed_before log10_speed_after",
    "correlations": "dataset architecture protocol level predictor method n r low high p",
    "claims": "claim question dataset architecture protocol mode lambda rival measure stratum n effect low high test p "
    "verdict scope",
}
"""Columns promised to users, by table."""


@contextlib.contextmanager
def edited(path, text="\nEDITED = True\n"):
    """The file with text added, restored afterwards, times included."""
    import os

    before, times = path.read_bytes(), path.stat()
    path.write_bytes(before + text.encode())
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.planned(*TEST) == {}


def test_the_tiny_study_has_a_job_for_each_block_table_and_figure(project):
    """One data set, two cells in training and three measures, three modes of both; twelve tables, four of them for
    networks as trained alone as well; thirteen figures; the explorer; costs; what the report says."""
    jobs = project.planned(*TEST)
    assert jobs.pop("all") == jobs.pop("draw_explorer") == jobs.pop("describe_study") == jobs.pop("collate_costs") == 1
    tables = sum(count for rule, count in jobs.items() if rule.startswith(("collate", "correlate", "judge")))
    figures = sum(count for rule, count in jobs.items() if rule.startswith("plot"))
    assert (tables, figures) == (12 + 4, len(FIGURES))
    assert sum(jobs.values()) - tables - figures == 1 + 2 * (1 + 3 + len(MODES))


def test_first_figures_do_not_wait_for_fine_tuning(finished):
    done = re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", finished.log)
    first = [done.index(f"plot_{name}") for name in ("task", "extrapolation", "speed_vs_memory")]
    assert max(first) < len(done) - 1 - done[::-1].index("regularise_networks")


def test_every_promised_file_is_there(finished):
    files = finished.files()
    for part in ("train", "valid", "test"):
        assert f"datasets/digits-tiny/{part}.parquet" in files
    for protocol in ("vocu", "decu"):
        tables = {f"{name}.parquet" for name in ("training", "extrapolation", "slow_points", "spectrum", "relaxation")}
        folder = f"networks/digits-tiny/gru/{protocol}"
        for mode in ("trained", *MODES):
            assert {f"{folder}/{mode}/0-1/{name}" for name in tables | {"weights.safetensors"}} <= files
        assert {f"{folder}/trained/0-1/{name}" for name in ("snapshots.safetensors", "formation.parquet")} <= files
    for name in FIGURES:
        assert {f"test/figures/{name}.{form}" for form in FORMS} <= files
    assert "test/explorer.html" in files
    assert {f"test/report/{name}" for name in ("summary.rst", "claims.html", "networks.html")} <= files
    assert not [file for file in files if "/." in file]  # nothing half-written


@pytest.mark.parametrize("table", COLUMNS)
def test_tables_have_the_promised_columns(finished, table):
    path = finished.folder / "results/test/tables" / f"{table}.parquet"
    columns = list(pd.read_parquet(path).columns)
    promised = COLUMNS[table].split()
    assert [name for name in columns if name in promised] == promised
    metadata = {key.decode(): value.decode() for key, value in pq.read_schema(path).metadata.items()}
    assert {"schema_version", "code_revision", "config_digest", "packages", "device"} <= set(metadata)
    assert metadata["config_digest"]
    assert metadata["study"] == '"test"'


@pytest.mark.parametrize("table", ["networks", "regularisation", "spectrum"])
def test_tables_hold_the_study_s_settings_and_what_measured_them(finished, table):
    metadata = pq.read_schema(finished.folder / f"results/test/tables/{table}.parquet").metadata
    study = read_study(yaml.safe_load((ROOT / "config/test.yaml").read_text()))
    assert json.loads(metadata[b"settings"]) == study.settings()
    assert json.loads(metadata[b"measured_by"]) == [metadata[b"code_revision"].decode()]


def test_rows_are_one_an_observation(finished):
    tables = finished.folder / "results/test/tables"
    read = {name: pd.read_parquet(tables / f"{name}.parquet") for name in COLUMNS}
    assert len(read["networks"]) == 4
    copies = 1 + len(MODES)
    assert len(read["extrapolation"]) == copies * 4 * 6 * 10  # networks, delays, classes
    assert len(read["slow_points"]) == copies * 4 * 10
    frames = read["relaxation"].groupby(["mode", "protocol", "seed", "label"])["frame"].nunique()
    assert set(frames) == {37}
    assert len(read["regularisation"]) == len(MODES) * 4
    weights = read["extrapolation"].groupby("mode")["lambda"].first().to_dict()
    assert weights.pop("trained") != weights  # null
    assert weights == {"control": 0.0, "slow_points": 0.1, "settled": 3000.0}
    assert set(read["trajectories"]["kind"]) == {"trial", "centre", "slow_point", "path", "unstable"}


def test_the_library_opens_what_the_workflow_made(finished):
    from slowpoints import Dynamics, find_slow_points, load_networks

    networks = load_networks(finished.folder / "results/networks/digits-tiny/gru/vocu/trained")
    dynamics = Dynamics.of(networks)
    points = find_slow_points(dynamics.step, torch.zeros(2, 24), lower=-1.0, upper=1.0, max_iterations=5)
    assert points.state.shape == (2, 24)
    assert points.speed.shape == points.projected_gradient.shape == points.converged.shape == points.iterations.shape


@pytest.mark.slow
def test_the_same_config_gives_the_same_bytes(finished, project):
    """For one cell, from images to fine-tuned and measured networks; tests of faults compare the complete study."""
    project.snakemake("results/networks/digits-tiny/gru/vocu/settled/0-1/weights.safetensors", *TEST)
    made, before = project.digests(), finished.digests()
    assert len(made) > 12
    assert made == {name: before[name] for name in made}


def test_a_figure_s_module_redraws_that_figure_alone(finished):
    with edited(finished.folder / "src/slowpoints/plots/extrapolation.py"):
        assert finished.planned(*TEST) == {"plot_extrapolation": 1, "all": 1}


def test_one_figure_can_be_had_by_itself(finished):
    target = "results/test/figures/speed_vs_memory.pdf"
    assert finished.planned(target, *TEST, "--forcerun", "plot_speed_vs_memory") == {"plot_speed_vs_memory": 1}


PLOTS = {"draw_explorer", *(f"plot_{name}" for name in FIGURES)}
OF_CLAIMS = {"plot_cells", "plot_claims", "plot_control"}  # drawn from the table of claims
MEASURES = {"measure_memory", "find_slow_points", "track_formation"}
ON_NETWORKS = {"train_networks", "regularise_networks", *MEASURES}


@pytest.mark.parametrize(
    ("module", "again", "spared"),
    [
        ("training/loop.py", {"train_networks", "regularise_networks"}, {"prepare_dataset"}),
        ("training/penalties.py", {"regularise_networks"}, {"train_networks", *MEASURES}),
        ("measures/retrieval.py", {"measure_memory"}, {"train_networks", "find_slow_points", "track_formation"}),
        ("dynamics/search.py", {"find_slow_points", "track_formation"}, {"train_networks", "measure_memory"}),
        ("measures/formation.py", {"track_formation"}, ON_NETWORKS - {"track_formation"}),
        ("plots/style.py", PLOTS, {*ON_NETWORKS, "correlate_predictors", "judge_claims"}),
        (
            "analysis/claims/penalties.py",
            {"judge_claims", *OF_CLAIMS, "describe_study"},
            {*ON_NETWORKS, *PLOTS - OF_CLAIMS, "collate_networks", "correlate_predictors"},
        ),
        ("explorer/panels.js", {"draw_explorer"}, {*ON_NETWORKS, *PLOTS - {"draw_explorer"}, "judge_claims"}),
        ("analysis/correlation.py", {"correlate_predictors", "judge_claims"}, {*ON_NETWORKS, "plot_extrapolation"}),
    ],
)
def test_editing_the_library_runs_again_what_uses_it(finished, module, again, spared):
    with edited(finished.folder / "src/slowpoints" / module):
        jobs = set(finished.planned(*TEST))
    assert again <= jobs
    assert not spared & jobs


@pytest.mark.parametrize("module", ["networks/units/lstm.py", "study.py", "cli.py", "core/looks.py"])
def test_what_changes_no_result_of_this_study_runs_nothing_again(finished, module):
    """A unit not in the study, and modules for planning only; only figures, explorer and report depend on looks."""
    by_looks = {*PLOTS, "describe_study", "all"}
    with edited(finished.folder / "src/slowpoints" / module):
        assert set(finished.planned(*TEST)) <= (by_looks if module == "core/looks.py" else set())


def test_editing_a_unit_redraws_no_figure_of_unchanged_tables(finished):
    """It reruns everything that computes with networks; figures follow only if a table changes."""
    with edited(finished.folder / "src/slowpoints/networks/units/gru.py"):
        output = finished.snakemake(*TEST, "-n")
    reasons = output.split("Reasons:")[1]
    code_changed = re.search(r"code has changed|params have changed[^\n]*:\n +([^\n]+)", reasons)
    assert code_changed, reasons
    assert "plot_" not in code_changed[1]
    assert "train_networks" in code_changed[1]


def test_the_headline_figure_waits_for_no_fine_tuning_and_no_formation(finished):
    figures = ("speed_vs_memory", "extrapolation", "state_space", "spectrum", "predictors", "relaxation", "task")
    jobs = finished.planned(*(f"results/test/figures/{figure}.pdf" for figure in figures), *TEST, "--forceall")
    assert jobs["train_networks"] == 2
    assert not {"regularise_networks", "track_formation"} & set(jobs)


def test_more_seeds_train_the_new_ones_alone(finished):
    jobs = finished.planned("all", *TEST, "--config", "seeds=3")
    assert jobs["train_networks"] == 2
    output = finished.snakemake("all", "-n", *TEST, "--config", "seeds=3")
    assert "trained/2-2/weights.safetensors" in output


def test_fewer_seeds_train_nothing(finished):
    jobs = finished.planned("all", *TEST, "--config", "seeds=1")
    assert "train_networks" not in jobs
    assert "collate_networks" in jobs


@pytest.mark.slow
def test_published_tables_are_tested_and_drawn_again(finished, project):
    assert "reference/ contains no study" in project.snakemake("-n", "reference_figures", fails=True)
    measured = shutil.ignore_patterns("claims*", "correlations*", "task*", "trained")
    shutil.copytree(finished.folder / "results/test/tables", project.folder / "reference/tiny", ignore=measured)
    (project.folder / "reference/older").mkdir()
    for table in ("networks", "extrapolation", "slow_points", "formation", "regularisation"):
        shutil.copy(project.folder / f"reference/tiny/{table}.parquet", project.folder / "reference/older")
    project.snakemake("--cores", "2", "reference_figures")
    older = {path.stem for path in (project.folder / "results/reference-older/figures").glob("*.pdf")}
    assert older == {
        *("extrapolation", "speed_vs_memory", "predictors", "formation", "regularisation", "units"),
        *("claims", "cells", "control"),  # from claims alone
    }
    made = {
        name.removeprefix("reference-tiny/"): digest
        for name, digest in project.digests().items()
        if not name.startswith("reference-older/")
    }
    before = {name.removeprefix("test/"): digest for name, digest in finished.digests().items()}
    assert made.pop("explorer.html") != before["explorer.html"]  # which says the study's name
    assert made == {name: before[name] for name in made}
    assert {f"tables/{table}.parquet" for table in COLUMNS} < set(made)
    assert {f"figures/{name}.{form}" for name in set(FIGURES) - {"task", "control"} for form in FORMS} < set(made)


def test_logs_and_times_are_kept_beside_the_results(finished):
    logs = finished.folder / "logs"
    text = (logs / "train_networks/digits-tiny.gru.vocu.0-1.log").read_text()
    assert "step 0: mean loss" in text
    assert (logs / "train_networks/digits-tiny.gru.vocu.0-1.tsv").read_text().startswith("s\th:m:s")


def test_the_report_is_one_file_and_needs_none_but_those_of_the_study(report):
    text = report.read_text()
    assert all(f"{name}.pdf" in text and f"{name}.png" in text for name in FIGURES)
    assert "Which protocol remembers longer?" in text
    assert not re.search(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="?https?:', text)


def test_notes_in_metadata_are_json(finished):
    path = finished.folder / "results/datasets/digits-tiny/train.parquet"
    metadata = pq.read_schema(path).metadata
    assert json.loads(metadata[b"shape"]) == [8, 8, 1]
    assert json.loads(metadata[b"channels"]) == 1
    assert 0 < json.loads(metadata[b"mean"]) < 1
