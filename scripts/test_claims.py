"""Correlations of every predictor with memory, and the verdicts on the paper's claims."""

from _job import logged
from slowpoints import correlations, judge
from slowpoints.storage import read_table, write_table

with logged(snakemake):
    networks, extrapolation, points = (
        read_table(snakemake.input[kind]) for kind in ("networks", "extrapolation", "slow_points")
    )
    found = correlations(networks, extrapolation, points)
    write_table(found, snakemake.output.correlations, kind="correlations")
    write_table(judge(networks, found), snakemake.output.claims, kind="claims")
