"""Commands that do not need Snakemake: `slowpoints --help`, or `python -m slowpoints --help`."""

from __future__ import annotations

import argparse
import io
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from slowpoints.core import jobs
from slowpoints.core.config import ConfigError, read_configured, read_yaml
from slowpoints.core.digests import library_digest
from slowpoints.core.files import WEIGHTS
from slowpoints.core.layout import PARTS, seed_block_name
from slowpoints.core.modes import TRAINED
from slowpoints.core.progress import progress_in, progress_path
from slowpoints.core.project import project_path
from slowpoints.core.provenance import provenance, settings_digest
from slowpoints.networks.units import unit_file, units
from slowpoints.study import Study, read_study
from slowpoints.task.protocols import PROTOCOLS

if TYPE_CHECKING:
    from slowpoints.datasets.images import ImageSet

TRAIN = """Train the networks of one cell, for example on a borrowed GPU.

Files are written where the workflow would write them, and are identical byte for byte on the same machine. Copy the
results folder back (with `rsync -a`, which keeps times), and the workflow continues there with the measurements. After
an interruption, run the same command again to resume. This needs the library's Python requirements, but not Snakemake.
"""
STATUS = """Show the progress of a study, cell by cell, from its files and the progress that its jobs report.

Each seed block of a cell, in each mode, is listed as done; running (stage, step, accuracy of the last logged batch,
time left in this stage); failed (the error); killed (recognised on the machine where the job ran, and from SLURM's
queue); no news (the job ran on another machine and has reported nothing for ten minutes or more, so it may be dead);
queued in SLURM; or waiting, which includes jobs queued as a group. Jobs that SLURM can never start are listed at the
end. Run this command in the folder where the workflow runs, on any machine that can see this folder.
"""
NAME = "Check a configuration and print the name of its study, which is also that of the folder in results/."
SUMMARY = "Summarise a finished study as Markdown: networks, claims, predictors."


def main(arguments: list[str] | None = None) -> None:
    """Runs a command; exits with a message and status 1 if something is wrong."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without some character still shows the rest
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (ArithmeticError, ConfigError, MemoryError, OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"slowpoints {options.name}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slowpoints", description="Commands that do not need Snakemake.")
    commands = parser.add_subparsers(required=True, dest="name")
    raw = argparse.RawDescriptionHelpFormatter
    train = commands.add_parser("train", help=TRAIN.splitlines()[0], description=TRAIN, formatter_class=raw)
    train.set_defaults(command=_train)
    train.add_argument("dataset", help="name of a preset, such as mnist")
    train.add_argument("architecture", choices=sorted(units()), help="recurrent unit")
    train.add_argument("protocol", choices=sorted(PROTOCOLS), help="training protocol")
    train.add_argument("--seeds", help="first and last seed, such as 0-9 (default: as many as the preset sets)")
    train.add_argument(
        "--config",
        type=Path,
        help="configuration file, read for presets and data_dir; put settings of a trial run into a separate preset",
    )
    train.add_argument("--data-dir", help="folder that contains mnist/, cifar10/ ...")
    train.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="device (default: auto)")
    train.add_argument(
        "--resume-minutes", type=float, default=1.0, help="minutes between two resume files (default: 1)"
    )
    train.add_argument("--results", type=Path, default=Path("results"), help="folder to write to (default: results)")
    status = commands.add_parser("status", help=STATUS.splitlines()[0], description=STATUS, formatter_class=raw)
    status.set_defaults(command=_status)
    name = commands.add_parser("name", help=NAME, description=NAME)
    name.set_defaults(command=_name)
    for command in (status, name):
        files, settings = ("--configfile", "--configfiles"), ("--config", "-C")
        command.add_argument(*files, type=Path, nargs="+", default=[], help="as for snakemake")
        command.add_argument(*settings, nargs="*", default=[], metavar="KEY=VALUE", help="as for snakemake")
    summary = commands.add_parser("summary", help=SUMMARY, description=SUMMARY)
    summary.set_defaults(command=_summary)
    summary.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("results/default"),
        help="results/{study} (default: results/default)",
    )
    summary.add_argument("--brief", action="store_true", help="the networks and verdicts in a few lines")
    return parser


def _status(options: argparse.Namespace) -> None:
    from slowpoints.status import status

    print(status(_configured(options)))


def _name(options: argparse.Namespace) -> None:
    print(_configured(options).name)


def _configured(options: argparse.Namespace) -> Study:
    """The study that Snakemake makes of these options."""
    config, named, name = read_configured(options.configfile, options.config)
    return read_study(config, named=named, name=name)


def _summary(options: argparse.Namespace) -> None:
    from slowpoints.analysis.summary import brief, summary

    if not (options.folder / "tables/claims.parquet").is_file():
        raise FileNotFoundError(f"{options.folder} holds no tables of a finished study; it should be results/STUDY")
    print(brief(options.folder) if options.brief else summary(options.folder))


def _train(options: argparse.Namespace) -> None:
    """Does the same as the rule `train_networks`, and writes the same settings."""
    import torch

    from slowpoints.core.devices import chosen_device, device_name
    from slowpoints.training.checkpoint import ResumeAt
    from slowpoints.training.train import build_networks, train_block

    torch.set_num_threads(1)  # like the workflow's jobs, for the same bits
    study = _study(options)
    preset, protocol = study.presets[options.dataset], PROTOCOLS[options.protocol]
    first, last = _seeds(options.seeds, study.seeds(options.dataset))
    seeds = list(range(first, last + 1))
    images = _images(study, options.dataset, options.results)
    cell = (options.dataset, options.architecture, options.protocol)
    folder = options.results.joinpath("networks", *cell, TRAINED, seed_block_name(first, last))
    # Several jobs may share a terminal: each line names its cell, and overwrites the progress bar.
    wipe = "\r\x1b[K" if sys.stderr.isatty() else ""
    form = f"{wipe}%(asctime)s {' '.join(cell)} {folder.name}: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr, force=True)
    settings = study.training_settings(options.dataset, options.protocol, seeds)
    code = library_digest(project_path("scripts/train_networks.py"), unit_file(options.architecture))
    log = options.results.parent / jobs.log_file(jobs.TRAIN, *cell, folder.name)  # as a job of the workflow
    with (
        progress_in(progress_path(log)),
        provenance(config_digest=settings_digest(settings), device=device_name(options.device)),
    ):
        networks = build_networks(
            options.dataset,
            options.architecture,
            protocol,
            seeds,
            images,
            preset.network,
            preset.training,
            chosen_device(options.device),
        )
        resume = ResumeAt.beside(folder / WEIGHTS, options.resume_minutes, code)
        train_block(
            networks, images, preset.training, protocol, folder, snapshots=preset.formation.snapshots, resume=resume
        )
    logging.info("trained networks are in %s", folder)


def _study(options: argparse.Namespace) -> Study:
    config = read_yaml(options.config) if options.config else {}
    config["datasets"] = [options.dataset]
    if options.data_dir:
        config["data_dir"] = options.data_dir
    return read_study(config, name=str(options.config or "command line"))


def _seeds(text: str | None, seeds: int) -> tuple[int, int]:
    first, _, last = (text or seed_block_name(0, seeds - 1)).partition("-")
    if not (first.isdigit() and (last or first).isdigit()) or int(last or first) < int(first):
        raise ConfigError(f"--seeds is {text!r}; it must be a number, or first and last such as 0-9")
    return int(first), int(last or first)


def _images(study: Study, dataset: str, results: Path) -> ImageSet:
    """Training images of the data set, which is made, and its files downloaded, if it does not exist yet."""
    from slowpoints.datasets.building import make_dataset
    from slowpoints.datasets.images import load_images
    from slowpoints.datasets.sources import download

    made: dict[str, str | Path] = {part: results / "datasets" / dataset / f"{part}.parquet" for part in PARTS}
    if not all(Path(file).is_file() for file in made.values()):
        source, folder = study.presets[dataset].source, study.folders[dataset]
        for file in study.downloads(dataset):
            if not file.is_file():
                download(file.name, source, file)
        settings = {"source": study.source_settings(dataset), "files": study.files_digest(dataset)}
        settings["folder"] = None if folder is None else str(folder)
        with provenance(config_digest=settings_digest(settings)):
            make_dataset(source, folder, made)
    return load_images(made["train"])
