"""A figure, from tables alone, and the table of what it draws."""

from _job import logged
from slowpoints.core.layout import study_named
from slowpoints.core.looks import looks
from slowpoints.core.tables import read_study_tables, write_table
from slowpoints.plots.figures import data, draw, kind
from slowpoints.plots.style import save

with logged(snakemake):
    study = study_named(snakemake.output[0])
    figure = snakemake.params.figure
    units = looks(snakemake.params.units)
    drawn = data(figure, read_study_tables(snakemake.input, snakemake.params.versions, study))
    save(draw(figure, drawn, units), snakemake.output.pdf, snakemake.output.png)
    write_table(drawn, snakemake.output.data, kind(figure))
