"""Columns of Parquet files, read only if they fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from slowpoints.core.tables import parquet_errors
from slowpoints.datasets.limits import check_size

BATCH = 4096
"""Rows that are unpacked at a time, before it is seen whether they fit."""


def read_columns(path: str | Path, columns: Sequence[str], kind: str | None = None) -> pa.Table:
    """Columns of a Parquet file, if they fit.

    Args:
        path: the file.
        columns: their names.
        kind: what its metadata must call it; anything where None.

    Raises:
        ValueError: naming the file, if it is damaged, of another kind, too large, or lacks a column.
    """
    with parquet_errors(path), pq.ParquetFile(path) as file:
        found = (file.schema_arrow.metadata or {}).get(b"kind", b"of unknown kind").decode(errors="replace")
        if kind not in (None, found):
            raise ValueError(f"{path}: holds no {kind} but a table {found!r}")
        names = file.schema_arrow.names
        for name in columns:
            if names.count(name) != 1:
                number = "is no column" if name not in names else "is more than one column"
                raise ValueError(f"{path}: there {number} {name}, only {', '.join(names)}")
        schema = pa.schema([file.schema_arrow.field(name) for name in columns], file.schema_arrow.metadata)
        return pa.Table.from_batches(_up_to_the_ceiling(file, columns, path), schema)


def _up_to_the_ceiling(file: pq.ParquetFile, columns: Sequence[str], path: str | Path) -> Iterator[pa.RecordBatch]:
    """Some rows after another, as long as all so far fit.

    The footer says sizes, too, but on some damaged footers pyarrow (26.0) ends the process that asks for a column's
    metadata: nobody catches the exception of its C++ there. It is caught where the column is read.

    Raises:
        ValueError: naming the file, if they do not fit.
    """
    n_rows = n_bytes = 0
    for batch in file.iter_batches(BATCH, columns=list(columns)):
        n_rows, n_bytes = n_rows + batch.num_rows, n_bytes + batch.nbytes
        check_size(n_bytes, f"{path}, the first {n_rows:,} rows of {' and '.join(columns)}")
        yield batch
