"""The pages on finished studies agree with their tables."""

import re
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest
import reproduction_page
import results_page
from origins import origin
from places import ROOT
from recomputed import changes, random_effects

from slowpoints import judge
from slowpoints.analysis.predictors import study_correlations
from slowpoints.core.schemas.schema import CELL
from slowpoints.core.schemas.study import CLAIMS, CORRELATIONS
from slowpoints.core.tables import read_table, write_table

STUDIES = results_page.studies()
SMALLEST = reproduction_page.with_the_papers_units()[-1]
NUMBER = r"[-+]?\d+\.\d+"
QUOTED = re.compile(rf"({NUMBER}) \[({NUMBER}), ({NUMBER})\]")


def worked_out(study, results):
    """Tables of a study in reference/ as made by `snakemake reference_figures`, with claims tested again."""
    tables = results / f"reference-{study}/tables"
    shutil.copytree(ROOT / "reference" / study, tables, ignore=shutil.ignore_patterns("*.yaml", "*.csv"))
    table = {path.stem: read_table(path) for path in tables.iterdir()}
    write_table(study_correlations(table), tables / "correlations.parquet", CORRELATIONS)
    found = judge(
        table["networks"],
        read_table(tables / "correlations.parquet"),
        table["formation"],
        table["regularisation"],
        table.get("validation"),
    )
    write_table(found, tables / "claims.parquet", CLAIMS)


def test_the_smallest_study_comes_to_what_its_section_says(tmp_path):
    worked_out(SMALLEST, tmp_path)
    assert results_page.section(SMALLEST, tmp_path) in results_page.PAGE.read_text(), "run `make results`"


@pytest.mark.slow
def test_the_pages_of_all_studies_are_up_to_date(tmp_path):
    for study in STUDIES:
        worked_out(study, tmp_path)
    assert results_page.PAGE.read_text() == results_page.page(tmp_path), "run `make results`"
    text = reproduction_page.PAGE.read_text()
    assert text == reproduction_page.page(text, tmp_path), "run `make results`"


@pytest.mark.parametrize("study", STUDIES)
def test_each_cell_of_a_study_stands_on_the_page(study):
    text = results_page.PAGE.read_text()
    for cell, networks in read_table(ROOT / f"reference/{study}/networks.parquet").groupby(CELL):
        accuracy = networks["nominal_accuracy"]
        row = f"| {'/'.join(cell)} | {len(networks)} | {accuracy.mean():.3f} ({accuracy.min():.3f}) |"
        assert row in text, "run `make results`"


@pytest.mark.parametrize("table", [reproduction_page.settings, reproduction_page.origins])
def test_settings_and_origins_on_the_page_are_those_of_the_tables(table):
    assert table() in reproduction_page.PAGE.read_text(), "run `make results`"


@pytest.mark.parametrize("study", STUDIES)
def test_the_pages_say_why_a_study_is_legacy(study):
    source = origin(study)
    section = results_page.PAGE.read_text().partition(f"\n## {study}\n")[2].partition("\n## ")[0]
    assert source.revisions[0][:10] in section
    if source.legacy:
        assert f"**Legacy tables.** {source.legacy}" in section
        assert source.legacy in reproduction_page.PAGE.read_text()


def test_a_table_of_unproved_origin_stops_the_pages(tmp_path, monkeypatch):
    copied = tmp_path / "mnist-tenth"
    shutil.copytree(ROOT / "reference/mnist-tenth", copied, ignore=shutil.ignore_patterns("legacy.yaml"))
    monkeypatch.setattr(results_page, "origin", lambda study: origin(study, tmp_path))
    with pytest.raises(ValueError, match="hold no settings; run the study anew, or give the reason"):
        results_page.section("mnist-tenth")


@pytest.mark.parametrize("page", ["README.md", "docs/reproduction.md"])
def test_what_is_quoted_stands_in_the_results(page):
    """A number with its interval, rounded from the three digits there or in tables that `make results` writes."""
    tables = reproduction_page.MARKED.finditer(reproduction_page.PAGE.read_text())
    written = " ".join([results_page.PAGE.read_text(), *(table[0].replace("\u00a0", " ") for table in tables)])
    found = {tuple(map(float, match)) for match in QUOTED.findall(written)}
    found |= {random_effects(changes("embedded", "slow_points"))[:3]}
    rival = pd.concat([changes(study, "path", against="long_delays") for study in ("embedded", "mnist-small", "cifar")])
    found |= {random_effects(rival)[:3]}
    prose = reproduction_page.MARKED.sub("", (ROOT / page).read_text())
    quotes = QUOTED.findall(re.sub(r"\s+", " ", prose))
    assert len(quotes) > 5
    for quote in quotes:
        slack = 0.5 * 10.0 ** -len(quote[0].partition(".")[2]) + 0.0005 + 1e-9
        values = tuple(map(float, quote))
        assert any(
            all(abs(value - exact) <= slack for value, exact in zip(values, triple, strict=True)) for triple in found
        ), f"{page} quotes {quote}; no table, and nothing in tests/recomputed.py, has such a number"


@pytest.mark.parametrize("study", STUDIES)
def test_networks_are_counted_as_they_are(study):
    n = pq.read_metadata(ROOT / f"reference/{study}/networks.parquet").num_rows
    assert re.search(rf"^\| `{study}/` .* \| {n} \|", (ROOT / "reference/README.md").read_text(), re.MULTILINE)


def test_a_page_without_a_place_for_a_table_is_refused():
    text = reproduction_page.PAGE.read_text().replace("table settings", "table of settings")
    with pytest.raises(ValueError, match=r"has the tables \['origins', 'claims', 'cells', 'rivals', 'units'\]"):
        reproduction_page.page(text)
