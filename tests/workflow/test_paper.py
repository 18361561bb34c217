"""The paper's grid from real files to figures, with the published sizes but fewer steps and networks."""

import pandas as pd
import pytest
import yaml

from slowpoints.plots.figures import FIGURES

CUT = {
    "training": {"steps": 3},
    "memory": {"delays": [4, 19, 20, 40], "n_images": 20, "bank": 60},
    "slow_points": {"adam_steps": 5, "max_iterations": 1, "images_per_class": 4},
    "formation": {"snapshots": 1, "max_iterations": 1},
    "regularisation": {"steps": 1},
}


@pytest.mark.slow
def test_the_paper_grid_runs_with_its_steps_cut(project, real_data):
    part = {"source": {"train_files": ["data_batch_1"]}, "training": {"steps": 2, "noise": "bank", "bank": 20}}
    config = {"seeds": 1, "data_dir": str(real_data), "presets": {"mnist": CUT, "cifar10": {**CUT, **part}}}
    (project.folder / "config/cut.yaml").write_text(yaml.safe_dump(config))
    configs = ("--configfile", "config/paper.yaml", "config/cut.yaml")
    project.snakemake("--cores", "2", *configs, "--keep-going", minutes=60)
    tables = project.folder / "results/paper/tables"
    networks = pd.read_parquet(tables / "networks.parquet")
    parameters = networks.groupby(["dataset", "architecture"])["n_parameters"].first()
    assert parameters["mnist", "gru"] == 593_811
    assert parameters["mnist", "lstm"] == 791_011
    assert set(networks["steps"]) == {2, 3}
    assert len(list((project.folder / "results/paper/figures").iterdir())) == 3 * len(FIGURES)
