"""Correlations of every predictor with memory."""

from _job import logged
from slowpoints import correlations
from slowpoints.analysis.aggregation import as_trained
from slowpoints.core.schemas.study import CORRELATIONS
from slowpoints.core.tables import read_table, write_table

with logged(snakemake):
    networks, extrapolation, points = (
        read_table(snakemake.input[name]) for name in ("networks", "extrapolation", "slow_points")
    )
    found = correlations(networks, as_trained(extrapolation), as_trained(points))
    write_table(found, snakemake.output[0], CORRELATIONS)
