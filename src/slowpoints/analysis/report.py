"""Texts of a study's report: reStructuredText for Snakemake's report, and tables to browse."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

import pandas as pd

from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.wording import CONTRADICTED, SUPPORTED, UNDECIDED
from slowpoints.analysis.findings import (
    better_predictors,
    counted,
    findings,
    mechanism,
    overall,
    pooled,
    studied,
    unconfirmed,
)
from slowpoints.analysis.noise import longer_without_noise

WHY = "What ends memories, noise or drift?"
LONG = 25  # characters above which the text of a table cell may wrap, within a minimum width


def summary(claims: pd.DataFrame, networks: pd.DataFrame) -> str:
    """The front page: the findings for each question, and which claims are contradicted or undecided.

    Args:
        claims: table `claims`.
        networks: table `networks`.
    """
    rows = pooled(claims)
    parts = [_escaped(studied(networks))]
    answers: dict[str, list[str]] = {}
    for claim in all_claims().values():
        answers.setdefault(claim.topic, []).extend(findings(rows if claim.each_data_set else overall(rows), claim.name))
    answers[WHY] = longer_without_noise(networks)
    for topic, sentences in answers.items():
        parts += [f"**{topic}**", _listed(sentences or ["Not tested in this study."])]
    for title, verdict in (
        ("Which of the paper's claims are contradicted", CONTRADICTED),
        ("Which of the paper's claims remain undecided, and how many networks would decide them", UNDECIDED),
    ):
        parts += [f"**{title}**", _listed(unconfirmed(rows, verdict) or ["None."])]
    return "\n\n".join(parts) + "\n"


def captions(claims: pd.DataFrame, correlations: pd.DataFrame) -> dict[str, str]:
    """Sentences with this study's numbers, for the caption of each figure.

    Args:
        claims: table `claims`.
        correlations: table `correlations`.
    """
    rows = pooled(claims)
    sentences = {"claims": counted(rows), "predictors": better_predictors(correlations)}
    sentences["regularisation"] = mechanism(claims)
    for claim in all_claims().values():
        sentences.setdefault(claim.figure, []).extend(findings(rows, claim.name))
    return {figure: _listed(of_figure) + "\n" for figure, of_figure in sentences.items()}


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {_escaped(sentence)}" for sentence in sentences)


def _escaped(text: str) -> str:
    """Text with the characters of reStructuredText markup escaped."""
    return re.sub(r"([\\*`|_])", r"\\\1", text)


def claims_page(claims: pd.DataFrame) -> str:
    """Table `claims` as a page to browse: every row, those with verdicts first.

    Args:
        claims: table `claims`.
    """
    titles = {name: f"{name} {claim.title}" for name, claim in all_claims().items()}
    table = claims.assign(claim=claims["claim"].map(titles)).sort_values(
        "verdict", key=lambda verdicts: verdicts.isna(), kind="stable"
    )
    columns = [
        "claim",
        "scope",
        "n",
        "effect",
        "low",
        "high",
        "p",
        "verdict",
        "n_needed",
        "p_unadjusted",
        "n_excluded",
        "test",
    ]
    return table_page("Claims", table[columns])


def networks_page(networks: pd.DataFrame) -> str:
    """Table `networks` as a page to browse.

    Args:
        networks: table `networks`.
    """
    return table_page("Networks", networks)


def table_page(title: str, table: pd.DataFrame) -> str:
    """A self-contained page that sorts by any column and searches.

    Args:
        title: title of the page.
        table: table to show, initially in its own order.
    """
    cells = []
    for row in table.itertuples(index=False):
        cells.append("<tr>" + "".join(_cell(value) for value in row) + "</tr>")
    head = "".join(f'<th scope="col"><button>{html.escape(name.replace("_", " "))}</button></th>' for name in table)
    page = PAGE.replace("TITLE", html.escape(title)).replace("HEAD", head)
    return page.replace("ROWS", "\n".join(cells))


def _cell(value: object) -> str:
    """A table cell; a number is sorted by all its digits, but displayed with four."""
    if pd.isna(value):
        return '<td class="none">–</td>'
    if isinstance(value, float):
        return f'<td class="number" data-value="{value!r}">{value:.4g}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="number" data-value="{value}">{value}</td>'
    text = html.escape(str(value))
    css_class = text if text in (SUPPORTED, CONTRADICTED, UNDECIDED) else "long" if len(text) > LONG else "text"
    return f'<td class="{css_class}">{text}</td>'


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>TITLE</title>
<style>
body { font: 13px/1.4 system-ui, sans-serif; margin: 1rem; color: #222; }
input { font: inherit; padding: .3rem .5rem; width: min(22rem, 90%); margin-bottom: .6rem; }
table { border-collapse: collapse; }
th { position: sticky; top: 0; background: #fff; border-bottom: 2px solid #555; padding: 0; }
th button { all: unset; cursor: pointer; font-weight: 600; padding: .3rem .5rem; }
th button:focus-visible { outline: 2px solid #0b4f8a; }
th[aria-sort=ascending] button::after { content: " ▲"; }
th[aria-sort=descending] button::after { content: " ▼"; }
td { padding: .2rem .5rem; border-bottom: 1px solid #e5e5e5; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.long { min-width: 12rem; }
td.text { white-space: nowrap; }
td.none { color: #999; text-align: center; }
td.supported { color: #0b4f8a; font-weight: 600; }
td.contradicted { color: #c51b7d; font-weight: 600; }
td.inconclusive { color: #555; }
</style>
</head>
<body>
<h1>TITLE</h1>
<input type="search" placeholder="Search: all words must occur" aria-label="Search">
<span role="status"></span>
<table>
<thead><tr>HEAD</tr></thead>
<tbody>
ROWS
</tbody>
</table>
<script>
"use strict";
const body = document.querySelector("tbody"), rows = [...body.rows];
const heads = [...document.querySelectorAll("th")], count = document.querySelector("[role=status]");
function search() {
  const words = document.querySelector("input").value.toLowerCase().split(/\\s+/);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  count.textContent = shown + " of " + rows.length + " rows";
}
function sort(column) {
  const falling = heads[column].ariaSort === "ascending";
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].ariaSort = falling ? "descending" : "ascending";
  const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const missing = (row) => row.cells[column].classList.contains("none");
  rows.sort((a, b) => {
    if (missing(a) || missing(b)) return missing(a) - missing(b); // last, either way
    const order = isNaN(value(a)) ? value(a).localeCompare(value(b)) : value(a) - value(b);
    return falling ? -order : order;
  });
  body.append(...rows);
}
document.querySelector("input").addEventListener("input", search);
heads.forEach((head, column) => head.firstChild.addEventListener("click", () => sort(column)));
search();
</script>
</body>
</html>
"""
