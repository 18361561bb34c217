"""Training of one cell without Snakemake: `python -m slowpoints.train mnist gru vocu --help`.

For a borrowed GPU: what it writes lies where the workflow would put it, byte for byte on the same machine, so that a
results folder copied home (`rsync -a`, which keeps times) goes on there with the measures. Run again after an
interruption, it goes on where it was. It needs this library's Python requirements, but not Snakemake.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import torch
import yaml

from slowpoints.cells import CELLS
from slowpoints.datasets.files import DOWNLOADS, download
from slowpoints.datasets.images import load_images
from slowpoints.datasets.making import make_dataset
from slowpoints.devices import chosen_device, device_name
from slowpoints.protocols import PROTOCOLS
from slowpoints.provenance import settings_digest
from slowpoints.settings import ConfigError, Study, read_study
from slowpoints.storage import provenance
from slowpoints.training import Diverged, train_block

ROOT = Path(__file__).parents[2]
RESOURCES = Path("resources")  # as the workflow, below the folder it is run in
PARTS = ("train", "valid", "test")
PRESET = ("network", "training", "formation")


def main(arguments: list[str] | None = None) -> None:
    """The command line; leaves with a message and status 1 where something is wrong."""
    given = _parser().parse_args(arguments)
    torch.set_num_threads(1)  # as the workflow's jobs, for the same bits
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr, force=True)
    try:
        study = _study(given)
        folder = given.results / "networks" / given.dataset / given.architecture / given.protocol / "trained"
        _train(study, given, folder)
    except (ConfigError, Diverged, MemoryError, OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"slowpoints.train: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m slowpoints.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="name of a preset, such as mnist")
    parser.add_argument("architecture", choices=sorted(CELLS))
    parser.add_argument("protocol", choices=sorted(PROTOCOLS))
    parser.add_argument("--seeds", help="first and last, such as 0-9; default: as many as the preset says")
    parser.add_argument(
        "--config",
        type=Path,
        help="a configuration, for its presets and data_dir; settings of a trial run belong into a preset of its own",
    )
    parser.add_argument("--data-dir", help="folder with mnist/, cifar10/ ...")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--resume-minutes", type=float, default=1.0, help="time between two resume files (1)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder to write to (results)")
    return parser


def _study(given: argparse.Namespace) -> Study:
    config = (yaml.safe_load(given.config.read_text()) or {}) if given.config else {}
    config["datasets"] = [given.dataset]
    if given.data_dir:
        config["data_dir"] = given.data_dir
    schema, shipped = ROOT / "workflow/schemas/config.schema.yaml", ROOT / "config/presets"
    name = str(given.config or "command line")
    return read_study(config, schema=schema, shipped=shipped, name=name, resources=RESOURCES)


def _train(study: Study, given: argparse.Namespace, folder: Path) -> None:
    preset = study.presets[given.dataset]
    first, last = _seeds(given.seeds, study.seeds(given.dataset))
    images = _images(study, given.dataset, given.results)
    settings = {"preset": {name: preset[name] for name in PRESET}, "seeds": list(range(first, last + 1))}
    block = folder / f"{first}-{last}"
    with provenance(config_digest=settings_digest(settings), device=device_name(given.device)):
        train_block(
            (given.dataset, given.architecture, given.protocol),
            settings["seeds"],
            load_images(images["train"]),
            settings["preset"],
            block,
            device=chosen_device(given.device),
            resume_minutes=given.resume_minutes,
        )
    logging.info("trained networks are in %s", block)


def _seeds(text: str | None, seeds: int) -> tuple[int, int]:
    first, _, last = (text or f"0-{seeds - 1}").partition("-")
    if not (first.isdigit() and (last or first).isdigit()) or int(last or first) < int(first):
        raise ConfigError(f"--seeds is {text!r}; it must be a number, or first and last such as 0-9")
    return int(first), int(last or first)


def _images(study: Study, dataset: str, results: Path) -> dict[str, Path]:
    """Files of the data set, made, and downloaded before, where they are not there yet."""
    files = {part: results / "datasets" / dataset / f"{part}.parquet" for part in PARTS}
    if all(file.is_file() for file in files.values()):
        return files
    source, folder = study.presets[dataset]["source"], study.folders[dataset]
    if folder is not None and RESOURCES in folder.parents:
        for name in DOWNLOADS[source["kind"]]:
            if not (folder / name).is_file():
                download(name, source, folder / name)
    settings = {"source": source, "folder": None if folder is None else str(folder)}
    with provenance(config_digest=settings_digest(settings)):
        make_dataset(source, folder, files)
    return files


if __name__ == "__main__":
    main()
