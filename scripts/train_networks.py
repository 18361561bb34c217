"""All networks of a block of a cell, trained together, with snapshots on the way."""

from _job import device, logged
from slowpoints import load_images, save_networks
from slowpoints.resume import ResumeAt
from slowpoints.snapshots import save_snapshots
from slowpoints.storage import write_table
from slowpoints.training import build_networks, train

with logged(snakemake):
    images = load_images(snakemake.input.train)
    cell, preset = snakemake.wildcards, snakemake.params.preset
    place = device(snakemake.params.device)
    untrained = build_networks(
        cell.dataset, cell.architecture, cell.protocol, snakemake.params.seeds, images, preset, place
    )
    resume = ResumeAt.beside(snakemake.output.weights, snakemake.config["resume_minutes"])
    networks, history, snapshots = train(
        untrained, images, preset["training"], snapshots=preset["formation"]["snapshots"], resume=resume
    )
    write_table(history, snakemake.output.training, kind="training")
    save_snapshots(snapshots, networks.seeds, snakemake.output.snapshots)
    save_networks(networks, snakemake.output.weights)
    resume.done()
