"""A measured table over the whole grid, from those of its cells."""

from _job import logged, own_study
from slowpoints.analysis.aggregation import class_names, code_revisions, collate
from slowpoints.core.schemas.measured import GATHERED
from slowpoints.core.tables import write_table

with logged(snakemake):
    study = own_study(snakemake)
    schema = GATHERED[snakemake.params.kind]
    table = collate(snakemake.input, schema, snakemake.params.seeds)
    facts = {"settings": snakemake.params.settings, "measured_by": code_revisions(snakemake.input)}
    write_table(table, snakemake.output[0], schema, study=study, class_names=class_names(snakemake.input), **facts)
