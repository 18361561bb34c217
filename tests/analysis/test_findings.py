"""Sentences on what a study came to: from rows of its tables, whatever their verdicts."""

import re

import numpy as np
import pandas as pd
import pytest
from claim_tables import about, made_up

from slowpoints.analysis import findings
from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.wording import asked, subject_name


def said(*rows):
    table = findings.pooled(made_up(*rows))
    return [text for claim in all_claims() for text in findings.findings(table, claim)]


@pytest.mark.parametrize(
    ("row", "with_lambda", "without"),
    [
        (about("C2", protocol="vocu-shuffled"), "VoCu, shuffled − DeCu", "VoCu, shuffled − DeCu, memory score"),
        (about("C3"), "within cells", "within cells, log10 speed of slow points"),
        (about("C4"), "settled 300 − control", "settled − control, memory score"),
        (
            about("C6", rival="centre_of_mass", rival_lambda=0.1, measure="memory_score"),
            "settled 1 − centre of mass 0.1",
            "settled − centre of mass, memory score",
        ),
        (about("C4", mode="other", lambda_=None), "other − control", "other − control, memory score"),
    ],
)
def test_subjects_are_said_in_words(row, with_lambda, without):
    (row,) = with_verdict(made_up((row, 0.1, "supported"))).itertuples()
    assert subject_name(row) == with_lambda
    assert asked(row) == without


@pytest.mark.parametrize(
    ("effect", "verdict", "sentence"),
    [
        (0.2, "supported", "under VoCu remember longer than those under DeCu"),
        (-0.2, "supported", "under DeCu remember longer than those under VoCu"),
        (0.2, "inconclusive", "neither VoCu nor DeCu was found to remember longer"),
    ],
)
def test_the_protocol_that_remembers_longer_is_named(effect, verdict, sentence):
    (text,) = said((about("C2", dataset="a"), effect, verdict))
    assert sentence in text
    assert f"{effect:.3f}".replace("-", "−") in text
    assert text.startswith("a:")
    assert text.endswith(f"(n = 8, p = 0.0123; {verdict}).")


@pytest.mark.parametrize(
    ("effect", "verdict", "sentence"),
    [
        (-0.7, "supported", "the longer memory lasts (a strong correlation) among networks of all protocols"),
        (-0.2, "supported", "the longer memory lasts (a weak correlation)"),
        (0.4, "contradicted", "the shorter memory lasts (a moderate correlation, against the claim)"),
        (0.4, "inconclusive", "it is undecided whether speed predicts memory"),
    ],
)
def test_how_speed_predicts_memory_follows_the_verdict(effect, verdict, sentence):
    assert sentence in said((about("C3", dataset="a", question="mixed"), effect, verdict))[0]


def test_penalties_come_strongest_first_with_their_cost():
    texts = said(
        (about("C4", dataset="a", mode="slow_points", lambda_=0.1), 0.1, "supported"),
        (about("C4", dataset="a"), 0.3, "supported"),
        (about("C4", dataset="a", measure="nominal_accuracy"), -0.2, "contradicted"),
        (about("C4", dataset="a", mode="centre_of_mass", lambda_=0.1), -0.1, "contradicted"),
    )
    assert [re.search("“(.*?)” (.*?);", text).groups() for text in texts] == [
        ("settled 300", "prolongs memory"),
        ("slow points 0.1", "prolongs memory"),
        ("centre of mass 0.1", "shortens memory"),
    ]
    assert "it costs more than 0.01 of accuracy, −0.200" in texts[0]
    assert "accuracy" not in texts[1]


def test_a_penalty_whose_lambda_differs_between_data_sets_has_its_cost_beside_it():
    differing = (about("C4", lambda_=None, measure=measure) for measure in ("memory_score", "nominal_accuracy"))
    (text,) = said(*((row, 0.1, "supported") for row in differing))
    assert text.startswith("All data sets: the penalty “settled” prolongs memory;")
    assert "it costs no more than 0.01 of accuracy" in text


def test_every_claim_has_a_sentence_for_every_verdict():
    for verdict in ("supported", "contradicted", "inconclusive"):
        texts = said(*((about(claim, dataset="a"), 0.1, verdict) for claim in all_claims()))
        assert len(texts) == len(all_claims())
        assert all(verdict in text for text in texts)


def test_births_have_a_price_or_a_difference():
    difference = about("C5", question="differ", measure="jump_share", protocol="vocu", rival="decu")
    texts = said((difference, 0.1, "supported"), (about("C5"), 0.1, "inconclusive"))
    assert texts[0].startswith("All data sets: protocols differ in the share of births by a jump; VoCu − DeCu: 0.100")
    assert texts[1].startswith("All data sets: it is undecided whether births have a price; price of a birth (")


def test_one_data_set_is_told_once_and_several_after_all_together():
    alone = said((about("C2", dataset="a"), 0.1, "supported"), (about("C2"), 0.1, "supported"))
    assert [text.split(":")[0] for text in alone] == ["a"]
    more = said((about("C1"), 0.0, "supported"), (about("C2", dataset="a"), 0.1, "supported"))
    assert [text.split(":")[0] for text in more] == ["All data sets", "a"]  # what is asked nowhere else
    several = said(*((about("C2", dataset=place), 0.1, "supported") for place in ("a", "b", None)))
    assert [text.split(":")[0] for text in several] == ["All data sets", "a", "b"]


def test_rows_without_a_verdict_are_left_out():
    stratum = about("C2", dataset="a", architecture="gru")
    assert said((stratum, 0.1, None), (about("C2", dataset="a"), 0.1, "supported"))[0].startswith("a:")


def test_what_cannot_be_correlated_says_why():
    table = made_up((about("C3", dataset="a"), np.nan, "inconclusive")).assign(n=1, p=np.nan)
    (text,) = findings.findings(findings.pooled(table), "C3")
    assert text.endswith("Spearman's ρ too few networks (n = 1; inconclusive).")


def test_unconfirmed_are_the_paper_s_claims_alone():
    table = findings.pooled(
        made_up(
            (about("C2", dataset="a"), 0.1, "inconclusive"),
            (about("C2", dataset="b"), 0.1, "inconclusive"),
            (about("C3", dataset="a"), 0.1, "contradicted"),
            (about("C4", dataset="a"), 0.1, "inconclusive"),
            (about("C6", dataset="a", rival="slow_points"), 0.1, "inconclusive"),
        )
    )
    assert findings.unconfirmed(table, "inconclusive") == [
        "C2, protocols differ in extrapolation: VoCu − DeCu, memory score (a, b)."
    ]
    assert findings.unconfirmed(table, "contradicted") == [
        "C3, the speed of slow points predicts extrapolation: within cells, log10 speed of slow points (a)."
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
