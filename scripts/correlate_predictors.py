"""Correlations of every predictor with memory."""

from _job import logged, own_study
from slowpoints import correlations
from slowpoints.analysis.aggregation import as_trained
from slowpoints.core.schemas.study import CORRELATIONS
from slowpoints.core.tables import read_study_tables, study_of, write_table

with logged(snakemake):
    study = own_study(snakemake)
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    networks, extrapolation, points = tables.values()
    found = correlations(networks, as_trained(extrapolation), as_trained(points))
    write_table(found, snakemake.output[0], CORRELATIONS, study=study_of(tables))
