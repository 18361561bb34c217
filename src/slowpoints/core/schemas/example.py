"""The table of example trials."""

import pyarrow as pa

from slowpoints.core.schemas.kinds import Kind, typed

TASK = Kind(
    "task",
    {
        "dataset": pa.string(),
        **typed(pa.int16(), "frame", "label", "stimulus", "trigger", "target", "height", "width", "channels"),
        "image": pa.list_(pa.float32()),
    },
    key=("dataset", "frame"),
)
