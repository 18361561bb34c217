"""Accuracy on the trained task, and retrieval accuracy against delay, of every network of a cell."""

from _job import logged
from slowpoints import load_images, load_networks, measure_accuracy, measure_memory
from slowpoints.storage import with_cell, write_table

with logged(snakemake):
    settings = snakemake.params.memory
    networks = load_networks(snakemake.input.weights)
    images = load_images(snakemake.input.test)
    tables = {
        "accuracy": measure_accuracy(networks, images, n_images=settings["n_images"]),
        "extrapolation": measure_memory(networks, images, **settings),
    }
    for kind, table in tables.items():
        write_table(with_cell(table, kind, networks.spec), snakemake.output[kind], kind=kind)
