"""What fine-tuning cost in each mode, from the records of its jobs."""

from _job import logged
from slowpoints.core.costs import collate_costs
from slowpoints.core.files import atomic

with logged(snakemake), atomic(snakemake.output[0]) as temporary:
    collate_costs(snakemake.input).to_csv(temporary, index=False)
