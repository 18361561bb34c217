"""Images of a data set, checked and split into train, valid and test."""

from _job import logged
from slowpoints import make_dataset
from slowpoints.core.presets.source import Source

with logged(snakemake):
    make_dataset(Source.of(snakemake.params.source), snakemake.params.folder, dict(snakemake.output.items()))
