"""Digests of the code of scripts: each changes with its own modules, and with no others."""

import shutil

import pytest
from places import ROOT

from slowpoints.core import digests
from slowpoints.core.provenance import code_revision, package_versions, settings_digest

SCRIPTS = {
    "prepare_dataset": ("datasets/readers/glyphs.py",),
    "train_networks": ("networks/units/gru.py",),
    "measure_memory": ("networks/units/gru.py",),
    "find_slow_points": ("networks/units/gru.py",),
    "track_formation": ("networks/units/gru.py",),
    "regularise_networks": ("networks/units/gru.py", "training/modes/settled.py"),
    "collate_table": (),
    "collate_networks": (),
    "correlate_predictors": (),
    "judge_claims": ("analysis/claims/penalties.py", "analysis/claims/formation.py"),
    "describe_study": ("analysis/claims/penalties.py", "analysis/claims/formation.py"),
    "plot_figure": ("plots/task.py",),
    "draw_explorer": ("explorer/page.js",),
}
"""Scripts, and files that rules add to what they reach: the reader, the cell's unit, the mode, claims, the figure's,
the page."""
DRAWS = {"plot_figure", "draw_explorer"}
TRAINS, TUNES = {"train_networks", "regularise_networks"}, {"regularise_networks"}
SEARCHES = {"find_slow_points", "track_formation", "regularise_networks"}
ON_NETWORKS = {"train_networks", "measure_memory", *SEARCHES}
STATISTICS = {"correlate_predictors", "judge_claims", "describe_study"}
NAMING = {*DRAWS, "describe_study"}
"""What is made of looks."""


def digest_of(root, script):
    modules = [root / "src/slowpoints" / module for module in SCRIPTS[script]]
    return digests.library_digest(root / "scripts" / f"{script}.py", *modules, looks=script in NAMING)


def forget():
    digests._imported.cache_clear()


@pytest.fixture(scope="module")
def before():
    """Digests of the scripts, which are the same in every copy."""
    return {script: digest_of(ROOT, script) for script in SCRIPTS}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of library and scripts that may be edited; returns the recomputed digest of a script."""
    shutil.copytree(ROOT / "src/slowpoints", tmp_path / "src/slowpoints")
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    monkeypatch.setattr(digests, "LIBRARY", tmp_path / "src/slowpoints")

    def changed(before):
        """Scripts whose digest has changed."""
        forget()
        return {script for script in SCRIPTS if digest_of(tmp_path, script) != before[script]}

    yield tmp_path, changed
    forget()


def test_a_copy_has_the_same_digests(copy, before):
    _, changed = copy
    assert changed(before) == set()


@pytest.mark.parametrize(
    ("edited", "touched"),
    [
        ("training/loop.py", TRAINS),
        ("training/penalties.py", TUNES),
        ("training/fine_tuning.py", TUNES),
        ("training/modes/settled.py", TUNES),
        ("training/modes/path.py", set()),  # this one fine-tunes in mode settled
        ("measures/retrieval.py", {"measure_memory", *TUNES}),
        ("measures/lifetimes.py", {"find_slow_points", *TUNES}),
        ("measures/formation.py", {"track_formation"}),
        ("dynamics/search.py", SEARCHES),
        ("dynamics/checks.py", SEARCHES),
        ("dynamics/differences.py", SEARCHES),
        ("dynamics/maps.py", SEARCHES),
        ("core/arrays.py", SEARCHES),
        ("core/torch_modes.py", ON_NETWORKS),
        ("networks/derived.py", set()),
        ("dynamics/snapshots.py", {*TRAINS, "track_formation"}),
        ("networks/ensemble.py", ON_NETWORKS),
        ("networks/rollout.py", {"measure_memory", "find_slow_points", *TUNES}),
        ("networks/units/gru.py", ON_NETWORKS),
        ("networks/units/lstm.py", set()),  # these scripts run GRUs
        ("task/loss.py", {*TRAINS, "measure_memory"}),
        ("task/protocols.py", {"judge_claims", *NAMING}),
        ("analysis/aggregation.py", {"collate_table", "collate_networks", *STATISTICS, "draw_explorer"}),
        ("analysis/births.py", {"judge_claims", "describe_study", "draw_explorer"}),
        ("analysis/claims/penalties.py", {"judge_claims", "describe_study"}),
        ("analysis/findings.py", {"describe_study"}),
        ("plots/style.py", DRAWS),
        ("plots/task.py", {"plot_figure"}),
        ("plots/formation.py", {"draw_explorer"}),
        ("explorer/page.js", {"draw_explorer"}),
        ("datasets/readers/glyphs.py", {"prepare_dataset"}),
        ("datasets/readers/idx.py", set()),  # these images are glyphs
        ("core/schemas/study.py", {"collate_table", "collate_networks", *STATISTICS, "draw_explorer"}),
        ("core/schemas/slow_points.py", {"find_slow_points", "track_formation", *TUNES, "collate_table"}),
        ("core/presets/regularisation.py", TUNES),
        ("core/tables.py", set(SCRIPTS)),
        ("core/progress.py", set(SCRIPTS)),
        ("core/jobs.py", set()),
        ("core/checks.py", set()),
        ("core/config.py", set()),
        ("core/project.py", set()),
        ("configuration.py", set()),
        ("study.py", set()),
        ("__init__.py", set()),
    ],
)
def test_an_edit_touches_the_scripts_that_reach_it(copy, before, edited, touched):
    root, changed = copy
    with (root / "src/slowpoints" / edited).open("a") as file:
        file.write("\nEDITED = True\n")
    assert changed(before) == touched


@pytest.mark.parametrize(("edited", "touched"), [("_job", set(SCRIPTS)), ("train_networks", {"train_networks"})])
def test_scripts_and_their_helper_count(copy, before, edited, touched):
    root, changed = copy
    with (root / f"scripts/{edited}.py").open("a") as file:
        file.write("\nEDITED = True\n")
    assert changed(before) == touched


@pytest.mark.parametrize(
    ("file", "old", "new", "touched"),
    [
        ("training/loop.py", "LOGGED_ROWS = 100  # rows", "LOGGED_ROWS = 100  # lines", set()),
        ("training/loop.py", '"""Training reached a loss', '"""It reached a loss', set()),
        ("networks/units/gru.py", 'Look("GRU", marker="o")', 'Look("gated", marker="x")', set()),
        ("training/loop.py", "def clip_gradients(weights: list[Tensor]", "def clip_gradients(weights: list", set()),
        (
            "core/presets/training.py",
            '32, ge=1, description="Trials per step."',
            '64, ge=2, description="Trials."',
            set(),
        ),
        ("core/presets/training.py", "batch_size: Whole", "batches: Whole", {*TRAINS, "track_formation"}),
        ("networks/units/gru.py", "gate_groups = (2, 1)", "gate_groups = (1, 2)", ON_NETWORKS),
        (
            "core/modes.py",
            'Look("control", "#4d4d4d"',
            'Look("control", "#000000"',
            {"draw_explorer", "describe_study"},
        ),
        ("task/protocols.py", '"#0b4f8a"', '"#0b4f8b"', NAMING),
        ("task/protocols.py", "vocabulary=True", "delay=True", {"judge_claims", *NAMING}),
    ],
)
def test_comments_docstrings_and_looks_change_no_result(copy, before, file, old, new, touched):
    root, changed = copy
    path = root / "src/slowpoints" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert changed(before) == touched


def test_settings_digest_depends_on_values_alone():
    assert settings_digest({"a": 1, "b": [1, 2]}) == settings_digest({"b": [1, 2], "a": 1})
    assert settings_digest({"a": 1}) != settings_digest({"a": 2})


def test_revision_and_versions_are_known():
    assert code_revision()
    assert {"torch", "numpy", "pandas"} <= set(package_versions())
