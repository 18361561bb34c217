"""The table `task`: an example trial of each data set."""

from _job import logged, own_study
from slowpoints.core.schemas.example import TASK
from slowpoints.core.tables import write_table
from slowpoints.measures.example_trial import example_trials

with logged(snakemake):
    study = own_study(snakemake)
    write_table(example_trials(snakemake.input), snakemake.output[0], TASK, study=study)
