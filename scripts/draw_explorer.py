"""The explorer of a study, from its tables."""

from _job import logged
from slowpoints.core.looks import Look
from slowpoints.core.tables import read_study_tables
from slowpoints.explorer.page import write_page

with logged(snakemake):
    tables = read_study_tables(snakemake.input, snakemake.params.versions)
    units = {name: Look(**look) for name, look in snakemake.params.units.items()}
    write_page(snakemake.wildcards.study, tables, snakemake.output[0], units)
