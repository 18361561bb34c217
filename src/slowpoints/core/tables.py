"""Tables in Parquet: written whole, with the columns of their kind, stamped with where they came from."""

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


def write_table(table: pd.DataFrame, path: str | Path, kind: TableSchema, **facts: object) -> None:
    """Writes a table as Parquet, columns in the order and of the types of its kind, NaN as null.

    Args:
        table: exactly the columns of its kind.
        path: the file.
        kind: what table it is.
        facts: further metadata, kept as JSON.

    Raises:
        ValueError: if columns are missing or unknown.
    """
    if set(table.columns) != set(kind.columns):
        missing = sorted(set(kind.columns) - set(table.columns))
        unknown = sorted(set(table.columns) - set(kind.columns))
        raise ValueError(f"table {kind.name!r}: missing columns {missing}, unknown columns {unknown}")
    schema = pa.schema(list(kind.columns.items()))
    arrow = pa.Table.from_pandas(table[list(kind.columns)], schema, preserve_index=False)
    write_arrow(arrow, path, kind=kind.name, version=kind.version, **facts)


def write_arrow(table: pa.Table, path: str | Path, *, kind: str, version: int = 1, **facts: object) -> None:
    """Writes an Arrow table as Parquet with the project's metadata."""
    metadata = {
        **stamp(),
        "schema_version": str(version),
        "kind": kind,
        **{name: json.dumps(fact, sort_keys=True) for name, fact in facts.items()},
    }
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(dict(sorted(metadata.items()))), temporary, compression="zstd")


def with_cell(
    table: pd.DataFrame, kind: TableSchema, cell: object, mode: str = "trained", lambda_: float | None = None
) -> pd.DataFrame:
    """The table with the columns of its cell in front, and mode and lambda where its kind has them.

    Args:
        table: rows of one cell.
        kind: what table it is.
        cell: has attributes dataset, architecture and protocol, as an `ensemble.Specification`.
        mode: `trained`, or how the networks were fine-tuned.
        lambda_: lambda of the fine-tuning.
    """
    front = {name: getattr(cell, name) for name in CELL}
    front |= {"mode": mode, "lambda": math.nan if lambda_ is None else lambda_}
    present = {name: value for name, value in front.items() if name in kind.columns}
    return pd.concat([pd.DataFrame(present, index=table.index), table], axis=1)


def read_table(path: str | Path, kind: TableSchema | None = None) -> pd.DataFrame:
    """A table as `pandas.read_parquet` gives it; `attrs["class_names"]` has what a study's table says of classes.

    Args:
        path: the file.
        kind: what table it must be; any where None.

    Raises:
        ValueError: naming the file, if it is damaged, or of another kind or version.
    """
    with whole_parquet(path):
        schema, table = pq.read_schema(path), pd.read_parquet(path)
        names = _class_names(schema)
    if isinstance(names, dict):
        table.attrs["class_names"] = names
    if kind is not None:
        found = dict(zip(schema.names, schema.types, strict=True))
        wrong = [name for name in {**kind.columns, **found} if found.get(name) != kind.columns.get(name)]
        if wrong:
            raise ValueError(
                f"{path}: no table {kind.name!r}; missing, unknown or of another type are columns {', '.join(wrong)}"
            )
        _check_stamp(path, schema, kind.name, kind.version)
    return table


def read_study_tables(
    files: Mapping[str, str | Path], versions: Mapping[str, int], study: str | None = None
) -> dict[str, pd.DataFrame]:
    """Tables of a study by name; those of an older one may lack columns that came later, and the study's name.

    Args:
        files: paths by name of the table's kind, and maybe others.
        versions: version of the kind of each table to read, by its name: given, since who reads tables of all kinds
            would run again after an edit of any schema else.
        study: whose they must be; any, but of one, where None.

    Raises:
        ValueError: naming the file, if one is damaged, or of another kind, version or study.
    """
    tables = {}
    for name, version in versions.items():
        table, schema = read_table(files[name]), pq.read_schema(files[name])
        _check_stamp(files[name], schema, name, version)
        found = json.loads(_metadata(schema).get("study", "null"))
        study = study or found
        if found not in (None, study):
            raise ValueError(
                f"{files[name]}: a table of the study {found!r}, where those of {study!r} are read; remove it, and it "
                "will be made anew"
            )
        table.attrs["study"] = found
        tables[name] = table
    return tables


def study_of(tables: Mapping[str, pd.DataFrame]) -> str | None:
    """The study that tables say they are of, as `read_study_tables` gives them; None if none does."""
    return next(filter(None, (table.attrs["study"] for table in tables.values())), None)


def class_names_of(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[str]]:
    """Names of classes by data set, as tables that `read_table` gives have them; older ones have none."""
    return {
        dataset: names for table in tables.values() for dataset, names in table.attrs.get("class_names", {}).items()
    }


def stored_class_names(path: str | Path) -> list[str] | None:
    """Names of classes that the metadata of a cell's table have; None where they have none.

    Raises:
        ValueError: naming the file, if it is damaged.
    """
    with whole_parquet(path):
        names = _class_names(pq.read_schema(path))
    return names if isinstance(names, list) else None


def _class_names(schema: pa.Schema) -> Any:
    """What metadata say of classes: a list in tables of one data set, lists by data set in those of a study."""
    try:
        return json.loads(_metadata(schema).get("class_names", "null"))
    except (ValueError, RecursionError):  # classes go by their numbers then
        return None


def read_facts(path: str | Path) -> dict[str, str]:
    """Metadata of a table, as text.

    Raises:
        ValueError: naming the file, if it is damaged.
    """
    with whole_parquet(path):
        return _metadata(pq.read_schema(path))


def _metadata(schema: pa.Schema) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}


def _check_stamp(path: str | Path, schema: pa.Schema, name: str, version: int) -> None:
    facts = _metadata(schema)
    if facts.get("kind") != name:
        raise ValueError(f"{path}: no table {name!r} but one {facts.get('kind', 'of unknown kind')!r}")
    found = facts.get("schema_version")
    if found != str(version):
        raise ValueError(
            f"{path}: a table {name!r} of schema version {found}, where {version} is read; remove it, and it will be "
            "made anew"
        )


@contextlib.contextmanager
def whole_parquet(path: str | Path) -> Iterator[None]:
    """Errors of reading a damaged Parquet file name that file, as ValueError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a whole Parquet file ({error})") from None
