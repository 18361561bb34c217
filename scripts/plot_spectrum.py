"""Figure spectrum: Eigenvalues at slow points."""

from _job import logged
from slowpoints.plots.spectrum import draw
from slowpoints.plots.style import save
from slowpoints.storage import read_table

with logged(snakemake):
    save(draw(read_table(snakemake.input.spectrum)), *snakemake.output)
