"""The schema of a table, and columns that several tables share."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

Columns = dict[str, pa.DataType]

CELL = ["dataset", "architecture", "protocol"]
"""Columns that identify a cell of the grid."""
NETWORK = [*CELL, "seed"]
"""Columns that identify a network as trained."""
TUNED_NETWORK = [*CELL, "mode", "lambda", "seed"]
"""Columns that identify a network as trained or as fine-tuned."""


@dataclass(frozen=True)
class TableSchema:
    """Schema of a table.

    Attributes:
        name: name of the table and of its file.
        columns: types of columns by name, in order.
        key: columns that together identify a row; a table is sorted by them.
        version: schema version, raised when a column changes its name, type or meaning.
        sparse: whether a network may have no row, such as one without slow points.
    """

    name: str
    columns: Columns
    key: tuple[str, ...] = ()
    version: int = 1
    sparse: bool = False

    @property
    def tuned(self) -> bool:
        """Whether fine-tuned networks also have such a table."""
        return "mode" in self.columns


def typed(type_: pa.DataType, *names: str) -> Columns:
    """Columns of one type."""
    return dict.fromkeys(names, type_)


CELL_COLUMNS = typed(pa.string(), *CELL)
NETWORK_COLUMNS = {**CELL_COLUMNS, "seed": pa.int32()}
TUNED_COLUMNS = {**CELL_COLUMNS, "mode": pa.string(), "lambda": pa.float64(), "seed": pa.int32()}
