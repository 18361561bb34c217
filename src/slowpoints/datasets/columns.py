"""Columns of Parquet files, read only if they fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from slowpoints.core.tables import parquet_errors
from slowpoints.datasets.limits import check_size

BATCH = 4096
"""Rows that are unpacked at a time, before it is seen whether they fit."""


def read_columns(path: str | Path, columns: Sequence[str], table: str | None = None) -> pa.Table:
    """Columns of a Parquet file, if they fit.

    Args:
        path: the file.
        columns: their names.
        table: that the file must be according to its metadata; any if None.

    Raises:
        ValueError: naming the file, if it is damaged, another table, too large, or lacks a column.
    """
    with parquet_errors(path), pq.ParquetFile(path) as file:
        stored = (file.schema_arrow.metadata or {}).get(b"kind", b"of unknown kind").decode(errors="replace")
        if table not in (None, stored):
            raise ValueError(f"{path}: holds no {table} but a table {stored!r}")
        names = file.schema_arrow.names
        for name in columns:
            if names.count(name) != 1:
                number = "is no column" if name not in names else "is more than one column"
                raise ValueError(f"{path}: there {number} {name}, only {', '.join(names)}")
        schema = pa.schema([file.schema_arrow.field(name) for name in columns], file.schema_arrow.metadata)
        return pa.Table.from_batches(_up_to_the_ceiling(file, columns, path), schema)


def _up_to_the_ceiling(file: pq.ParquetFile, columns: Sequence[str], path: str | Path) -> Iterator[pa.RecordBatch]:
    """Batches of rows, as long as all so far fit.

    The footer contains sizes, too, but with some damaged footers pyarrow (26.0) ends the process that asks for a
    column's metadata, by an uncaught exception of its C++. Where the column is read, the exception is caught.

    Raises:
        ValueError: naming the file, if they do not fit.
    """
    n_rows = n_bytes = 0
    for batch in file.iter_batches(BATCH, columns=list(columns)):
        n_rows, n_bytes = n_rows + batch.num_rows, n_bytes + batch.nbytes
        check_size(n_bytes, f"{path}, the first {n_rows:,} rows of {' and '.join(columns)}")
        yield batch
