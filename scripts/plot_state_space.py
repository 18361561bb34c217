"""Figure state_space: Trajectories, class centres and slow points in principal components."""

from _job import logged
from slowpoints.plots.state_space import draw
from slowpoints.plots.style import save
from slowpoints.storage import read_table

with logged(snakemake):
    save(draw(read_table(snakemake.input.trajectories)), *snakemake.output)
