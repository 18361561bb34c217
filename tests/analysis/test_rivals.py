"""C4 and C6 against control, the paper's penalties and other rivals: for simulated networks, and recomputed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from claim_tables import about, made_up, only
from places import ROOT
from recomputed import at_chosen
from scipy import stats
from test_claim_rows import CELLS, NETWORK, NOBODY, tuned
from test_over_cells import random_effects

from slowpoints.analysis import comparisons, correlation, findings
from slowpoints.analysis.claims.judge import judged
from slowpoints.analysis.claims.penalties import prolonged
from slowpoints.analysis.claims.rivals import surpassed
from slowpoints.analysis.claims.rows import Excluded


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(correlation, "RESAMPLES", 50)
    monkeypatch.setattr(comparisons, "PERMUTATIONS", 99)


GAINS = {"settled": 0.3, "path": 0.4, "slow_points": 0.1, "noise": -0.1, "weight_decay": 0.35, "tracking": 0.2}


def over_all(rows):
    return {
        (row.subject.question, row.subject.mode, row.subject.rival, row.subject.measure): row
        for row in rows
        if row.subject.level == "all"
    }


def test_each_of_ours_meets_every_rival_and_the_other_of_ours():
    rows = over_all(surpassed(tuned(GAINS), NOBODY))
    effects = {
        key: (row.claimed, round(row.outcome.effect, 6)) for key, row in rows.items() if key[3] == "memory_score"
    }
    expected = {("ours", "path", "settled", "memory_score"): ("either", 0.1)}
    for mode, question, rival in (
        (mode, question, rival)
        for mode in ("settled", "path")
        for question, rival in (("surpass", "slow_points"), ("rivals", "noise"), ("rivals", "weight_decay"))
    ):
        expected[question, mode, rival, "memory_score"] = ("positive", round(GAINS[mode] - GAINS[rival], 6))
    assert effects == expected
    costs = {key[:3]: row.margin for key, row in rows.items() if key[3] == "nominal_accuracy"}
    assert costs == {
        (question, mode, "control"): margin
        for mode in ("settled", "path")
        for question, margin in (("surpass", 0.01), ("strict", 0.005))
    }


def test_rivals_move_no_verdict_on_the_paper_s_penalties():
    """p of questions without rivals is adjusted as before."""
    few = tuned({"settled": 0.01, "slow_points": 0.001})
    more = tuned({"settled": 0.01, "slow_points": 0.001, "noise": -0.1, "weight_decay": 0.35})
    for rows in (surpassed, prolonged):
        before, after = judged(list(rows(few, NOBODY))), judged(list(rows(more, NOBODY)))
        after = after[after["question"] != "rivals"].reset_index(drop=True)
        pd.testing.assert_frame_equal(before, after)


def test_only_chosen_lambdas_have_verdicts():
    """Of two lambdas of path, that of the larger gain is chosen on one data set, that of the smaller on the other."""
    weak, strong = (tuned({"path": gain, "noise": 0.1}, lambdas={}) for gain in (0.2, 0.4))
    strong.loc[strong["mode"] == "path", "lambda"] = 7.0
    table = pd.concat([weak, strong[strong["mode"] == "path"]], ignore_index=True)
    other = sorted(table["dataset"].unique())[0]
    chosen = table[(table["mode"] != "path") | (table["lambda"].eq(7.0) ^ table["dataset"].eq(other))]
    found = judged([*prolonged(table, NOBODY, chosen), *surpassed(chosen, NOBODY)])
    path = found[(found["mode"] == "path") & (found["measure"] == "memory_score")]
    rejected = path[(path["question"] == "sweep") & path["dataset"].notna() & path["architecture"].isna()]
    assert rejected["verdict"].isna().all()
    by_set = {
        name: rows.set_index("question")["lambda"].to_dict()
        for name, rows in path[path["dataset"].notna() & path["architecture"].isna()].groupby("dataset")
    }
    assert by_set[other] == {"sweep": 7.0, "prolong": 0.1, "rivals": 0.1}
    (kept,) = [by_set[name] for name in by_set if name != other]
    assert kept == {"sweep": 0.1, "prolong": 7.0, "rivals": 7.0}
    over_both = path[path["dataset"].isna() & (path["question"] == "prolong")]
    assert over_both["lambda"].isna().all()
    assert over_both["verdict"].notna().all()


def test_a_rival_claims_memory_and_its_cost_alone():
    rows = over_all(prolonged(tuned(GAINS), NOBODY))
    assert {key[3] for key in rows if key[1] == "noise"} == {"memory_score", "nominal_accuracy"}
    assert {key[0] for key in rows if key[1] in ("noise", "weight_decay")} == {"rivals"}
    assert {key[3] for key in rows if key[1] == "path"} > {"log10_speed", "log10_settled_speed"}


def test_drift_and_diffusion_are_described_where_they_were_measured():
    table = tuned({"settled": 0.3}).assign(log10_settled_drift_after=lambda all_: -all_["memory_score_after"])
    assert not {"drift", "diffusion"} & {row.subject.question for row in prolonged(tuned({"settled": 0.3}), NOBODY)}
    assert not [
        row
        for row in prolonged(table.assign(log10_settled_drift_after=np.nan), NOBODY)
        if row.subject.question == "drift"
    ]
    found = judged(list(prolonged(table, NOBODY)))
    row = only(found, "C4", question="drift")
    assert row["effect"] == pytest.approx(-0.3 - 0.0015)
    assert found.loc[found["question"] == "drift", "verdict"].isna().all()


def test_cells_that_agree_are_those_with_the_claimed_sign():
    table = tuned({"settled": 0.3}, cells=CELLS[1:4])
    worse = table["protocol"].eq("vocu") & table["dataset"].eq("a") & table["mode"].eq("settled")
    table.loc[worse, ["memory_score_after", "nominal_accuracy_after"]] = [0.4, 0.8]
    rows = over_all(prolonged(table, NOBODY))
    for measure in ("memory_score", "nominal_accuracy"):
        assert rows["prolong", "settled", "control", measure].cells[:2] == (3, 2)
    single = [row for row in prolonged(table, NOBODY) if row.subject.level == "cell"]
    assert all(row.cells is None for row in single)


@pytest.mark.parametrize("study", ["embedded", "mnist-tenth"])
def test_cells_of_a_reference_study_are_combined_as_here(study):
    """Plain pandas and SciPy, from the table of fine-tuned networks, against the rows on memory over all."""
    table = at_chosen(study, pd.read_parquet(ROOT / f"reference/{study}/regularisation.parquet"))
    wide = table.set_index([*NETWORK, "mode"])["memory_score_after"].unstack("mode")
    nobody = Excluded(table[NETWORK].assign(learned=True))
    found = over_all([*surpassed(table, nobody), *prolonged(table, nobody)])
    checked = 0
    for (question, mode, rival, measure), row in found.items():
        if measure != "memory_score":
            continue
        gains = (wide[mode] - wide[rival]).groupby(NETWORK[:3]).agg(["mean", "var", "count"])
        effects, variances = gains["mean"].to_numpy(), (gains["var"] / gains["count"]).to_numpy()
        mean, error, tau2, q = random_effects(effects, variances)
        k = len(gains)
        half = stats.t.ppf(0.975, k - 1) * error
        wider = stats.t.ppf(0.975, k - 2) * np.sqrt(tau2 + error**2)
        expected = (mean, mean - half, mean + half, mean - wider, mean + wider, q, max(0, 1 - (k - 1) / q))
        np.testing.assert_allclose(row.cells[2:], expected, rtol=2e-3, atol=1e-5)
        assert row.cells[:2] == (k, (effects > 0).sum()), (question, mode, rival)
        checked += 1
    modes = set(wide) - {"control"}
    ours = modes & {"settled", "path"}
    between = len(ours) * (len(ours) - 1) // 2
    assert checked == len(modes) + len(ours) * len(modes - ours) + between  # against control, rivals, each other


def told(*rows):
    return findings.findings(findings.pooled(made_up(*rows)), "C6")


def test_the_strongest_rival_comes_first_and_the_others_in_one_sentence():
    row = about("C6", dataset="a", measure="memory_score", question="rivals")
    texts = told(
        ({**row, "rival": "noise"}, 0.4, "supported"),
        ({**row, "rival": "long_delays", "rival_lambda": 100.0}, 0.1, "inconclusive"),
        ({**row, "rival": "slow_points", "question": "surpass"}, 0.2, "supported"),
        ({**row, "rival": "weight_decay"}, -0.2, "contradicted"),
        (about("C6", dataset="a"), 0.0, "supported"),
        (about("C6", dataset="a", question="strict"), 0.0, "inconclusive"),
    )
    assert len(texts) == 3
    assert texts[0].startswith(
        "a: “settled 1” (our own) prolongs memory less, at the study's steps, than “weight decay”, "
        "the strongest of 4 rivals: −0.200"
    )
    assert texts[1] == (
        "a: compared with the other rivals, “settled 1” prolongs memory more than “slow points” (+0.200), “more "
        "noise” (+0.400); not demonstrably more than “long delays 100” (+0.100)."
    )
    assert "costs no more than 0.01 of accuracy relative to “control”" in texts[2]
    assert texts[2].endswith("no more than 0.005: inconclusive.")


def test_one_rival_is_the_paper_s_by_name():
    (text,) = told((about("C6", measure="memory_score", rival="slow_points"), 0.2, "supported"))
    assert "than “slow points” (the paper's): 0.200" in text
    assert "strongest" not in text


def test_ours_are_told_apart_only_by_a_verdict():
    row = about("C6", question="ours", measure="memory_score", mode="path", rival="settled", rival_lambda=3.0)
    for effect, verdict, words in (
        (0.1, "supported", "prolongs memory more than “settled 3”"),
        (-0.1, "supported", "prolongs memory less than"),
        (0.1, "inconclusive", "was not shown to differ in memory from"),
    ):
        (text,) = told((row, effect, verdict))
        assert words in text


def test_gains_of_rivals_against_control_are_one_sentence():
    row = about("C4", question="rivals", dataset="a", lambda_=None)
    table = made_up(
        ({**row, "mode": "noise"}, -0.1, "contradicted"),
        ({**row, "mode": "weight_decay"}, 0.2, "supported"),
        (about("C4", dataset="a"), 0.3, "supported"),
    )
    first, second = findings.findings(findings.pooled(table), "C4")
    assert first.startswith("a: the penalty “settled 300” prolongs memory")
    assert second.startswith("a: rivals compared with control: “weight decay” 0.200")
    with_cells = table.assign(n_cells=8, n_cells_agree=7, prediction_low=-0.1, prediction_high=0.5)
    first, _ = findings.findings(findings.pooled(with_cells), "C4")
    assert "positive in 7 of 8 cells, prediction interval for a further cell [−0.100, 0.500]" in first


def test_modes_of_the_registry_are_in_one_group_at_most():
    from slowpoints.core.modes import OURS, PAPER, RIVALS

    assert len({*OURS, *PAPER, *RIVALS}) == len(OURS + PAPER + RIVALS)
    assert replace(next(iter(surpassed(tuned(GAINS), NOBODY)))).subject.mode in OURS
