"""The table of example trials."""

import pyarrow as pa

from slowpoints.core.schemas.schema import TableSchema, typed

TASK = TableSchema(
    "task",
    {
        "dataset": pa.string(),
        **typed(pa.int16(), "frame", "label", "stimulus", "trigger", "target", "height", "width", "channels"),
        "image": pa.list_(pa.float32()),
    },
    key=("dataset", "frame"),
)
