"""Files of a user's data set: it is remade if their contents change, not their times or folder."""

import gzip
import shutil
import struct

import numpy as np
import yaml

from slowpoints.datasets.readers import idx


def write_images(folder, seed):
    """A small idx data set of random images: more than the megabyte up to which Snakemake looks at contents itself."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for prefix, n in (("train", 6000), ("t10k", 100)):
        images, labels = rng.integers(0, 256, (n, 14, 14), dtype=np.uint8), (np.arange(n) % 10).astype(np.uint8)
        names = [name for name in idx.NAMES if name.startswith(prefix)]
        content = struct.pack(">4I", 2051, *images.shape) + images.tobytes()
        (folder / f"{names[0]}.gz").write_bytes(gzip.compress(content, 1))
        (folder / names[1]).write_bytes(struct.pack(">2I", 2049, n) + labels.tobytes())


def test_only_other_contents_make_a_data_set_again(project):
    write_images(project.folder / "data/mine", seed=0)
    preset = {"base": "digits-tiny", "source": {"kind": "idx", "path": "mine"}}
    study = {
        "study": "mine",
        "datasets": ["mine"],
        "architectures": ["gru"],
        "data_dir": "data",
        "presets": {"mine": preset},
    }
    (project.folder / "mine.yaml").write_text(yaml.safe_dump(study))
    target = "results/datasets/mine/train.parquet"
    config = ("--configfile", "mine.yaml")
    project.snakemake(target, "--cores", "1", *config)
    for file in (project.folder / "data/mine").iterdir():
        file.touch()
    elsewhere = project.folder.parent / "elsewhere"
    shutil.move(project.folder / "data", elsewhere)
    moved = (*config, "--config", f"data_dir={elsewhere}")
    assert project.planned(target, *moved) == {}
    shutil.rmtree(elsewhere)
    write_images(elsewhere / "mine", seed=1)
    assert project.planned(target, *moved) == {"prepare_dataset": 1}
