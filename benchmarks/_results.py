"""Results of benchmarks as Parquet that says where it comes from, and the tables of README.md made of them."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from _study import ROOT

from slowpoints.core.devices import device_name
from slowpoints.core.files import atomic
from slowpoints.core.provenance import package_versions

RESULTS = ROOT / "benchmarks/results"
"""Results that the tables of README.md are made of."""
SHOWN = ("torch", "numpy", "scipy")  # packages whose versions bear on time


def arguments(doc: str, script: str) -> argparse.ArgumentParser:
    """Of a benchmark: its own are added to where its rows go."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(script).with_suffix(".parquet"), help="file for the rows")
    return parser


def keep(table: pd.DataFrame, path: Path) -> None:
    """Writes a benchmark's rows, with machine, versions and command in the metadata."""
    facts = {"machine": machine(), "versions": json.dumps(_versions()), "command": _command()}
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **facts})
    with atomic(path) as part:
        pq.write_table(arrow, part)


def said_of(paths: Iterable[Path]) -> str:
    """Where results come from, as a line under their table; what several have in common stands once."""
    facts = [{key.decode(): value.decode() for key, value in pq.read_metadata(path).metadata.items()} for path in paths]
    machines, versions = (dict.fromkeys(fact[key] for fact in facts) for key in ("machine", "versions"))
    named = ["; ".join(f"{name} {number}" for name, number in json.loads(each).items()) for each in versions]
    commands = [f"`{fact['command']}`" for fact in facts]
    return f"{' and '.join(machines)}; {' and '.join(named)}: {', '.join(commands)}."


def markdown(rows: Iterable[Iterable[object]], columns: Iterable[str]) -> str:
    """A table in Markdown of cells that are text, or numbers as they are to be shown."""
    lines = [columns := list(columns), ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def machine() -> str:
    """The processor and its cores, and the GPU where there is one."""
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in described if line.startswith("model name")]
    except OSError:
        names = []
    name = names[0] if names else platform.processor() or platform.machine()
    gpu = f", {device_name('cuda')}" if torch.cuda.is_available() else ""
    return f"{name}, {os.cpu_count()} cores{gpu}"


def _versions() -> dict[str, str]:
    installed = package_versions()
    return {"Python": platform.python_version()} | {name: installed[name] for name in SHOWN if name in installed}


def _command() -> str:
    """As it was typed, from the project's folder, without the file that it writes to."""
    script, *arguments = sys.argv
    if "--output" in arguments:
        place = arguments.index("--output")
        del arguments[place : place + 2]
    shown = [Path(each).name if Path(each).is_absolute() else each for each in arguments]
    return " ".join(["python", f"benchmarks/{Path(script).name}", *shown])
