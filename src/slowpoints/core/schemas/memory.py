"""Tables of how well and how long networks remember."""

import pyarrow as pa

from slowpoints.core.schemas.schema import NETWORK, NETWORK_COLUMNS, TUNED_COLUMNS, TUNED_NETWORK, TableSchema, typed

ACCURACY = TableSchema(
    "accuracy",
    {
        **TUNED_COLUMNS,
        **typed(pa.float64(), "nominal_accuracy", "null_accuracy"),
        **typed(pa.int64(), "n_parameters", "steps"),
        "device": pa.string(),
    },
    key=(*TUNED_NETWORK,),
)
EXTRAPOLATION = TableSchema(
    "extrapolation",
    {
        **TUNED_COLUMNS,
        "delay": pa.int32(),
        "label": pa.int16(),
        **typed(pa.int32(), "n_trials", "n_correct"),
        **typed(pa.float64(), "accuracy", "low", "high"),
        "n_false": pa.int32(),
    },
    key=(*TUNED_NETWORK, "delay", "label"),
)
QUIETER = {"half": 0.5, "no": 0.0}
"""Factors on the noise with which memory is measured again, by their names in columns."""
EXTRAPOLATION_BY_NOISE = TableSchema(
    "extrapolation_by_noise",
    {
        **NETWORK_COLUMNS,
        "noise_scale": pa.float64(),
        "delay": pa.int32(),
        "label": pa.int16(),
        **typed(pa.int32(), "n_trials", "n_correct"),
        **typed(pa.float64(), "accuracy", "low", "high"),
        "n_false": pa.int32(),
    },
    key=(*NETWORK, "noise_scale", "delay", "label"),
)
VALIDATION = TableSchema(
    "validation",
    {**TUNED_COLUMNS, **typed(pa.float64(), "nominal_accuracy", "memory_score")},
    key=(*TUNED_NETWORK,),
)
"""Measures of fine-tuned networks on validation images, from which lambda is chosen without any test image."""
