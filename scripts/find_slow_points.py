"""Slow points of every network of a cell, with the eigenvalues there, the paths to them and the states around."""

from _job import logged
from slowpoints import load_images, measure_slow_points
from slowpoints.core.presets.search import Search
from slowpoints.core.schemas.slow_points import RELAXATION, SLOW_POINTS, SPECTRUM, TRAJECTORIES
from slowpoints.core.tables import with_cell, write_table
from slowpoints.measures.trajectories import measure_trajectories
from slowpoints.networks.seed_blocks import load_seed_block, weights_digest

with logged(snakemake):
    settings, longest = Search.of(snakemake.params.slow_points), snakemake.params.longest_delay
    networks, images = load_seed_block(snakemake.input.weights), load_images(snakemake.input.train)
    points = measure_slow_points(networks, images, settings, longest_delay=longest)
    trajectories = measure_trajectories(networks, images, points)
    for schema, table in (
        (SLOW_POINTS, points.slow_points),
        (SPECTRUM, points.spectrum),
        (RELAXATION, points.relaxation),
        (TRAJECTORIES, trajectories),
    ):
        table = with_cell(table, schema, networks.spec)
        facts = {"weights": weights_digest(networks), "class_names": images.class_names}
        write_table(table, snakemake.output[schema.name], schema, **facts)
