"""The explorer of a study, from its tables."""

import _drawing  # noqa: F401 (before Matplotlib)
from _job import logged, own_study
from slowpoints.core.looks import looks
from slowpoints.core.tables import read_study_tables
from slowpoints.explorer.page import write_page

with logged(snakemake):
    study = own_study(snakemake)
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    units = looks(snakemake.params.units)
    write_page(snakemake.wildcards.study, tables, snakemake.output[0], units)
