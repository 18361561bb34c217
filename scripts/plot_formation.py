"""Figure formation: Births of memories, and the speed of their slow points through training."""

from _job import logged
from slowpoints.plots.formation import draw
from slowpoints.plots.style import save
from slowpoints.storage import read_table

with logged(snakemake):
    save(draw(read_table(snakemake.input.formation)), *snakemake.output)
