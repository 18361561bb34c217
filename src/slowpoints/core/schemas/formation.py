"""The table of slow points tracked back through training."""

import pyarrow as pa

from slowpoints.core.schemas.schema import NETWORK, NETWORK_COLUMNS, TableSchema, typed

FORMATION = TableSchema(
    "formation",
    {
        **NETWORK_COLUMNS,
        "label": pa.int16(),
        "step": pa.int32(),
        **typed(pa.float64(), "speed", "displacement"),
        "jumped": pa.bool_(),
        **typed(pa.int16(), "readout", "parent", "merged_with", "t_max"),
        **typed(pa.bool_(), "in_use", "born"),
        "nearest": pa.int16(),
        "nearest_distance": pa.float64(),
    },
    key=(*NETWORK, "label", "step"),
    sparse=True,
)
