"""The explorer of a study, from its tables."""

import _drawing  # noqa: F401 (before Matplotlib)
from _job import logged, own_study
from slowpoints.core.looks import unit_looks
from slowpoints.core.tables import read_study_tables
from slowpoints.explorer.page import write_page

with logged(snakemake), unit_looks(snakemake.params.units):
    study = own_study(snakemake)
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    write_page(snakemake.wildcards.study, tables, snakemake.output[0])
