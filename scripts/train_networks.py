"""Trains all networks of a seed block of a cell together, with snapshots on the way."""

from pathlib import Path

from _job import logged
from slowpoints import load_images
from slowpoints.core.devices import chosen_device
from slowpoints.core.presets.network import Network
from slowpoints.core.presets.training import Training
from slowpoints.task.protocol import protocol_of
from slowpoints.training.checkpoint import ResumeAt
from slowpoints.training.train import build_networks, train_block

with logged(snakemake):
    cell, params = snakemake.wildcards, snakemake.params
    images, protocol = load_images(snakemake.input.train), protocol_of(params.protocol)
    network, training = Network.of(params.network), Training.of(params.training)
    device = chosen_device(snakemake.config["device"])
    train_block(
        build_networks(cell.dataset, cell.architecture, protocol, params.seeds, images, network, training, device),
        images,
        training,
        protocol,
        Path(snakemake.output.weights).parent,
        snapshots=params.snapshots,
        resume=ResumeAt.beside(snakemake.output.weights, float(snakemake.config["resume_minutes"]), params.code),
    )
