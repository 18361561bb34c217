"""Columns of Parquet files, read only if they fit."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from slowpoints.core.tables import whole_parquet
from slowpoints.datasets.limits import check_size


def read_columns(path: str | Path, columns: Sequence[str], kind: str | None = None) -> pa.Table:
    """Columns of a Parquet file whose footer says that they fit.

    Args:
        path: the file.
        columns: their names.
        kind: what its metadata must call it; anything where None.

    Raises:
        ValueError: naming the file, if it is damaged, of another kind, too large, or lacks a column.
    """
    with whole_parquet(path), pq.ParquetFile(path) as file:
        found = (file.schema_arrow.metadata or {}).get(b"kind", b"of unknown kind").decode(errors="replace")
        if kind not in (None, found):
            raise ValueError(f"{path}: holds no {kind} but a table {found!r}")
        names = file.schema_arrow.names
        for name in columns:
            if names.count(name) != 1:
                number = "is no column" if name not in names else "is more than one column"
                raise ValueError(f"{path}: there {number} {name}, only {', '.join(names)}")
        for name, size in zip(columns, _sizes(path, columns), strict=True):
            check_size(size, f"{path}, column {name}")
        return file.read(columns=list(columns))


def _sizes(path: str | Path, columns: Sequence[str]) -> list[int]:
    """Bytes of columns in memory, asked for in a fork of this process where there can be one.

    On some damaged footers, pyarrow (26.0) ends the process that asks for a column's metadata: the exception of its C++
    is caught by nobody there. It is when the column is read.

    Raises:
        ValueError: naming the file, where that happened.
    """
    if "fork" not in get_all_start_methods():  # on Windows
        return _unpacked_sizes(path, columns)
    with ProcessPoolExecutor(1, get_context("fork"), initializer=_quietly) as apart:
        try:
            return apart.submit(_unpacked_sizes, path, columns).result()
        except BrokenProcessPool:
            raise ValueError(f"{path}: not a whole Parquet file (its footer ends the process that reads it)") from None


def _quietly() -> None:
    """Says nothing where this process ends: what it was started by names the file."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # of C++, which knows no sys.stderr
    faulthandler.disable()


def _unpacked_sizes(path: str | Path, columns: Sequence[str]) -> list[int]:
    with pq.ParquetFile(path) as file:
        return [_unpacked(file, column) for column in columns]


def _unpacked(file: pq.ParquetFile, column: str) -> int:
    """Bytes of a column in memory, by what the footer says: its numbers, or its pages where it holds none."""
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    parts = [group.column(part) for group in groups for part in range(group.num_columns)]
    parts = [part for part in parts if part.path_in_schema.split(".")[0] == column]
    kind = file.schema_arrow.field(column).type
    while hasattr(kind, "value_type"):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return sum(part.num_values for part in parts) * kind.bit_width // 8
    return sum(part.total_uncompressed_size for part in parts)
