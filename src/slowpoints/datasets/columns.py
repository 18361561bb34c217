"""Columns of Parquet files, read only if they fit."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from slowpoints.core.tables import whole_parquet
from slowpoints.datasets.limits import check_size

FORK_SECONDS = 10  # it takes milliseconds


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
        _refuse_what_ends_its_reader(path, columns)
        for name in columns:
            check_size(_unpacked(file, name), f"{path}, column {name}")
        return file.read(columns=list(columns))


def _refuse_what_ends_its_reader(path: str | Path, columns: Sequence[str]) -> None:
    """Asks a fork of this process first for what `_unpacked` asks.

    On some damaged footers pyarrow (26.0) ends the process that asks for a column's metadata: nobody catches the
    exception of its C++ there. (It is caught when the column is read, which is too late to look at its size.) A fork
    that ends otherwise, or cannot be had, says nothing about the file. Elsewhere than on Linux forks are not safe.

    Raises:
        ValueError: naming the file, where that happened.
    """
    if sys.platform != "linux":
        return
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of forks beside threads
        try:
            child = os.fork()
        except OSError:
            return
    if not child:
        try:
            signal.alarm(FORK_SECONDS)
            faulthandler.disable()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            with pq.ParquetFile(path) as file:
                for column in columns:
                    _unpacked(file, column)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT:
        raise ValueError(f"{path}: not a whole Parquet file (its footer ends the process that reads it)")


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
