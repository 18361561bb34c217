"""Correlations of every predictor with memory."""

from _job import logged, own_study
from slowpoints.analysis.predictors import study_correlations
from slowpoints.core.schemas.study import CORRELATIONS
from slowpoints.core.tables import read_study_tables, study_of, write_table

with logged(snakemake):
    study = own_study(snakemake)
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    write_table(study_correlations(tables), snakemake.output[0], CORRELATIONS, study=study_of(tables))
