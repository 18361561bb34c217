"""Accuracy on the trained task, and retrieval accuracy against delay, of every network of a cell."""

from _job import logged
from slowpoints import load_images, measure_accuracy, measure_memory
from slowpoints.core.schemas.memory import ACCURACY, EXTRAPOLATION, EXTRAPOLATION_BY_NOISE
from slowpoints.core.tables import with_cell, write_table
from slowpoints.measures.retrieval import measure_in_less_noise
from slowpoints.networks.seed_blocks import load_seed_block

with logged(snakemake):
    settings = snakemake.params.memory
    networks = load_seed_block(snakemake.input.weights)
    images = load_images(snakemake.input.test)
    accuracy = measure_accuracy(networks, images, n_images=settings["n_images"])
    for schema, table in (
        (ACCURACY, accuracy),
        (EXTRAPOLATION, measure_memory(networks, images, **settings)),
        (EXTRAPOLATION_BY_NOISE, measure_in_less_noise(networks, images, **settings)),
    ):
        table = with_cell(table, schema, networks.spec)
        write_table(table, snakemake.output[schema.name], schema, class_names=images.class_names)
