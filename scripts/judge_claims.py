"""Verdicts on the paper's claims."""

from _job import logged
from slowpoints import judge
from slowpoints.core.layout import study_named
from slowpoints.core.schemas.study import CLAIMS
from slowpoints.core.tables import read_study_tables, study_of, write_table

with logged(snakemake):
    study = study_named(snakemake.output[0])
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    write_table(judge(**tables), snakemake.output[0], CLAIMS, study=study_of(tables))
