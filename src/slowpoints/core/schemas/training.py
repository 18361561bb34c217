"""Tables of training."""

import pyarrow as pa

from slowpoints.core.schemas.schema import TableSchema, typed

TRAINING = TableSchema(
    "training",
    {
        "seed": pa.int32(),
        "step": pa.int32(),
        **typed(pa.float64(), "loss", "report_accuracy", "null_accuracy"),
        **typed(pa.int16(), "classes_in_use", "t_max"),
        "learning_rate": pa.float64(),
    },
    key=("seed", "step"),
)
