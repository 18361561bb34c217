"""Figure `claims` (rule `plot_claims`): the effect behind each verdict, with its interval."""

from __future__ import annotations

import textwrap
from typing import Any

import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.rows import ScopeLevel
from slowpoints.analysis.claims.wording import effect_name, subject_name
from slowpoints.core.looks import Look, unit_look
from slowpoints.core.schemas.schema import TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, ONE_COLUMN, SMALL, TWO_COLUMNS, legend, note_row, panels, say, styled

FIGURE = FigureSpec(tables=("claims",), section="What came out", title="Effects and verdicts", findings=True)
DATA = TableSchema(
    "figure_claims",
    {
        **typed(pa.string(), "claim", "quantity", "scope"),
        "n": pa.int32(),
        **typed(pa.float64(), "effect", "low", "high"),
        "verdict": pa.string(),
    },
)
VERDICTS = {
    "supported": Look("supported", "#0b4f8a", marker="o"),
    "contradicted": Look("contradicted", "#c51b7d", marker="X"),
    "inconclusive": Look("inconclusive", "#6f6f6f", marker="d"),
}
ROW, AROUND, TITLE = 0.125, 0.36, 0.13  # heights in inches: a scope, quantity and ticks, a line of a claim's title
LEAST_ROWS = 3  # for which axes have room
LONG_LABEL = 32  # characters; longer labels leave room for one tick fewer
TICKS = 3  # largest number of spaces between ticks, whose labels would otherwise overlap
TITLE_WIDTH, QUANTITY_WIDTH = 56, 66  # characters per line
TALLEST = 4.5  # height in inches up to which one column is enough


def data(claims: pd.DataFrame) -> pd.DataFrame:
    """A row for each verdict, with its quantity and scope in words, and with lambda only where it distinguishes rows.

    With a single data set, each verdict appears once.

    Args:
        claims: table `claims`.
    """
    rows = with_verdict(claims)
    rows = rows.assign(quantity=[effect_name(row) for row in rows.itertuples()])
    short, full = (
        pd.Series([_scope(row, lambdas) for row in rows.itertuples()], rows.index, dtype=object)
        for lambdas in (False, True)
    )
    ambiguous = rows.assign(scope=short).duplicated(["claim", "quantity", "scope"], keep=False)
    return rows.assign(scope=short.mask(ambiguous, full))


def _scope(row: Any, lambdas: bool) -> str:
    place = row.dataset if isinstance(row.dataset, str) else str(ScopeLevel.ALL)
    if isinstance(getattr(row, "architecture", None), str):
        place = f"{place}, {unit_look(row.architecture).label}"
    subject = subject_name(row, lambdas=lambdas)
    return f"{place}: {subject}" if subject else place


@styled
def draw(data: pd.DataFrame) -> Figure:
    """Axes for each claim and quantity, in two columns if one would be too tall; one row per scope with a verdict."""
    if data.empty:
        figure, axes = panels(1, 1, height=1.5)
        say(axes[0, 0], "no claim has a verdict")
        return figure
    groups = list(data.groupby(["claim", "quantity"], sort=False))
    columns = _columns(groups)
    tallest = max(sum(map(_height, column)) for column in columns)
    figure = Figure(figsize=(TWO_COLUMNS if len(columns) > 1 else ONE_COLUMN, tallest))
    for part, column in zip(figure.subfigures(1, len(columns), squeeze=False)[0], columns, strict=True):
        _draw_column(part, column, tallest)
    present = [look for verdict, look in VERDICTS.items() if (data["verdict"] == verdict).any()]
    handles = [Line2D([], [], marker=look.marker, ls="", ms=4, color=look.colour, label=look.label) for look in present]
    legend(figure, handles)
    return figure


Group = tuple[tuple[str, str], pd.DataFrame]


def _title(claim: str) -> str:
    return textwrap.fill(f"{claim}: {all_claims()[claim].title}", TITLE_WIDTH)


def _height(group: Group) -> float:
    (claim, _), rows = group
    return ROW * max(len(rows), LEAST_ROWS) + AROUND + TITLE * (1 + _title(claim).count("\n"))


def _columns(groups: list[Group]) -> list[list[Group]]:
    """Groups in one column, or in order in two columns of similar height."""
    total = sum(map(_height, groups))
    if total <= TALLEST or len(groups) == 1:
        return [groups]
    cuts = range(1, len(groups))
    cut = min(cuts, key=lambda cut: abs(total - 2 * sum(map(_height, groups[:cut]))))
    return [groups[:cut], groups[cut:]]


def _draw_column(part: SubFigure, groups: list[Group], height: float) -> None:
    """Draws groups from the top down; the rest of the height stays empty."""
    heights = [_height(group) for group in groups]
    rest = max(height - sum(heights), 0.01)
    axes = part.subplots(len(groups) + 1, 1, squeeze=False, height_ratios=[*heights, rest])[:, 0]
    axes[-1].set_axis_off()
    above = None
    for ax, ((claim, quantity), rows) in zip(axes[:-1], groups, strict=True):
        _draw_group(ax, rows)
        # From the edge of the figure, since titles are longer than axes are wide.
        edge = blended_transform_factory(part.transSubfigure, ax.transAxes)
        subtitle = textwrap.fill(quantity, QUANTITY_WIDTH)
        ax.text(0.01, 1.0, subtitle, transform=edge, va="bottom", color=GREY, fontsize=SMALL)
        if claim != above:
            offset = {"xytext": (0, 9 * (1 + subtitle.count("\n"))), "textcoords": "offset points"}
            ax.annotate(_title(claim), (0.01, 1.0), xycoords=edge, va="bottom", fontweight="bold", **offset)
        above = claim


def _draw_group(ax: Axes, rows: pd.DataFrame) -> None:
    ax.axvline(0, color=GREY, lw=0.6, zorder=1)
    for place, row in enumerate(rows.itertuples()):
        look = VERDICTS[row.verdict]
        ax.hlines(place, row.low, row.high, color=look.colour, lw=1.1, zorder=2)
        ax.plot(row.effect, place, look.marker, color=look.colour, mec="white", mew=0.3, ms=4, zorder=3)
        note_row(ax, 1.03, place, f"n = {row.n}", look.colour)
    ax.set_yticks(range(len(rows)), rows["scope"])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    narrow = rows["scope"].map(len).max() > LONG_LABEL
    ax.xaxis.set_major_locator(MaxNLocator(TICKS - narrow))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))  # no trailing zeros
    ax.tick_params(axis="y", length=0)
