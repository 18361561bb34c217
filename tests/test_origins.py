"""Tables in reference/ state their origin, and the pages say so if they do not."""

import json
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from origins import REFERENCE, origin
from results_page import studies

from slowpoints.core.presets.preset import Preset
from slowpoints.study import read_study

COMMIT, OTHER = "a" * 40, "b" * 40


def restamp(path, **facts):
    """Replaces facts in a table's metadata, as text."""
    table = pq.read_table(path)
    metadata = {**table.schema.metadata, **{key.encode(): value.encode() for key, value in facts.items()}}
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.fixture
def proved(tmp_path):
    """Tables of the smallest study in reference/, stamped as the workflow stamps them today."""
    folder = tmp_path / "cifar"
    shutil.copytree(REFERENCE / "cifar", folder, ignore=shutil.ignore_patterns("legacy.yaml"))
    settings = read_study(yaml.safe_load((folder / "config.yaml").read_text())).settings()
    for path in folder.glob("*.parquet"):
        facts = {"settings": json.dumps(settings), "measured_by": json.dumps([COMMIT])}
        restamp(path, code_revision=COMMIT, **facts)
    return folder


def change(path, *keys, to):
    """Changes one setting that a table holds."""
    settings = json.loads(pq.read_schema(path).metadata[b"settings"])
    section = settings
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = to
    restamp(path, settings=json.dumps(settings))


def test_tables_of_one_commit_that_hold_the_settings_of_their_configuration_are_taken(proved):
    found = origin("cifar", proved.parent)
    assert (found.revisions, found.legacy) == ((COMMIT,), None)
    assert found.settings["presets"]["cifar10-small"]["training"]["steps"] == 4000
    assert found.packages["torch"].startswith("2.")


def test_a_key_that_came_later_has_its_default(proved):
    for path in proved.glob("*.parquet"):
        settings = json.loads(pq.read_schema(path).metadata[b"settings"])
        del settings["presets"]["cifar10-small"]["training"]["precision"]
        restamp(path, settings=json.dumps(settings))
    assert origin("cifar", proved.parent).settings["presets"]["cifar10-small"]["training"]["precision"] == "float32"


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (lambda path: restamp(path, code_revision=OTHER), f"revisions {COMMIT}, {OTHER}; they must be of one"),
        (lambda path: restamp(path, measured_by=json.dumps([COMMIT, OTHER])), "they must be of one"),
        (lambda path: restamp(path, code_revision=f"{COMMIT}-dirty"), "they must be of one"),
        (
            lambda path: change(path, "presets", "cifar10-small", "slow_points", "max_iterations", to=30),
            r"spectrum.parquet: presets.cifar10-small.slow_points.max_iterations is 30 in its metadata, but 300 in .*"
            r"config.yaml; run the study anew, or give the reason in .*legacy.yaml",
        ),
        (lambda path: change(path, "presets", "cifar10-small", "seeds", to=3), "seeds is 3 in its metadata, but 5"),
        (lambda path: change(path, "modes", to=["control"]), r"modes is \['control'\] in its metadata, but"),
    ],
)
def test_one_altered_table_is_refused(proved, alter, message):
    alter(proved / "spectrum.parquet")
    with pytest.raises(ValueError, match=message):
        origin("cifar", proved.parent)


def test_tables_of_a_tree_with_uncommitted_changes_are_refused(proved):
    for path in proved.glob("*.parquet"):
        restamp(path, code_revision=f"{COMMIT}-dirty", measured_by=json.dumps([f"{COMMIT}-dirty"]))
    with pytest.raises(ValueError, match=f"tables are of revision {COMMIT}-dirty; it must be a commit"):
        origin("cifar", proved.parent)


def test_a_changed_configuration_refuses_its_tables(proved):
    config = proved / "config.yaml"
    config.write_text(config.read_text().replace("seeds: 5", "seeds: 2"))
    with pytest.raises(ValueError, match="seeds is 5 in its metadata, but 2"):
        origin("cifar", proved.parent)


def test_a_legacy_file_without_need_is_refused(proved):
    shutil.copy(REFERENCE / "mnist-tenth/legacy.yaml", proved)
    with pytest.raises(ValueError, match=r"legacy.yaml: the tables prove their revision and settings; remove the file"):
        origin("cifar", proved.parent)


@pytest.mark.parametrize("study", [study for study in studies() if origin(study).legacy])
def test_a_legacy_study_is_refused_without_its_reason(study, tmp_path):
    shutil.copytree(REFERENCE / study, tmp_path / study, ignore=shutil.ignore_patterns("legacy.yaml"))
    with pytest.raises(ValueError, match="hold no settings"):
        origin(study, tmp_path)


@pytest.mark.parametrize("study", studies())
def test_settings_agree_with_what_the_tables_show(study):
    settings = origin(study).settings
    networks, points, tuned = (
        pd.read_parquet(REFERENCE / study / f"{table}.parquet")
        for table in ("networks", "slow_points", "regularisation")
    )
    for dataset, written in settings["presets"].items():
        preset = Preset.of(written)
        of_dataset = networks[networks["dataset"] == dataset]
        assert set(of_dataset["steps"]) == {preset.training.steps}
        assert set(of_dataset["seed"]) == set(range(preset.seeds))
        searched = points[points["dataset"] == dataset]
        most, limit = searched["iterations"].max(), preset.slow_points.max_iterations
        assert most == limit or (most < limit and searched["converged"].all())
        states = searched[searched["architecture"] == "gru"]["state"].dropna()
        assert {len(state) for state in states} == {preset.network.hidden}
        lambda_ = preset.regularisation.lambda_
        for mode, values in tuned[tuned["dataset"] == dataset].groupby("mode")["lambda"]:
            assert mode in settings["modes"]
            expected = 0 if mode == "control" else lambda_[mode] if isinstance(lambda_, dict) else lambda_
            assert set(values) == set(expected if isinstance(expected, (list, tuple)) else [expected])
