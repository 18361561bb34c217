"""Accuracy on the trained task, and retrieval accuracy against delay, of every network of a cell."""

import pandas as pd

from _job import logged
from slowpoints import load_images, load_networks, measure_accuracy, measure_memory
from slowpoints.core.schemas.memory import ACCURACY, EXTRAPOLATION, EXTRAPOLATION_BY_NOISE
from slowpoints.core.tables import with_cell, write_table
from slowpoints.measures.retrieval import QUIETER

with logged(snakemake):
    settings = snakemake.params.memory
    networks = load_networks(snakemake.input.weights)
    images = load_images(snakemake.input.test)
    accuracy = measure_accuracy(networks, images, n_images=settings["n_images"])
    extrapolation = measure_memory(networks, images, **settings)
    quieter = [
        measure_memory(networks, images, **settings, noise_scale=scale).assign(noise_scale=scale) for scale in QUIETER
    ]
    for kind, table in (
        (ACCURACY, accuracy),
        (EXTRAPOLATION, extrapolation),
        (EXTRAPOLATION_BY_NOISE, pd.concat(quieter, ignore_index=True)),
    ):
        write_table(with_cell(table, kind, networks.spec), snakemake.output[kind.name], kind)
