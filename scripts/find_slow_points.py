"""Slow points of every network of a cell and mode, with the eigenvalues there and the states around them."""

from _job import logged
from slowpoints import load_images, load_networks, measure_slow_points
from slowpoints.storage import with_cell, write_table

with logged(snakemake):
    networks = load_networks(snakemake.input.weights)
    images = load_images(snakemake.input.train)
    tables = measure_slow_points(
        networks, images, snakemake.params.slow_points, longest_delay=snakemake.params.longest_delay
    )
    for kind, table in tables._asdict().items():
        write_table(with_cell(table, kind, networks.spec), snakemake.output[kind], kind=kind)
