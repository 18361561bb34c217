"""The table `regularisation`: measures of every network before and after fine-tuning."""

from _job import logged, own_study
from slowpoints.analysis.aggregation import code_revisions, collate, regularisation_table
from slowpoints.core.schemas.memory import ACCURACY
from slowpoints.core.schemas.study import REGULARISATION
from slowpoints.core.tables import read_study_tables, write_table

with logged(snakemake):
    study = own_study(snakemake)
    accuracy = collate(snakemake.input.accuracy, ACCURACY, snakemake.params.seeds)
    measured = read_study_tables(snakemake.input, snakemake.params.versions, study)
    regularisation = regularisation_table(accuracy, measured["extrapolation"], measured["slow_points"])
    facts = {"settings": snakemake.params.settings, "measured_by": code_revisions(snakemake.input.accuracy)}
    write_table(regularisation, snakemake.output[0], REGULARISATION, study=study, **facts)
