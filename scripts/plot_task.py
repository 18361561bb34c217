"""Figure task: A trial of each data set: frames, trigger and wanted output."""

from _job import logged
from slowpoints.plots.style import save
from slowpoints.plots.task import draw
from slowpoints.storage import read_table

with logged(snakemake):
    save(draw(read_table(snakemake.input.task)), *snakemake.output)
