"""Accuracy on the trained task, and retrieval accuracy against delay, of every network of a cell and mode."""

from _job import device, logged
from slowpoints import load_images, load_networks, measure_accuracy, measure_memory
from slowpoints.storage import with_cell, write_table

with logged(snakemake):
    settings = snakemake.params.memory
    networks = load_networks(snakemake.input.weights, device(snakemake.params.device))
    images = load_images(snakemake.input.test)
    accuracy = measure_accuracy(networks, images, n_images=settings["n_images"])
    accuracy["device"] = networks.trained_on
    retrieval = measure_memory(networks, images, **settings)
    write_table(with_cell(accuracy, "accuracy", networks.spec), snakemake.output.accuracy, kind="accuracy")
    write_table(
        with_cell(retrieval, "extrapolation", networks.spec), snakemake.output.extrapolation, kind="extrapolation"
    )
