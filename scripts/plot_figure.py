"""A figure, from tables alone."""

from _job import logged
from slowpoints.core.looks import Look
from slowpoints.core.tables import read_study_tables
from slowpoints.plots.figures import draw
from slowpoints.plots.style import save

with logged(snakemake):
    tables = read_study_tables(snakemake.input, snakemake.params.versions)
    units = {name: Look(**look) for name, look in snakemake.params.units.items()}
    save(draw(snakemake.params.figure, tables, units), *snakemake.output)
