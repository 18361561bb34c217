"""Sentences on what a study came to: from rows of its tables, whatever their verdicts."""

import re

import numpy as np
import pandas as pd
import pytest

from slowpoints.analysis import findings
from slowpoints.analysis.claims.reading import in_parts, subject_name


def rows(*given):
    """A table `claims` of (claim, scope, effect, verdict), each with an interval of 0.1 to both sides."""
    columns = {"n": 8, "p": 0.0123, "p_unadjusted": 0.01, "n_excluded": 0, "test": "a test"}
    return pd.DataFrame(
        [
            {"claim": claim, "scope": scope, "effect": effect, "low": effect - 0.1, "high": effect + 0.1}
            | columns
            | {"verdict": verdict}
            for claim, scope, effect, verdict in given
        ]
    )


def said(*given):
    table = findings.pooled(rows(*given))
    return [text for claim in findings.SENTENCES for text in findings.findings(table, claim)]


def test_scopes_fall_into_their_parts():
    scopes = [
        "all: vocu - decu",
        "a/gru: settled 300 - slow_points 0.1, memory_score",
        "b, price of a birth (as log10)",
    ]
    parts = in_parts(pd.DataFrame({"scope": scopes}, index=[0, 0, 1]))
    assert parts[["place", "subject", "quantity"]].to_numpy().tolist() == [
        ["all", "vocu - decu", ""],
        ["a/gru", "settled 300 - slow_points 0.1", "memory_score"],
        ["b", "", "price of a birth (as log10)"],
    ]


def test_subjects_go_by_their_names():
    assert subject_name("vocu-shuffled - decu") == "VoCu, shuffled − DeCu"
    assert subject_name("centre_of_mass 0.1") == "centre of mass 0.1"
    assert subject_name("settled 300 - slow_points 0.1", lambdas=False) == "settled − slow points"
    assert subject_name("protocols mixed") == "protocols mixed"


@pytest.mark.parametrize(
    ("effect", "verdict", "sentence"),
    [
        (0.2, "supported", "under VoCu remember longer than those under DeCu"),
        (-0.2, "supported", "under DeCu remember longer than those under VoCu"),
        (0.2, "inconclusive", "neither of VoCu and DeCu was found to remember longer"),
    ],
)
def test_the_protocol_that_remembers_longer_is_named(effect, verdict, sentence):
    (text,) = said(("C2", "a: vocu - decu", effect, verdict))
    assert sentence in text
    assert f"{effect:.3f}".replace("-", "−") in text
    assert text.startswith("a:")
    assert text.endswith(f"(n = 8, p = 0.0123; {verdict}).")


@pytest.mark.parametrize(
    ("effect", "verdict", "sentence"),
    [
        (-0.7, "supported", "the longer memory lasts (a strong relation) among networks of all protocols"),
        (-0.2, "supported", "the longer memory lasts (a weak relation)"),
        (0.4, "contradicted", "the shorter memory lasts (a moderate relation, against the claim)"),
        (0.4, "inconclusive", "it is undecided whether speed predicts memory"),
    ],
)
def test_how_speed_predicts_memory_follows_the_verdict(effect, verdict, sentence):
    assert sentence in said(("C3", "a: protocols mixed", effect, verdict))[0]


def test_penalties_come_strongest_first_with_their_cost():
    texts = said(
        ("C4", "a: slow_points 0.1, memory_score", 0.1, "supported"),
        ("C4", "a: settled 300, memory_score", 0.3, "supported"),
        ("C4", "a: settled 300, nominal_accuracy", -0.2, "contradicted"),
        ("C4", "a: centre_of_mass 0.1, memory_score", -0.1, "contradicted"),
    )
    assert [re.search("“(.*?)” (.*?);", text).groups() for text in texts] == [
        ("settled 300", "prolongs memory"),
        ("slow points 0.1", "prolongs memory"),
        ("centre of mass 0.1", "shortens memory"),
    ]
    assert "it costs more than 0.01 of accuracy, −0.200" in texts[0]
    assert "accuracy" not in texts[1]


def test_every_claim_has_a_sentence_for_every_verdict():
    scopes = {
        "C1": "a: vocu - decu",
        "C2": "a: vocu - decu",
        "C3": "a: within cells",
        "C4": "a: settled 1, memory_score",
        "C5": "a, price of a birth (as log10 speed of the parent)",
        "C6": "a: settled 1 - control, nominal_accuracy",
    }
    for verdict in ("supported", "contradicted", "inconclusive"):
        texts = said(*((claim, scope, 0.1, verdict) for claim, scope in scopes.items()))
        assert len(texts) == len(scopes)
        assert all(verdict in text for text in texts)


def test_one_data_set_is_told_once_and_several_after_all_together():
    alone = said(("C2", "a: vocu - decu", 0.1, "supported"), ("C2", "all: vocu - decu", 0.1, "supported"))
    assert [text.split(":")[0] for text in alone] == ["a"]
    more = said(("C1", "all: vocu - decu", 0.0, "supported"), ("C2", "a: vocu - decu", 0.1, "supported"))
    assert [text.split(":")[0] for text in more] == ["All data sets", "a"]  # what is asked nowhere else
    several = said(*(("C2", f"{place}: vocu - decu", 0.1, "supported") for place in ("a", "b", "all")))
    assert [text.split(":")[0] for text in several] == ["All data sets", "a", "b"]


def test_rows_without_a_verdict_are_left_out():
    assert said(("C2", "a/gru: vocu - decu", 0.1, None), ("C2", "a: vocu - decu", 0.1, "supported"))[0].startswith("a:")


def test_what_cannot_be_correlated_says_why():
    table = rows(("C3", "a: within cells", np.nan, "inconclusive")).assign(n=1, p=np.nan)
    (text,) = findings.findings(findings.pooled(table), "C3")
    assert text.endswith("Spearman's ρ too few networks (n = 1; inconclusive).")


def test_unconfirmed_are_the_paper_s_claims_alone():
    table = findings.pooled(
        rows(
            ("C2", "a: vocu - decu", 0.1, "inconclusive"),
            ("C2", "b: vocu - decu", 0.1, "inconclusive"),
            ("C3", "a: within cells", 0.1, "contradicted"),
            ("C4", "a: settled 1, memory_score", 0.1, "inconclusive"),
            ("C6", "a: settled 1 - control, nominal_accuracy", 0.1, "inconclusive"),
        )
    )
    assert findings.unconfirmed(table, "inconclusive") == ["C2, protocols differ in extrapolation: VoCu − DeCu (a, b)."]
    assert findings.unconfirmed(table, "contradicted") == [
        "C3, the speed of slow points predicts extrapolation: within cells (a)."
    ]


def test_the_best_predictor_is_that_of_the_largest_correlation():
    columns = {
        "dataset": None,
        "architecture": None,
        "protocol": None,
        "method": "spearman",
        "level": "network",
        "n": 8,
    }
    found = pd.DataFrame(
        [
            columns | {"predictor": name, "r": r, "low": r - 0.1, "high": r + 0.1}
            for name, r in (("log10_speed", -0.4), ("log10_lifetime", 0.8), ("memory_score_no_noise", 0.95))
        ]
    )
    (text,) = findings.best_predictors(found)
    assert "lifetime from class centre, ρ = 0.800 [0.700, 0.900]" in text
    assert "the speed of slow points has ρ = −0.400 [−0.500, −0.300]" in text
