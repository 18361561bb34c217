"""One file of a data set, from its public addresses."""

from pathlib import Path

from _job import logged
from slowpoints.datasets.files import download

with logged(snakemake):
    target = Path(snakemake.output[0])
    download(target.name, snakemake.params.source, target)
