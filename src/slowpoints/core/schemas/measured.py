"""Tables of cells that are gathered over the whole grid unchanged: the only place to add another."""

from slowpoints.core.schemas.formation import FORMATION
from slowpoints.core.schemas.memory import EXTRAPOLATION, EXTRAPOLATION_BY_NOISE, VALIDATION
from slowpoints.core.schemas.schema import TableSchema
from slowpoints.core.schemas.slow_points import RELAXATION, SLOW_POINTS, SPECTRUM, TRAJECTORIES

MEASURED: dict[str, TableSchema] = {
    schema.name: schema
    for schema in (
        EXTRAPOLATION,
        EXTRAPOLATION_BY_NOISE,
        SLOW_POINTS,
        SPECTRUM,
        RELAXATION,
        TRAJECTORIES,
        FORMATION,
    )
}
GATHERED: dict[str, TableSchema] = MEASURED | {VALIDATION.name: VALIDATION}
"""The same and the table of studies in which a mode has several lambdas."""
