"""Claims are data: no number, and no row, depends on any name."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import reproduction_page
from claim_tables import about, made_up
from places import ROOT
from test_claim_rows import correlations, table, tuned
from test_claims_formation import study as tracks

from slowpoints.analysis import claims, comparisons, correlation, findings, report, summary
from slowpoints.analysis.claims import accuracy, extrapolation, wording
from slowpoints.analysis.claims.judge import judge
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.core.schemas.study import CLAIMS
from slowpoints.core.tables import read_table, write_table
from slowpoints.plots.figures import data


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(correlation, "RESAMPLES", 50)
    for module in (correlation, comparisons):
        monkeypatch.setattr(module, "PERMUTATIONS", 199)


def study():
    """Claims of a simulated study with rows of every question."""
    rng = np.random.default_rng(0)
    networks = table(seeds=4)
    networks = networks.assign(
        nominal_accuracy=rng.uniform(0.9, 1, len(networks)), memory_score=rng.uniform(size=len(networks))
    )
    networks["spectral_score"] = networks["memory_score"].where(networks["architecture"] == "gru") + 0.1  # affine
    fine_tuned = tuned(
        {"slow_points": 0.1, "settled": 0.2, "path": 0.3, "noise": 0.05},
        cells=[("a", "gru", "vocu"), ("b", "lstm", "decu")],
    )
    still = {f"log10_settled_{name}_after": fine_tuned["log10_speed_after"] for name in ("drift", "diffusion")}
    allowed = fine_tuned["memory_score_after"].where(fine_tuned["architecture"] == "gru") + 0.1
    fine_tuned = fine_tuned.assign(**still, spectral_score_after=allowed)
    formation = tracks().merge(networks[["dataset", "architecture", "protocol", "seed"]])
    weaker = fine_tuned[fine_tuned["mode"] == "path"].assign(memory_score_after=0.5, **{"lambda": 7.0})
    fine_tuned = pd.concat([fine_tuned, weaker], ignore_index=True)
    validation = fine_tuned.rename(columns=lambda name: name.removesuffix("_after"))
    return judge(networks, correlations(), formation, fine_tuned, validation)


def reworded(claim):
    """The claim with every text in other words."""
    questions = {
        name: replace(question, effect="an effect", words=question.words and f"in other words ({name})")
        for name, question in claim.questions.items()
    }
    measures = {name: f"it: {name}, or - so" for name in claim.measures}
    return replace(claim, title="other: words, altogether - here", topic="Why?", questions=questions, measures=measures)


@pytest.mark.long
def test_other_words_change_no_number(monkeypatch):
    before = study()
    assert set(zip(before["claim"], before["question"], strict=True)) == {
        (claim.name, question) for claim in claims.all_claims().values() for question in claim.questions
    }
    others = {name: reworded(claim) for name, claim in claims.all_claims().items()}
    for module in (claims, wording, findings, report, summary):
        monkeypatch.setattr(module, "all_claims", lambda: others)
    monkeypatch.setattr("slowpoints.analysis.claims.judge.all_claims", lambda: others)
    monkeypatch.setattr(wording, "MEASURES", {name: f"measured: {name}, so - so" for name in wording.MEASURES})
    after = study()
    assert (after["scope"] != before["scope"]).all()
    pd.testing.assert_frame_equal(after.drop(columns="scope"), before.drop(columns="scope"))


def test_nothing_is_read_off_a_scope(monkeypatch):
    """Texts about a table do not depend on its scopes, except where these are displayed."""
    made = study()
    silent = made.assign(scope="")
    networks = table(nominal_accuracy=0.9)
    for of in (
        lambda rows: report.summary(rows, networks),
        lambda rows: report.captions(rows, correlations())["claims"],
        lambda rows: data("claims", {"claims": rows}).to_csv(),
    ):
        assert of(made) == of(silent)


def test_no_code_takes_a_scope_apart():
    """`scope` is written by the judge and displayed; the data of a figure have a column of that name."""
    shown = {"judge.py", "summary.py", "report.py", "claims.py", "study.py"}
    code = [*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").glob("*.py"), *(ROOT / "scripts").glob("*.py")]
    naming = {path for path in code if re.search(r"""["'.]scope\b""", path.read_text())}
    assert {path.name for path in naming} <= shown
    for path in naming:
        assert not re.search(r"""scope["'\]]*\]?\.(str|split|partition|startswith|endswith)""", path.read_text()), path


@pytest.mark.long
def test_a_claim_is_found_in_its_module(monkeypatch):
    """One module adds it to table, sentences, figure and page; a second claim of the same name is refused."""
    names = list(claims.all_claims())
    assert names == ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]

    def other_rows(evidence):
        return (replace(row, subject=replace(row.subject, claim="C10")) for row in accuracy.C1.rows(evidence))

    mine = replace(accuracy.C1, name="C10", title="mine", rows=other_rows)
    claims.all_claims.cache_clear()
    monkeypatch.setattr(accuracy, "MINE", mine, raising=False)
    try:
        assert list(claims.all_claims()) == [*names, "C10"]
        made = study()
        assert len(made[made["claim"] == "C10"]) == len(made[made["claim"] == "C1"]) > 0
        rows = findings.pooled(made)
        assert findings.findings(rows, "C10")
        assert "C10, mine:" in findings.counted(rows)[-1]
        assert "C10" in set(data("claims", {"claims": made})["claim"])
        monkeypatch.setattr(extrapolation, "MINE", replace(mine, title="another"), raising=False)
        claims.all_claims.cache_clear()
        with pytest.raises(ValueError, match="there is another claim 'C10'"):
            claims.all_claims()
    finally:
        monkeypatch.undo()
        claims.all_claims.cache_clear()


def test_rows_come_back_from_a_file_as_they_were(tmp_path):
    """Nulls of either type, which distinguish the rows of a single data set from those over all."""
    rows = (about("C4", dataset="a"), about("C4"), about("C2", dataset="a"), about("C2"), about("C3"))
    write_table(made_up(*((row, 0.1, "supported") for row in rows)), tmp_path / "claims.parquet", CLAIMS)
    found = with_verdict(read_table(tmp_path / "claims.parquet", CLAIMS))
    assert list(found["claim"]) == ["C4", "C2", "C3"]
    assert list(found["dataset"].isna()) == [False, False, True]
    assert findings.findings(findings.pooled(found.rename(columns={"lambda_": "lambda"})), "C4")


def test_the_summary_reads_a_table_of_before_columns_said_what_rows_are_about():
    old = made_up((about("C2", dataset="a"), 0.1, "supported"), (about("C2"), 0.1, "supported"))
    old = old[["claim", "scope", *CLAIMS.columns.keys() - {"claim", "scope", *CLAIMS.key}]]
    lines = summary._claims(old.assign(scope=["a: vocu - decu", "all: vocu - decu"])).splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == ["a: vocu - decu", "all: vocu - decu"]


def test_the_page_asks_without_lambda():
    (row,) = with_verdict(made_up((about("C4", dataset="a"), 0.1, "supported"))).itertuples()
    assert reproduction_page.asked(row) == "settled − control, memory score"
    assert reproduction_page._effect(row) == "0.100 [0.000,\u00a00.200]"
