"""A figure, from tables alone, and the table of what it draws."""

from _job import logged
from slowpoints.core.looks import Look
from slowpoints.core.tables import read_study_tables, write_table
from slowpoints.plots.figures import data, draw, kind
from slowpoints.plots.style import save

with logged(snakemake):
    figure = snakemake.params.figure
    units = {name: Look(**look) for name, look in snakemake.params.units.items()}
    drawn = data(figure, read_study_tables(snakemake.input, snakemake.params.versions))
    save(draw(figure, drawn, units), snakemake.output.pdf, snakemake.output.png)
    write_table(drawn, snakemake.output.data, kind(figure))
