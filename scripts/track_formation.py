"""Slow points of every network of a cell, tracked back through training."""

from _job import logged
from slowpoints import load_networks
from slowpoints.formation import measure_formation
from slowpoints.protocols import class_orders, stages
from slowpoints.snapshots import load_snapshots
from slowpoints.storage import read_table, with_cell, write_table

with logged(snakemake):
    networks = load_networks(snakemake.input.weights)
    spec = networks.spec
    table = measure_formation(
        load_snapshots(snakemake.input.snapshots),
        read_table(snakemake.input.slow_points),
        stages(spec.protocol, snakemake.params.training, spec.classes),
        class_orders(spec.protocol, spec.classes, spec.dataset, networks.seeds),
        max_iterations=snakemake.params.max_iterations,
    )
    write_table(with_cell(table, "formation", spec), snakemake.output.formation, kind="formation")
