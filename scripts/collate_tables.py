"""Tables over the whole grid, from those of its cells."""

from _job import logged
from slowpoints import collate
from slowpoints.examples import example_trials
from slowpoints.storage import write_table
from slowpoints.tables import KEYS, network_table, regularisation_table

with logged(snakemake):
    tables = {kind: collate(snakemake.input[kind], kind, snakemake.params.seeds) for kind in KEYS}
    measured = [tables.pop(kind) for kind in ("accuracy", "extrapolation", "slow_points")]
    tables |= {"extrapolation": measured[1], "slow_points": measured[2]}
    tables["networks"] = network_table(*measured)
    tables["regularisation"] = regularisation_table(*measured)
    tables["task"] = example_trials(snakemake.input.images)
    for kind, table in tables.items():
        write_table(table, snakemake.output[kind], kind=kind)
