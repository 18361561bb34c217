"""Accuracy and memory of fine-tuned networks on the validation images, from which lambda is chosen."""

from _job import logged
from slowpoints import load_images, measure_accuracy, measure_memory
from slowpoints.analysis.aggregation import memory_measures
from slowpoints.core.schemas.memory import VALIDATION
from slowpoints.core.tables import with_cell, write_table
from slowpoints.networks.seed_blocks import load_seed_block

with logged(snakemake):
    params = snakemake.params
    networks, images = load_seed_block(snakemake.input.weights), load_images(snakemake.input.valid)
    accuracy = measure_accuracy(networks, images, n_images=params.memory["n_images"])
    memory = memory_measures(measure_memory(networks, images, **params.memory), ["seed"])
    table = accuracy.merge(memory, on="seed", validate="1:1")[["seed", "nominal_accuracy", "memory_score"]]
    table = with_cell(table, VALIDATION, networks.spec, params.mode, params.lambda_)
    write_table(table, snakemake.output[0], VALIDATION)
