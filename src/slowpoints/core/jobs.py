"""Jobs on seed blocks: their rules, the files that each leaves, and their logs. A test compares them with a run.

For planning only: code that trains or measures does not import this, so that a new table reruns only the jobs that make
it.
"""

from __future__ import annotations

from pathlib import Path

from slowpoints.core.costs import COST
from slowpoints.core.files import SNAPSHOTS, WEIGHTS
from slowpoints.core.schemas.formation import FORMATION
from slowpoints.core.schemas.memory import ACCURACY, EXTRAPOLATION, EXTRAPOLATION_BY_NOISE
from slowpoints.core.schemas.schema import TableSchema
from slowpoints.core.schemas.slow_points import RELAXATION, SLOW_POINTS, SPECTRUM, TRAJECTORIES
from slowpoints.core.schemas.training import TRAINING

PREPARE, TRAIN, TUNE = "prepare_dataset", "train_networks", "regularise_networks"


def table_file(schema: TableSchema) -> str:
    """Name of the file of a table."""
    return f"{schema.name}.parquet"


FILES: dict[str, tuple[str, ...]] = {
    TRAIN: (table_file(TRAINING), SNAPSHOTS, WEIGHTS),
    "measure_memory": tuple(map(table_file, (ACCURACY, EXTRAPOLATION, EXTRAPOLATION_BY_NOISE))),
    "find_slow_points": tuple(map(table_file, (SLOW_POINTS, SPECTRUM, RELAXATION, TRAJECTORIES))),
    "track_formation": (table_file(FORMATION),),
    TUNE: (COST, *map(table_file, (ACCURACY, EXTRAPOLATION, SLOW_POINTS, SPECTRUM, RELAXATION, TRAINING)), WEIGHTS),
}
"""Files that the job of each rule leaves in the folder of a seed block, in the order in which it writes them."""
AS_TRAINED = tuple(rule for rule in FILES if rule != TUNE)
"""Rules whose jobs are about networks as trained; `TUNE` has a job for each mode."""


def log_file(rule: str, *names: str) -> Path:
    """Log of a rule's job, by data set, architecture, protocol, mode if fine-tuned, and seed block."""
    return Path("logs", rule, f"{'.'.join(names)}.log")
