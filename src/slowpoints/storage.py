"""Files: tables in Parquet, weights in safetensors, every write atomic and stamped with where it came from."""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from slowpoints.provenance import code_revision, package_versions

SCHEMA_VERSION = 1
"""Raised when a column changes its name, type or meaning."""

CELL = ["dataset", "architecture", "protocol"]
"""Columns that name a cell of the grid."""

_CELL = dict.fromkeys(CELL, pa.string())
_NETWORK = {**_CELL, "seed": pa.int32()}
_MODE = {"mode": pa.string(), "lambda": pa.float64()}
_NETWORK_IN_MODE = {**_CELL, **_MODE, "seed": pa.int32()}


def _columns(kind: type[pa.DataType] | pa.DataType, *names: str) -> dict[str, pa.DataType]:
    return dict.fromkeys(names, kind)


SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "training": {
        "seed": pa.int32(),
        "step": pa.int32(),
        **_columns(pa.float64(), "loss", "report_accuracy", "null_accuracy"),
        **_columns(pa.int16(), "classes_in_use", "t_max"),
        "learning_rate": pa.float64(),
    },
    "accuracy": {
        **_NETWORK_IN_MODE,
        **_columns(pa.float64(), "nominal_accuracy", "null_accuracy"),
        "n_parameters": pa.int64(),
        "steps": pa.int64(),
        "device": pa.string(),
    },
    "extrapolation": {
        **_NETWORK_IN_MODE,
        "delay": pa.int32(),
        "label": pa.int16(),
        **_columns(pa.int32(), "n_trials", "n_correct"),
        **_columns(pa.float64(), "accuracy", "low", "high"),
    },
    "slow_points": {
        **_NETWORK_IN_MODE,
        "label": pa.int16(),
        **_columns(pa.float64(), "centre_speed", "speed_1000", "speed"),
        "readout": pa.int16(),
        **_columns(pa.float64(), "distance", "deep_speed"),
        "deep_readout": pa.int16(),
        **_columns(pa.float64(), "deep_distance", "projected_gradient"),
        "converged": pa.bool_(),
        "iterations": pa.int32(),
        **_columns(pa.float64(), "raw_speed", "leading"),
        "n_unstable": pa.int32(),
        **_columns(pa.float64(), "time_constant", "lifetime"),
        "lifetime_capped": pa.bool_(),
        "state": pa.list_(pa.float64()),
    },
    "spectrum": {
        **_NETWORK_IN_MODE,
        "label": pa.int16(),
        "index": pa.int32(),
        **_columns(pa.float64(), "real", "imag"),
    },
    "trajectories": {
        **_NETWORK,
        "kind": pa.string(),
        **_columns(pa.int16(), "label", "trial", "frame"),
        **_columns(pa.float64(), "pc1", "pc2", "pc3"),
    },
    "task": {
        "dataset": pa.string(),
        **_columns(pa.int16(), "frame", "label", "stimulus", "trigger", "target", "height", "width", "channels"),
        "image": pa.list_(pa.float32()),
    },
    "networks": {
        **_NETWORK,
        **_columns(pa.float64(), "nominal_accuracy", "null_accuracy"),
        "learned": pa.bool_(),
        **_columns(pa.float64(), "memory_score", "half_life"),
        "half_life_reached": pa.bool_(),
        **_columns(pa.float64(), "log10_speed", "log10_centre_speed", "log10_deep_speed", "log10_lifetime"),
        "n_floored": pa.int32(),
        "n_parameters": pa.int64(),
        "steps": pa.int64(),
        "device": pa.string(),
    },
    "formation": {
        **_NETWORK,
        "label": pa.int16(),
        "step": pa.int32(),
        **_columns(pa.float64(), "speed", "displacement"),
        "jumped": pa.bool_(),
        **_columns(pa.int16(), "readout", "parent", "merged_with", "t_max"),
        **_columns(pa.bool_(), "in_use", "born"),
    },
    "regularisation": {
        **_CELL,
        **_MODE,
        "seed": pa.int32(),
        **_columns(pa.float64(), "memory_score_before", "memory_score_after"),
        **_columns(pa.float64(), "nominal_accuracy_before", "nominal_accuracy_after"),
        **_columns(pa.float64(), "log10_speed_before", "log10_speed_after"),
    },
    "correlations": {
        **_CELL,
        **_columns(pa.string(), "level", "predictor", "method"),
        "n": pa.int32(),
        **_columns(pa.float64(), "r", "low", "high", "p"),
    },
    "claims": {
        **_columns(pa.string(), "claim", "scope"),
        "n": pa.int32(),
        **_columns(pa.float64(), "effect", "low", "high"),
        "test": pa.string(),
        "p": pa.float64(),
        "verdict": pa.string(),
        "p_unadjusted": pa.float64(),
        "n_excluded": pa.int32(),
    },
}
"""Columns and their types, by kind of table."""

_facts: ContextVar[dict[str, str]] = ContextVar("facts", default={})  # noqa: B039 (never changed in place)


@contextlib.contextmanager
def provenance(**facts: str) -> Iterator[None]:
    """Everything written inside carries these facts in its metadata, beside those of `stamp`."""
    token = _facts.set({**_facts.get(), **facts})
    try:
        yield
    finally:
        _facts.reset(token)


def stamp() -> dict[str, str]:
    """Metadata of every file: schema version, code revision, package versions, and the facts of `provenance`."""
    return {
        "schema_version": str(SCHEMA_VERSION),
        "code_revision": code_revision(),
        "packages": json.dumps(package_versions(), sort_keys=True),
        "config_digest": "",
        "device": "cpu",
        **_facts.get(),
    }


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when all went well, and goes when not."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_table(table: pd.DataFrame, path: str | Path, *, kind: str, **facts: object) -> None:
    """Writes a table as Parquet, columns in order and of the types of `SCHEMAS[kind]`, NaN as null.

    Args:
        table: exactly the columns of its kind.
        path: the file.
        kind: a key of `SCHEMAS`.
        facts: further metadata, kept as JSON.

    Raises:
        ValueError: if columns are missing or unknown.
    """
    columns = SCHEMAS[kind]
    if set(table.columns) != set(columns):
        missing, unknown = sorted(set(columns) - set(table.columns)), sorted(set(table.columns) - set(columns))
        raise ValueError(f"table {kind!r}: missing columns {missing}, unknown columns {unknown}")
    schema = pa.schema(list(columns.items()))
    write_arrow(pa.Table.from_pandas(table[list(columns)], schema, preserve_index=False), path, kind=kind, **facts)


def write_arrow(table: pa.Table, path: str | Path, *, kind: str, **facts: object) -> None:
    """Writes an Arrow table as Parquet with the project's metadata."""
    metadata = {**stamp(), "kind": kind, **{name: json.dumps(fact, sort_keys=True) for name, fact in facts.items()}}
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(dict(sorted(metadata.items()))), temporary, compression="zstd")


def with_cell(
    table: pd.DataFrame, kind: str, cell: object, mode: str = "trained", weight: float | None = None
) -> pd.DataFrame:
    """The table with the columns of its cell in front, and mode and lambda where its kind has them.

    Args:
        table: rows of one cell.
        kind: a key of `SCHEMAS`.
        cell: has attributes dataset, architecture and protocol, as an `ensemble.Specification`.
        mode: `trained`, or how the networks were fine-tuned.
        weight: lambda of the fine-tuning.
    """
    front = {name: getattr(cell, name) for name in CELL}
    front |= {"mode": mode, "lambda": math.nan if weight is None else weight}
    own = {name: value for name, value in front.items() if name in SCHEMAS[kind]}
    return pd.concat([pd.DataFrame(own, index=table.index), table], axis=1)


def read_table(path: str | Path) -> pd.DataFrame:
    """A table as `pandas.read_parquet` gives it."""
    return pd.read_parquet(path)


def write_tensors(tensors: dict[str, Tensor], path: str | Path, facts: dict) -> None:
    """Writes tensors as safetensors, `facts` and the stamp in one metadata key of sorted JSON.

    One key, since several come out in random order, and equal runs must give equal bytes.
    """
    metadata = {"slowpoints": json.dumps({**stamp(), **facts}, sort_keys=True)}
    with atomic(path) as temporary:
        temporary.write_bytes(save_tensors({name: t.contiguous() for name, t in tensors.items()}, metadata))


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Tensors by name, and the facts written with them."""
    with safetensors.safe_open(path, framework="pt") as file:
        facts = json.loads((file.metadata() or {}).get("slowpoints", "{}"))
        return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 (not a dict)
