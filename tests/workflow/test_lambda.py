"""Sweeps of lambda: existing results are kept under their names."""

import pyarrow.parquet as pq
import pytest
import yaml

CELL = "results/networks/digits-tiny/gru/vocu"
STUDY = {
    "study": "sweep",
    "datasets": ["digits-tiny"],
    "architectures": ["gru"],
    "protocols": ["vocu"],
    "modes": ["slow_points"],
    "seeds": 1,
}


def sweep(project, lambda_):
    presets = {"digits-tiny": {"regularisation": {"lambda": lambda_, "steps": 2}}}
    (project.folder / "config/sweep.yaml").write_text(yaml.safe_dump(STUDY | {"presets": presets}))
    return ("--cores", "2", "--configfile", "config/sweep.yaml")


def test_only_a_sweep_is_measured_on_the_validation_images(project):
    assert not {"validate_networks", "collate_validation"} & set(project.planned(*sweep(project, 0.1)))
    jobs = project.planned(*sweep(project, [0.01, 0.1]))
    assert (jobs["validate_networks"], jobs["regularise_networks"]) == (2, 2)
    assert jobs["collate_validation"] == jobs["collate_costs"] == 1


@pytest.mark.slow
def test_a_number_that_becomes_a_list_retrains_nothing(project):
    one = f"{CELL}/slow_points/0-0/accuracy.parquet"
    project.snakemake(one, *sweep(project, 0.1))
    several = sweep(project, [0.01, 0.1, 0.10000001])
    jobs = project.planned(one, *several)
    assert jobs == {}
    output = project.snakemake("-n", "results/sweep/tables/regularisation.parquet", *several)
    assert f"{CELL}/slow_points-0.01/0-0/weights.safetensors" in output
    assert f"{CELL}/slow_points-0.10000001/0-0/weights.safetensors" in output  # close, yet another
    assert f"{CELL}/slow_points-0.1/" not in output
    project.snakemake(one, *several, "--forcerun", "regularise_networks")  # made anew under its name, too
    assert pq.read_table(project.folder / one)["lambda"].to_pylist() == [0.1]
    assert set(project.planned(one, *sweep(project, 0.2))) == {"regularise_networks"}
    # A list that becomes a number: the plain folder's networks, of another lambda, are made anew, as of that number.
    project.snakemake(one, *sweep(project, 0.01))
    assert pq.read_table(project.folder / one)["lambda"].to_pylist() == [0.01]
    output = project.snakemake("-n", "results/sweep/tables/regularisation.parquet", *sweep(project, [0.01, 0.1]))
    assert f"{CELL}/slow_points-0.1/0-0/weights.safetensors" in output
    assert f"{CELL}/slow_points-0.01/" not in output
