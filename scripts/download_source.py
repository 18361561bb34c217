"""One file of a data set, from its public addresses."""

from pathlib import Path

from _job import logged
from slowpoints.core.presets.source import Source
from slowpoints.datasets.sources import download

with logged(snakemake):
    target = Path(snakemake.output[0])
    download(target.name, Source.of(snakemake.params.source), target)
