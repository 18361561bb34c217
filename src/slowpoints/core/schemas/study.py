"""Tables computed from those of all cells."""

import pyarrow as pa

from slowpoints.core.schemas.schema import (
    CELL,
    CELL_COLUMNS,
    NETWORK,
    NETWORK_COLUMNS,
    TUNED_COLUMNS,
    TUNED_NETWORK,
    Columns,
    TableSchema,
    typed,
)

NETWORKS = TableSchema(
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
        **typed(pa.float64(), "persistence", "log10_settled_speed", "log10_margin_time"),
        "n_margin_capped": pa.int32(),
        **typed(pa.float64(), "memory_score_half_noise", "memory_score_no_noise"),
        **typed(pa.float64(), "half_life_half_noise", "half_life_no_noise", "spectral_score"),
    },
    key=(*NETWORK,),
)
BEFORE_AND_AFTER = (
    "memory_score",
    "nominal_accuracy",
    "log10_speed",
    "log10_settled_speed",
    "log10_margin_time",
    "persistence",
    "log10_drift",
    "log10_diffusion",
    "log10_settled_drift",
    "log10_settled_diffusion",
    "spectral_score",
)
"""Measures of a network that fine-tuning may change."""
REGULARISATION = TableSchema(
    "regularisation",
    {
        **TUNED_COLUMNS,
        **typed(pa.float64(), *(f"{name}_{when}" for name in BEFORE_AND_AFTER for when in ("before", "after"))),
    },
    key=(*TUNED_NETWORK,),
)
LEVELS = {"mixed": "protocols mixed", "network": "within cells", "class": "classes within networks"}
"""What is ranked within what at each level of `correlations`, as worded in reports."""
CORRELATIONS = TableSchema(
    "correlations",
    {
        **CELL_COLUMNS,
        **typed(pa.string(), "level", "predictor", "method"),
        "n": pa.int32(),
        **typed(pa.float64(), "r", "low", "high", "p"),
        **typed(pa.float64(), "difference", "difference_low", "difference_high"),
        "last_frame": pa.int32(),
        "baseline": pa.string(),
        **typed(pa.float64(), "baseline_difference", "baseline_difference_low", "baseline_difference_high"),
    },
    key=(*CELL, "level", "predictor", "method"),
)
ABOUT_CLAIMS: Columns = {
    **typed(pa.string(), "claim", "question"),
    **CELL_COLUMNS,
    "mode": pa.string(),
    "lambda": pa.float64(),
    "rival": pa.string(),
    "rival_lambda": pa.float64(),
    **typed(pa.string(), "measure", "stratum"),
}
"""Columns that identify what a row of `claims` is about; null if pooled over or not applicable."""
CLAIMS = TableSchema(
    "claims",
    {
        **ABOUT_CLAIMS,
        "n": pa.int32(),
        **typed(pa.float64(), "effect", "low", "high"),
        "test": pa.string(),
        "p": pa.float64(),
        "verdict": pa.string(),
        "p_unadjusted": pa.float64(),
        "n_excluded": pa.int32(),
        "scope": pa.string(),
        "n_needed": pa.float64(),
        **typed(pa.int32(), "n_cells", "n_cells_agree"),
        **typed(
            pa.float64(), "cells_effect", "cells_low", "cells_high", "prediction_low", "prediction_high", "q", "i2"
        ),
    },
    key=tuple(ABOUT_CLAIMS),
    version=2,
)
