"""Figure extrapolation: Accuracy against delay."""

from _job import logged
from slowpoints.plots.extrapolation import draw
from slowpoints.plots.style import save
from slowpoints.storage import read_table

with logged(snakemake):
    save(draw(read_table(snakemake.input.extrapolation)), *snakemake.output)
