"""Verdicts on the paper's claims."""

from _job import logged
from slowpoints import judge
from slowpoints.core.schemas.study import CLAIMS
from slowpoints.core.tables import read_table, write_table

with logged(snakemake):
    tables = {name: read_table(path) for name, path in snakemake.input.items()}
    write_table(judge(**tables), snakemake.output[0], CLAIMS)
