"""Tables worked out from those of all cells."""

import pyarrow as pa

from slowpoints.core.schemas.kinds import (
    CELL,
    CELL_COLUMNS,
    NETWORK,
    NETWORK_COLUMNS,
    TUNED_COLUMNS,
    TUNED_NETWORK,
    Kind,
    typed,
)

NETWORKS = Kind(
    "networks",
    {
        **NETWORK_COLUMNS,
        **typed(pa.float64(), "nominal_accuracy", "null_accuracy"),
        "learned": pa.bool_(),
        **typed(pa.float64(), "memory_score", "half_life"),
        "half_life_reached": pa.bool_(),
        **typed(pa.float64(), "log10_speed", "log10_centre_speed", "log10_deep_speed", "log10_lifetime"),
        "n_floored": pa.int32(),
        **typed(pa.int64(), "n_parameters", "steps"),
        "device": pa.string(),
    },
    key=(*NETWORK,),
)
REGULARISATION = Kind(
    "regularisation",
    {
        **TUNED_COLUMNS,
        **typed(pa.float64(), "memory_score_before", "memory_score_after"),
        **typed(pa.float64(), "nominal_accuracy_before", "nominal_accuracy_after"),
        **typed(pa.float64(), "log10_speed_before", "log10_speed_after"),
    },
    key=(*TUNED_NETWORK,),
)
CORRELATIONS = Kind(
    "correlations",
    {
        **CELL_COLUMNS,
        **typed(pa.string(), "level", "predictor", "method"),
        "n": pa.int32(),
        **typed(pa.float64(), "r", "low", "high", "p"),
    },
    key=(*CELL, "level", "predictor", "method"),
)
CLAIMS = Kind(
    "claims",
    {
        **typed(pa.string(), "claim", "scope"),
        "n": pa.int32(),
        **typed(pa.float64(), "effect", "low", "high"),
        "test": pa.string(),
        "p": pa.float64(),
        "verdict": pa.string(),
        "p_unadjusted": pa.float64(),
        "n_excluded": pa.int32(),
    },
    key=("claim", "scope"),
)
