"""The table `regularisation`: measures of every network before and after fine-tuning."""

from _job import logged
from slowpoints.analysis.aggregation import collate, regularisation_table
from slowpoints.core.schemas.memory import ACCURACY
from slowpoints.core.schemas.study import REGULARISATION
from slowpoints.core.tables import read_table, write_table

with logged(snakemake):
    accuracy = collate(snakemake.input.accuracy, ACCURACY, snakemake.params.seeds)
    measured = [read_table(snakemake.input[name]) for name in ("extrapolation", "slow_points")]
    write_table(regularisation_table(accuracy, *measured), snakemake.output[0], REGULARISATION)
