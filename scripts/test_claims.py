"""Correlations of every predictor with memory, and the verdicts on the paper's claims."""

from _job import logged
from slowpoints import correlations, judge
from slowpoints.storage import read_table, write_table
from slowpoints.tables import as_trained

with logged(snakemake):
    tables = {kind: read_table(path) for kind, path in snakemake.input.items()}
    networks = tables["networks"]
    found = correlations(networks, as_trained(tables["extrapolation"]), as_trained(tables["slow_points"]))
    write_table(found, snakemake.output.correlations, kind="correlations")
    verdicts = judge(networks, found, tables["formation"], tables["regularisation"])
    write_table(verdicts, snakemake.output.claims, kind="claims")
