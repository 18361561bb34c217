"""Slow points of every network of a cell, tracked back through training."""

from _job import logged
from slowpoints.core.presets.training import Training
from slowpoints.core.schemas.formation import FORMATION
from slowpoints.core.tables import stored_class_names, with_cell, write_table
from slowpoints.dynamics.snapshots import load_snapshots
from slowpoints.measures.formation import measure_formation
from slowpoints.measures.points import read_points
from slowpoints.networks.seed_blocks import load_seed_block
from slowpoints.task.curricula import class_orders, stages
from slowpoints.task.protocol import protocol_of

with logged(snakemake):
    networks, protocol = load_seed_block(snakemake.input.weights), protocol_of(snakemake.params.protocol)
    spec = networks.spec
    table = measure_formation(
        load_snapshots(snakemake.input.snapshots, networks),
        read_points(snakemake.input.slow_points, networks),
        stages(protocol, Training.of(snakemake.params.training), spec.classes),
        class_orders(protocol, spec.classes, spec.dataset, networks.seeds),
        max_iterations=snakemake.params.max_iterations,
    )
    names = stored_class_names(snakemake.input.slow_points)
    write_table(with_cell(table, FORMATION, spec), snakemake.output.formation, FORMATION, class_names=names)
