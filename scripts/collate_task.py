"""The table `task`: an example trial of each data set."""

from _job import logged, own_study
from slowpoints.core.schemas.example import TASK
from slowpoints.core.tables import write_table
from slowpoints.measures.example_trial import class_names, example_trials

with logged(snakemake):
    study = own_study(snakemake)
    table, names = example_trials(snakemake.input), class_names(snakemake.input)
    write_table(table, snakemake.output[0], TASK, study=study, class_names=names)
