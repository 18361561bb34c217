"""The study of a configuration, its cells and presets, as benchmarks take it: without Snakemake."""

from collections.abc import Sequence
from pathlib import Path

from slowpoints.core.config import read_yaml
from slowpoints.study import Study, read_study

ROOT = Path(__file__).resolve().parent.parent


def study_of(datasets: Sequence[str], config: Path | None = None) -> Study:
    """That of a configuration file, or of the defaults, with these data sets."""
    settings = {**(read_yaml(config) if config else {}), "datasets": [*datasets]}
    return read_study(settings, name=str(config or "command line"))
