"""Correlations of every predictor with memory."""

from _job import logged, own_study
from slowpoints import correlations
from slowpoints.analysis.aggregation import as_trained
from slowpoints.core.schemas.study import CORRELATIONS
from slowpoints.core.tables import read_study_tables, study_of, write_table

with logged(snakemake):
    study = own_study(snakemake)
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    extrapolation, points = as_trained(tables["extrapolation"]), as_trained(tables["slow_points"])
    table = correlations(tables["networks"], extrapolation, points)
    write_table(table, snakemake.output[0], CORRELATIONS, study=study_of(tables))
