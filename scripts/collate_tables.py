"""Tables over the whole grid, from those of its cells."""

from _job import logged
from slowpoints import collate
from slowpoints.examples import example_trials
from slowpoints.storage import write_table
from slowpoints.tables import network_table

with logged(snakemake):
    seeds = snakemake.params.seeds
    kinds = ("accuracy", "extrapolation", "slow_points", "spectrum", "trajectories")
    tables = {kind: collate(snakemake.input[kind], kind, seeds) for kind in kinds}
    networks = network_table(*(tables[kind] for kind in ("accuracy", "extrapolation", "slow_points")))
    write_table(networks, snakemake.output.networks, kind="networks")
    for kind in kinds[1:]:
        write_table(tables[kind], snakemake.output[kind], kind=kind)
    write_table(example_trials(snakemake.input.images), snakemake.output.task, kind="task")
