"""Figure speed_vs_memory: Speed of slow points against memory."""

from _job import logged
from slowpoints.plots.speed_vs_memory import draw
from slowpoints.plots.style import save
from slowpoints.storage import read_table

with logged(snakemake):
    tables = (read_table(snakemake.input[name]) for name in ("networks", "correlations"))
    save(draw(*tables), *snakemake.output)
