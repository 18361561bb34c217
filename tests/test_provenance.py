"""Digests of what a script uses: each changes with its own modules, and with no others."""

import shutil

import pytest
from places import ROOT

import slowpoints.provenance as provenance
from slowpoints.provenance import code_revision, package_versions, settings_digest


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of library and scripts that may be edited; gives the digest of a script, worked out anew."""
    shutil.copytree(ROOT / "src/slowpoints", tmp_path / "src/slowpoints")
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    monkeypatch.setattr(provenance, "LIBRARY", tmp_path / "src/slowpoints")

    def digest(script):
        provenance._read.cache_clear()
        provenance._imported.cache_clear()
        return provenance.library_digest(tmp_path / "scripts" / f"{script}.py")

    yield tmp_path, digest
    provenance._read.cache_clear()
    provenance._imported.cache_clear()


SCRIPTS = (
    "prepare_dataset",
    "train_networks",
    "measure_memory",
    "find_slow_points",
    "track_formation",
    "regularise_networks",
    "test_claims",
    "plot_task",
)


@pytest.mark.parametrize(
    ("edited", "touched"),
    [
        ("src/slowpoints/training.py", {"train_networks", "regularise_networks"}),
        ("src/slowpoints/memory.py", {"measure_memory", "regularise_networks", "test_claims"}),
        ("src/slowpoints/finder.py", {"find_slow_points", "track_formation", "regularise_networks"}),
        ("src/slowpoints/formation.py", {"track_formation"}),
        ("src/slowpoints/cells.py", set(SCRIPTS) - {"prepare_dataset", "plot_task"}),
        ("src/slowpoints/plots/task.py", {"plot_task"}),
        ("src/slowpoints/plots/style.py", {"plot_task"}),
        ("src/slowpoints/claims.py", {"test_claims"}),
        ("src/slowpoints/datasets/glyphs.py", {"prepare_dataset"}),
        ("src/slowpoints/settings.py", set()),
        ("src/slowpoints/storage.py", set(SCRIPTS)),
        ("scripts/_job.py", set(SCRIPTS)),
        ("scripts/train_networks.py", {"train_networks"}),
    ],
)
def test_an_edit_touches_the_scripts_that_reach_it(copy, edited, touched):
    root, digest = copy
    before = {script: digest(script) for script in SCRIPTS}
    with (root / edited).open("a") as file:
        file.write("\n# edited\n")
    assert {script for script in SCRIPTS if digest(script) != before[script]} == touched


def test_settings_digest_depends_on_values_alone():
    assert settings_digest({"a": 1, "b": [1, 2]}) == settings_digest({"b": [1, 2], "a": 1})
    assert settings_digest({"a": 1}) != settings_digest({"a": 2})


def test_revision_and_versions_are_known():
    assert code_revision()
    assert {"torch", "numpy", "pandas"} <= set(package_versions())
