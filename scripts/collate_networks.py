"""The table `networks`: measures of every network as trained."""

from _job import logged, own_study
from slowpoints.analysis.aggregation import code_revisions, collate, network_table
from slowpoints.core.schemas.memory import ACCURACY
from slowpoints.core.schemas.study import NETWORKS
from slowpoints.core.tables import read_study_tables, write_table

with logged(snakemake):
    study = own_study(snakemake)
    accuracy = collate(snakemake.input.accuracy, ACCURACY, snakemake.params.seeds)
    measured = read_study_tables(snakemake.input, snakemake.params.versions, study)
    extrapolation, by_noise = measured["extrapolation"], measured["extrapolation_by_noise"]
    networks = network_table(accuracy, extrapolation, measured["slow_points"], by_noise)
    facts = {"settings": snakemake.params.settings, "measured_by": code_revisions(snakemake.input.accuracy)}
    write_table(networks, snakemake.output[0], NETWORKS, study=study, **facts)
