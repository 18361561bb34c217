"""Bad input stops a run with one clear message, before training, and leaves no output behind."""

import gzip
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from slowpoints.datasets.readers import idx


def write_config(project, **config):
    path = project.folder / "config/mine.yaml"
    path.write_text(yaml.safe_dump({"study": "mine"} | config))
    return ("--cores", "1", "--configfile", "config/mine.yaml")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sedes": 3}, "config/mine.yaml: unknown key sedes; allowed are"),
        (
            {"datasets": ["digits-tiny"], "presets": {"digits-tiny": {"training": {"learning_rate": -1}}}},
            "config/mine.yaml: presets.digits-tiny.training.learning_rate is -1; it must be more than 0",
        ),
        ({"datasets": ["mnist-small"], "data_dir": "/no/such/place"}, "there is no folder /no/such/place/mnist"),
        ({"presets": {1: {"base": "digits"}}}, "presets has the key 1; it must be text, in quotes: '1'"),
    ],
)
def test_settings_stop_the_run_at_once(project, config, message):
    output = project.snakemake(*write_config(project, **config), fails=True)
    assert message in output
    assert "Traceback" not in output
    assert project.files() == set()


ONE = "study: mine\ndatasets: [digits-tiny]\nmodes: []\n"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (f"{ONE}seeds: 1\nseeds: 2\n", (), "config/mine.yaml: the key seeds is given twice, in lines 4 and 5"),
        (ONE, ("presets={digits-tiny: {seeds: 1, seeds: 2}}",), "--config presets: the key seeds is given twice"),
        ("datasets: [digits-tiny]\n", ("seeds=1",), "config/mine.yaml: study is missing; add `study: NAME`"),
        (ONE, ("datasets=digits",), "datasets is 'digits'; it must be a list, in brackets: [digits]"),
    ],
)
def test_a_file_or_setting_that_cannot_be_stops_the_run_at_once(project, text, options, message):
    (project.folder / "config/mine.yaml").write_text(text)
    output = project.snakemake("-n", "all", "--configfile", "config/mine.yaml", "--config", *options, fails=True)
    assert message in output
    assert "Traceback" not in output
    assert len(output.strip().splitlines()) <= 4, output


def test_a_preset_that_ships_has_each_key_once(project):
    with (project.folder / "config/presets/digits.yaml").open("a") as preset:
        preset.write("seeds: 3\n")
    output = project.snakemake("-n", fails=True)
    assert "config/presets/digits.yaml: the key seeds is given twice, in lines 4 and " in output


def test_the_default_study_and_settings_on_top_need_no_name(project):
    assert "results/default/" in project.snakemake("-n", "all", "--config", "seeds=1", "modes=[]")
    (project.folder / "config/mine.yaml").write_text("datasets: [digits-tiny]\nmodes: []\n")
    named = ("--configfile", "config/mine.yaml", "--config", "study=mine")
    assert "results/default/" not in project.snakemake("-n", "all", *named)


CELL = "results/networks/digits-tiny/gru/vocu"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("results/datasets/glyphs/train.parquet", "the study mine has no data set glyphs, but digits-tiny; add it"),
        (
            f"{CELL}/settled-3/0-1/weights.safetensors",
            "settled-3 is not a mode of the study mine (keys modes and lambda)",
        ),
        (f"{CELL}/trained/5-2/weights.safetensors", "block 5-2: its last seed comes before its first"),
        (
            "results/other/figures/claims.pdf",
            "results/other/tables/ has no tables of other; give the --configfile of other",
        ),
        ("results/other/explorer.html", "results/other/tables/ has no tables of other; give the --configfile of other"),
        ("results/reference-other/explorer.html", "reference/other/ has no tables of reference-other; see reference/"),
    ],
)
def test_a_file_that_the_study_does_not_have_is_named(project, target, message):
    (project.folder / "config/mine.yaml").write_text(ONE)
    output = project.snakemake("-n", target, "--configfile", "config/mine.yaml", fails=True)
    assert message in output
    assert "Error in" not in output
    assert ".smk" not in output


def test_a_lambda_that_cannot_be_read_stops_the_run_at_once(project):
    note = project.folder / "results/networks/digits-tiny/gru/vocu/slow_points/lambda.txt"
    note.parent.mkdir(parents=True)
    note.write_text("much")
    output = project.snakemake("--cores", "1", "--configfile", "config/test.yaml", fails=True)
    assert f"{note.relative_to(project.folder)} should hold the lambda of the networks beside it" in output
    assert len(output.strip().splitlines()) <= 3, output


def idx_source(folder, *, cut=0):
    """A small idx data set of random images, its training images `cut` bytes short."""
    rng = np.random.default_rng(0)
    for prefix, n in (("train", 200), ("t10k", 100)):
        images, labels = rng.integers(0, 256, (n, 6, 6), dtype=np.uint8), (np.arange(n) % 10).astype(np.uint8)
        data = struct.pack(">4I", 2051, *images.shape) + images.tobytes()
        names = [name for name in idx.NAMES if name.startswith(prefix)]
        (folder / f"{names[0]}.gz").write_bytes(gzip.compress(data[: len(data) - cut]))
        (folder / names[1]).write_bytes(struct.pack(">2I", 2049, n) + labels.tobytes())
    return {"base": "digits-tiny", "source": {"kind": "idx", "path": str(folder)}}


def parquet_source(folder):
    """A small Parquet data set with one missing pixel."""
    for name in ("train", "test"):
        images = np.random.default_rng(0).random((100, 36))
        images[7, 7] = np.nan
        table = pa.table({"image": pa.array(list(images)), "label": pa.array(np.arange(100) % 10)})
        pq.write_table(table, folder / f"{name}.parquet")
    return {"base": "digits-tiny", "source": {"kind": "parquet", "path": str(folder), "shape": [6, 6, 1]}}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: idx_source(folder, cut=5), "train-images-idx3-ubyte.gz: 7211 bytes where its header says 7216"),
        (parquet_source, "train.parquet: column image has missing or non-finite values"),
    ],
)
def test_damaged_files_stop_before_training(project, tmp_path, make, message):
    folder = tmp_path / "data"
    folder.mkdir()
    config = write_config(project, datasets=["mine"], architectures=["gru"], presets={"mine": make(folder)})
    output = project.snakemake(*config, fails=True)
    assert f"rule prepare_dataset: ValueError: {folder}/{message}" in output
    assert project.files() == set()


def test_training_that_diverges_names_seed_and_step(project):
    preset = {"base": "digits-tiny", "training": {"learning_rate": 1e37}}
    cell = {"datasets": ["wild"], "architectures": ["lstm"], "protocols": ["none"]}
    output = project.snakemake(*write_config(project, **cell, presets={"wild": preset}), fails=True)
    assert "Diverged: wild lstm none, seed 0: the loss is not finite at step" in output
    assert not [file for file in project.files() if file.startswith("networks")]


def test_a_gpu_that_is_not_there_is_said_to_be_missing(project):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    config = write_config(project, datasets=["digits-tiny"], device="cuda")
    output = project.snakemake(*config, fails=True)
    assert "device is cuda, but PyTorch finds no GPU here; set device to auto or cpu" in output


def test_real_mnist_is_trained_on_measured_and_tuned(project, real_data):
    """All jobs of a cell on the real files, with a preset reduced to seconds."""
    tiny = {"base": "mnist-small", "seeds": 1, "network": {"hidden": 16}, "training": {"steps": 30, "bank": 32}}
    tiny |= {"memory": {"delays": [4, 19, 20, 40], "n_images": 100}}
    tiny |= {"slow_points": {"adam_steps": 50, "max_iterations": 2, "images_per_class": 10}}
    tiny |= {"formation": {"snapshots": 2, "max_iterations": 1}, "regularisation": {"steps": 2}}
    study = {
        "study": "tiny",
        "modes": ["slow_points"],
        "datasets": ["mnist-tiny"],
        "architectures": ["gru"],
        "protocols": ["vocu"],
        "data_dir": str(real_data),
    }
    config = write_config(project, **study, presets={"mnist-tiny": tiny})
    cell = "networks/mnist-tiny/gru/vocu"
    made = [f"{cell}/trained/0-0/{name}.parquet" for name in ("extrapolation", "formation")]
    made.append(f"{cell}/slow_points/0-0/spectrum.parquet")
    project.snakemake(*(f"results/{file}" for file in made), *config)
    assert set(made) < project.files()
