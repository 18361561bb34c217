"""All networks of a block of a cell, trained together, with snapshots on the way."""

from pathlib import Path

from _job import logged
from slowpoints import load_images
from slowpoints.devices import chosen_device
from slowpoints.training import train_block

with logged(snakemake):
    cell = snakemake.wildcards
    train_block(
        (cell.dataset, cell.architecture, cell.protocol),
        snakemake.params.seeds,
        load_images(snakemake.input.train),
        snakemake.params.preset,
        Path(snakemake.output.weights).parent,
        device=chosen_device(snakemake.config["device"]),
        resume_minutes=float(snakemake.config["resume_minutes"]),
    )
