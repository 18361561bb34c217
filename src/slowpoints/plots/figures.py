"""All figures: every module in this folder that declares one."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from slowpoints.core.schemas.schema import TableSchema


@dataclass(frozen=True)
class FigureSpec:
    """Declaration of a figure: the tables from which it is drawn, and its place in the report.

    A module declares its figure as `FIGURE = FigureSpec(...)` with literals by keyword. The declaration is read without
    importing the module: planning must not wait for Matplotlib.

    Attributes:
        tables: names of the tables, which are the arguments of the module's `data`.
        section: section of the report (`workflow/rules/sections.smk`).
        title: title in the report; the figure's name if empty.
        order: position within its section, from 1; 0 for a single figure.
        tuned: whether it shows fine-tuned networks; a study without modes omits these figures.
        optional: further tables that are used if the study has them.
        findings: whether its caption includes sentences about the study (`analysis.report.captions`).
    """

    tables: tuple[str, ...]
    section: str = "Further figures"
    title: str = ""
    order: int = 0
    tuned: bool = False
    findings: bool = False
    optional: tuple[str, ...] = ()


def declared(module: Path) -> FigureSpec | None:
    """The figure that a file declares; None if it declares none.

    Raises:
        ValueError: naming the file, if its `FIGURE` is not `FigureSpec(...)` with literals by keyword.
    """
    for node in ast.parse(module.read_bytes()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FIGURE":
            call = node.value
            try:
                if not isinstance(call, ast.Call) or call.args:
                    raise ValueError(f"not {ast.unparse(call)}")
                return FigureSpec(**{str(word.arg): ast.literal_eval(word.value) for word in call.keywords})
            except (TypeError, ValueError) as error:
                reason = f"FIGURE must be FigureSpec(...) with literals by keyword: {error}"
                raise ValueError(f"{module}, line {node.lineno}: {reason}") from None
    return None


FIGURES = {path.stem: figure for path in sorted(Path(__file__).parent.glob("*.py")) if (figure := declared(path))}
"""Every figure by name, in alphabetical order."""
TUNED = {name for name, figure in FIGURES.items() if figure.tuned}
"""Figures that need fine-tuned networks."""


def schema(name: str) -> TableSchema:
    """Schema of the data that a figure draws.

    Args:
        name: a key of `FIGURES`.
    """
    return _module(name).DATA


def data(name: str, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Data that a figure draws: a row for each point, interval or vertex of a line.

    Args:
        name: a key of `FIGURES`.
        tables: the tables that it is drawn from, by name; optional ones may be absent.

    Returns:
        The data; `attrs["class_names"]` has class names by data set, for those whose tables have any.

    Raises:
        ValueError: naming the tables that are needed and absent.
    """
    from slowpoints.core.tables import class_names_of  # imports pandas, for which planning must not wait

    module, figure = _module(name), FIGURES[name]
    used = {table: tables[table] for table in (*figure.tables, *figure.optional) if table in tables}
    if absent := [table for table in figure.tables if table not in used]:
        raise ValueError(f"figure {name} is drawn from the table {', '.join(absent)}, which is not given")
    points = module.data(**used)
    columns = pa.schema(list(module.DATA.columns.items()))
    drawn = pa.Table.from_pandas(points[columns.names], columns, preserve_index=False).to_pandas()
    drawn.attrs["class_names"] = class_names_of(used)
    return drawn


def draw(name: str, drawn: pd.DataFrame) -> Figure:
    """A figure.

    Args:
        name: a key of `FIGURES`.
        drawn: its data, as `data` returns them.
    """
    return _module(name).draw(drawn)


def _module(name: str) -> Any:
    return import_module(f"slowpoints.plots.{name}")
