"""Figure regularisation: Memory before and after fine-tuning, by mode."""

from _job import logged
from slowpoints.plots.regularisation import draw
from slowpoints.plots.style import save
from slowpoints.storage import read_table

with logged(snakemake):
    tables = (read_table(snakemake.input[name]) for name in ("extrapolation", "regularisation"))
    save(draw(*tables), *snakemake.output)
