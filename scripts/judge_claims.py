"""Verdicts on the paper's claims."""

from _job import logged, own_study
from slowpoints import judge
from slowpoints.core.schemas.study import CLAIMS
from slowpoints.core.tables import read_study_tables, study_of, write_table

with logged(snakemake):
    study = own_study(snakemake)
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    write_table(judge(**tables), snakemake.output[0], CLAIMS, study=study_of(tables))
