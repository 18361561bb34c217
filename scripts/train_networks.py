"""All networks of a block of a cell, trained together."""

from _job import device, logged
from slowpoints import load_images, save_networks
from slowpoints.storage import write_table
from slowpoints.training import build_networks, train

with logged(snakemake):
    images = load_images(snakemake.input.train)
    preset, cell = snakemake.params.preset, snakemake.wildcards
    untrained = build_networks(
        cell.dataset,
        cell.architecture,
        cell.protocol,
        snakemake.params.seeds,
        images,
        preset,
        device(snakemake.params.device),
    )
    networks, table, _ = train(untrained, images, preset["training"])
    write_table(table, snakemake.output.training, kind="training")
    save_networks(networks, snakemake.output.weights)
