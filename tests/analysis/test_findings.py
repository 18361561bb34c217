"""Sentences about the results of a study, from rows of its tables, for every verdict."""

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
    assert text.endswith("seed; too few networks (n = 1; inconclusive).")


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


def predictors(*rows, level="network"):
    """Table `correlations` over all, of (predictor, r, baseline, difference from it), with intervals of ± 0.1."""
    place = dict.fromkeys(("dataset", "architecture", "protocol")) | {"method": "spearman", "level": level, "n": 8}
    return pd.DataFrame(
        [
            place
            | {"predictor": name, "r": r, "low": r - 0.1, "high": r + 0.1, "baseline": baseline}
            | {
                "baseline_difference": more,
                "baseline_difference_low": more - 0.1,
                "baseline_difference_high": more + 0.1,
            }
            for name, r, baseline, more in rows
        ]
    )


def test_a_predictor_is_called_better_only_than_a_baseline_that_looks_as_far():
    table = predictors(
        ("log10_speed", -0.4, None, np.nan),
        ("log10_settled_speed", -0.6, "accuracy_34", 0.15),
        ("log10_margin_time", 0.8, "accuracy_100", 0.05),  # stronger, but no more than accuracy
        ("memory_score_no_noise", 0.95, "accuracy_100", 0.3),
        ("accuracy_100", 0.75, None, np.nan),
    )
    (text,) = findings.better_predictors(table)
    assert text == (
        "Among networks that differ only in their seed, the speed of slow points has ρ = −0.400 [−0.500, −0.300]. "
        "Better than a baseline that looks as far into the delay: settled speed (ρ = −0.600 [−0.700, −0.500]; "
        "stronger by 0.150 than accuracy at delay 34)."
    )
    (text,) = findings.better_predictors(table[table["predictor"] != "log10_settled_speed"])
    assert text.endswith(
        "No measure of the dynamics predicts memory better than a baseline that looks as far into the delay."
    )
    reaching = table.assign(last_frame=[np.nan, 35, 115, 1000, 90])
    (text,) = findings.better_predictors(reaching)
    assert text.endswith("[−0.700, −0.500]; looks to frame 35; stronger by 0.150 than accuracy at delay 34).")
    old = table.drop(columns=[name for name in table if name.startswith("baseline")])
    assert findings.better_predictors(old)[0].endswith("No baseline was measured.")


def test_the_protocol_s_label_stands_beside_the_speed_where_protocols_are_mixed():
    table = predictors(
        ("log10_speed", -0.7, "protocol_label", 0.1), ("protocol_label", 0.6, None, np.nan), level="mixed"
    )
    (text,) = findings.better_predictors(table)
    assert "has ρ = −0.700 [−0.800, −0.600], the protocol's label alone 0.600 [0.500, 0.700]." in text


@pytest.mark.parametrize(("i2", "words"), [(0.66, "differ beyond chance"), (0.2, "differ little beyond chance")])
def test_a_pooled_correlation_says_how_far_cells_differ(i2, words):
    table = made_up((about("C3"), -0.3, "supported")).assign(
        n_cells=8, n_cells_agree=7, cells_effect=-0.36, cells_low=-0.62, cells_high=-0.01, q=20.7, i2=i2,
        prediction_low=-0.86, prediction_high=0.51,
    )  # fmt: skip
    (text,) = findings.findings(findings.pooled(table), "C3")
    assert text.endswith(
        f"; negative in 7 of 8 cells, which {words} (Q = 20.7, I² = {100 * i2:.0f} %; mean over cells "
        "−0.360 [−0.620, −0.010], prediction interval for a further cell [−0.860, 0.510])."
    )
    (text,) = findings.findings(findings.pooled(table.assign(prediction_low=np.nan)), "C3")
    assert text.endswith("−0.360 [−0.620, −0.010]).")


def test_drift_and_diffusion_are_told_as_factors_of_each_mode():
    rows = [
        (about("C4", dataset="a", question=question, measure=f"log10_settled_{question}"), effect, None)
        for question, effect in (("drift", 0.0), ("diffusion", -0.5))
    ]
    (text,) = findings.mechanism(made_up(*rows))
    assert text == (
        "a: compared with control, “settled 300” multiplies drift by 1.00 [0.794, 1.259] and diffusion by "
        "0.32 [0.251, 0.398] at settled states."
    )
    assert findings.mechanism(made_up((about("C4"), 0.1, "supported"))) == []


def test_affine_units_are_named_with_their_penalties():
    rows = made_up(
        (about("C7", dataset="a"), -0.1, "supported"),
        (about("C7", dataset="a", mode="settled", lambda_=3.0), 0.1, "contradicted"),
        (about("C7", dataset="a", question="gain", measure="memory_score", mode="settled", lambda_=3.0,
               rival="control"), 0.05, "inconclusive"),
    )  # fmt: skip
    trained, tuned, gain = findings.findings(findings.pooled(rows), "C7")
    assert trained.startswith(
        "a: MINGRU: memory stays below what the spectrum in noise allows; memory score minus that −0.1"
    )
    assert tuned.startswith("a: MINGRU with “settled 3”: memory exceeds what the spectrum in noise allows")
    assert gain.startswith("a: MINGRU: “settled 3” was not shown to gain no memory, to within 0.02; memory score")


def test_verdicts_on_rivals_are_counted_apart():
    rows = [
        (about("C4", mode=mode), 0.1, verdict) for mode, verdict in (("path", "supported"), ("noise", "contradicted"))
    ]
    (both,), (rival,) = (findings.counted(findings.pooled(made_up(*chosen))) for chosen in (rows, rows[1:]))
    assert both.endswith(": 1 supported; rivals: 1 contradicted.")
    assert rival.endswith(": rivals: 1 contradicted.")
