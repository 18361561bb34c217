"""Verdicts on the paper's claims."""

from _job import logged
from slowpoints import judge
from slowpoints.core.schemas.study import CLAIMS
from slowpoints.core.tables import read_study_tables, write_table

with logged(snakemake):
    tables = read_study_tables(snakemake.input, snakemake.params.versions)
    write_table(judge(**tables), snakemake.output[0], CLAIMS)
