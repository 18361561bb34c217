"""A figure, from tables alone, and the table of what it draws."""

import _drawing  # noqa: F401 (before Matplotlib)
from _job import logged, own_study
from slowpoints.core.costs import read_costs
from slowpoints.core.looks import unit_looks
from slowpoints.core.tables import class_names_of, read_study_tables, study_of, write_table
from slowpoints.plots.figures import data, draw, schema
from slowpoints.plots.style import save

with logged(snakemake), unit_looks(snakemake.params.units):
    study = own_study(snakemake)
    figure = snakemake.params.figure
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    drawn = data(figure, tables | read_costs(snakemake.input))
    save(draw(figure, drawn), snakemake.output.pdf, snakemake.output.png)
    facts = {"study": study_of(tables), "class_names": class_names_of(tables)}
    write_table(drawn, snakemake.output.data, schema(figure), **facts)
