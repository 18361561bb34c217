"""Accuracy on the trained task, and retrieval accuracy against delay, of every network of a cell."""

from _job import logged
from slowpoints import load_images, load_networks, measure_accuracy, measure_memory
from slowpoints.core.schemas.memory import ACCURACY, EXTRAPOLATION
from slowpoints.core.tables import with_cell, write_table

with logged(snakemake):
    settings = snakemake.params.memory
    networks = load_networks(snakemake.input.weights)
    images = load_images(snakemake.input.test)
    accuracy = measure_accuracy(networks, images, n_images=settings["n_images"])
    extrapolation = measure_memory(networks, images, **settings)
    for kind, table in ((ACCURACY, accuracy), (EXTRAPOLATION, extrapolation)):
        write_table(with_cell(table, kind, networks.spec), snakemake.output[kind.name], kind)
