"""Tables in Parquet files, written atomically, with the columns of their schema and their provenance."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from slowpoints.core.files import atomic
from slowpoints.core.provenance import stamp
from slowpoints.core.schemas.schema import CELL, TableSchema

REMOVE = "remove it, and the next run will make it again"


def write_table(table: pd.DataFrame, path: str | Path, schema: TableSchema, **facts: object) -> None:
    """Writes a table as Parquet, columns in the order and of the types of its schema, NaN as null.

    Args:
        table: has exactly the columns of the schema.
        path: the file.
        schema: schema of the table.
        facts: further metadata, stored as JSON.

    Raises:
        ValueError: if columns are missing or unknown.
    """
    if set(table.columns) != set(schema.columns):
        missing = sorted(set(schema.columns) - set(table.columns))
        unknown = sorted(set(table.columns) - set(schema.columns))
        raise ValueError(f"table {schema.name!r}: missing columns {missing}, unknown columns {unknown}")
    columns = pa.schema(list(schema.columns.items()))
    arrow = pa.Table.from_pandas(table[columns.names], columns, preserve_index=False)
    write_arrow(arrow, path, name=schema.name, version=schema.version, **facts)


def write_arrow(table: pa.Table, path: str | Path, *, name: str, version: int = 1, **facts: object) -> None:
    """Writes an Arrow table as Parquet, with name, schema version, provenance and `facts` as metadata."""
    metadata = {
        **stamp(),
        "schema_version": str(version),
        "kind": name,
        **{key: json.dumps(fact, sort_keys=True) for key, fact in facts.items()},
    }
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(dict(sorted(metadata.items()))), temporary, compression="zstd")


def with_cell(
    table: pd.DataFrame, schema: TableSchema, cell: object, mode: str = "trained", lambda_: float | None = None
) -> pd.DataFrame:
    """The table with the columns of its cell in front, and mode and lambda where its schema has them.

    Args:
        table: rows of one cell.
        schema: schema of the table.
        cell: object with the attributes dataset, architecture and protocol, such as an `ensemble.Specification`.
        mode: `trained`, or the mode of fine-tuning.
        lambda_: lambda of the fine-tuning.
    """
    front = {name: getattr(cell, name) for name in CELL}
    front |= {"mode": mode, "lambda": math.nan if lambda_ is None else lambda_}
    present = {name: value for name, value in front.items() if name in schema.columns}
    return pd.concat([pd.DataFrame(present, index=table.index), table], axis=1)


def read_table(path: str | Path, schema: TableSchema | None = None) -> pd.DataFrame:
    """A table as `pandas.read_parquet` returns it; `attrs["class_names"]` has the class names of a study's table.

    Args:
        path: the file.
        schema: schema that it must have; any if None.

    Raises:
        ValueError: naming the file, if it is damaged, or of another schema or version.
    """
    with parquet_errors(path):
        stored, table = pq.read_schema(path), pd.read_parquet(path)
        names = _class_names(stored)
    if isinstance(names, dict):
        table.attrs["class_names"] = names
    if schema is not None:
        columns = dict(zip(stored.names, stored.types, strict=True))
        wrong = [name for name in {**schema.columns, **columns} if columns.get(name) != schema.columns.get(name)]
        if wrong:
            raise ValueError(
                f"{path}: not a table {schema.name!r}: missing, unknown or of another type are columns "
                f"{', '.join(wrong)}"
            )
        _check_metadata(path, stored, schema.name, schema.version)
    return table


def read_study_tables(
    files: Mapping[str, str | Path], versions: Mapping[str, int], study: str | None = None
) -> dict[str, pd.DataFrame]:
    """Tables of a study by name; older ones may lack columns added since, and the name of the study.

    Args:
        files: paths by name of the table; others are ignored.
        versions: schema version of each table to read, by name. The caller passes them: if this module imported the
            schemas, an edit of any of them would rerun every reader.
        study: study that the tables must belong to; any single study if None.

    Raises:
        ValueError: naming the file, if one is damaged, or of another schema, version or study.
    """
    tables = {}
    for name, version in versions.items():
        table, stored = read_table(files[name]), pq.read_schema(files[name])
        _check_metadata(files[name], stored, name, version)
        owner = json.loads(_metadata(stored).get("study", "null"))
        study = study or owner
        if owner not in (None, study):
            raise ValueError(f"{files[name]}: a table of the study {owner!r}, where {study!r} is expected; {REMOVE}")
        table.attrs["study"] = owner
        tables[name] = table
    return tables


def study_of(tables: Mapping[str, pd.DataFrame]) -> str | None:
    """The study to which tables from `read_study_tables` belong; None if no table names it."""
    return next(filter(None, (table.attrs["study"] for table in tables.values())), None)


def class_names_of(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[str]]:
    """Class names by data set, from tables that `read_table` returned; older ones have none."""
    return {
        dataset: names for table in tables.values() for dataset, names in table.attrs.get("class_names", {}).items()
    }


def stored_class_names(path: str | Path) -> list[str] | None:
    """Class names in the metadata of a cell's table; None if there are none.

    Raises:
        ValueError: naming the file, if it is damaged.
    """
    with parquet_errors(path):
        names = _class_names(pq.read_schema(path))
    return names if isinstance(names, list) else None


def _class_names(schema: pa.Schema) -> Any:
    """Class names in the metadata: a list in a cell's table, lists by data set in a study's."""
    try:
        return json.loads(_metadata(schema).get("class_names", "null"))
    except (ValueError, RecursionError):  # then classes are numbered
        return None


def read_facts(path: str | Path) -> dict[str, str]:
    """Metadata of a table, as text.

    Raises:
        ValueError: naming the file, if it is damaged.
    """
    with parquet_errors(path):
        return _metadata(pq.read_schema(path))


def _metadata(schema: pa.Schema) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}


def _check_metadata(path: str | Path, schema: pa.Schema, name: str, version: int) -> None:
    metadata = _metadata(schema)
    if metadata.get("kind") != name:
        raise ValueError(f"{path}: not a table {name!r} but {metadata.get('kind', 'one of an unknown schema')!r}")
    if (stored := metadata.get("schema_version")) != str(version):
        raise ValueError(f"{path}: a table {name!r} of schema version {stored}, where {version} is expected; {REMOVE}")


@contextlib.contextmanager
def parquet_errors(path: str | Path) -> Iterator[None]:
    """Turns errors of reading a damaged Parquet file into a ValueError that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a whole Parquet file ({error})") from None
