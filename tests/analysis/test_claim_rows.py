"""Scopes of claims, and their rows."""

from dataclasses import fields, replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from claim_tables import VOCU_DECU, only
from scipy import stats
from test_over_cells import random_effects

from slowpoints.analysis import comparisons, correlation
from slowpoints.analysis.claims.accuracy import alike
from slowpoints.analysis.claims.extrapolation import differing
from slowpoints.analysis.claims.judge import judge, judged, verdict
from slowpoints.analysis.claims.penalties import prolonged
from slowpoints.analysis.claims.prediction import dose_and_response, predicted
from slowpoints.analysis.claims.rivals import surpassed
from slowpoints.analysis.claims.rows import (
    Excluded,
    Row,
    ScopeLevel,
    Subject,
    cell_scopes,
    changed,
    compared,
    contrasts,
)
from slowpoints.analysis.claims.tunings import LOSS
from slowpoints.analysis.claims.wording import scope_text
from slowpoints.analysis.comparisons import Effect

CELLS = [tuple(cell.split()) for cell in ("b lstm decu", "b lstm vocu", "a gru decu", "a gru vocu", "a lstm vocu")]
NETWORK = ["dataset", "architecture", "protocol", "seed"]


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(correlation, "RESAMPLES", 100)
    for module in (correlation, comparisons):
        monkeypatch.setattr(module, "PERMUTATIONS", 499)


def table(seeds=3, **columns):
    """A row for each network, with its number as `value`; cells are shuffled."""
    rows = [(*cell, seed) for cell in CELLS for seed in range(seeds)]
    return pd.DataFrame(rows, columns=NETWORK).assign(value=np.arange(len(rows), dtype=float), learned=True, **columns)


NOBODY = Excluded(table())


def test_protocols_are_compared_in_pairs_within_data_set_and_architecture():
    found = list(contrasts(table(), "value"))
    places = [{"dataset": "b", "architecture": "lstm"}, {"dataset": "a", "architecture": "gru"}]
    places += [{"dataset": "b"}, {"dataset": "a"}, {}]  # a/lstm has vocu alone
    assert [(place, names) for place, names, _ in found] == [(place, ("vocu", "decu")) for place in places]
    both = [[[3, 4, 5], [0, 1, 2]], [[9, 10, 11], [6, 7, 8]]]
    for (_, _, strata), expected in zip(found, (both[:1], both[1:], both[:1], both[1:], both), strict=True):
        np.testing.assert_array_equal(strata, expected)


def test_a_group_of_one_network_is_not_compared_and_of_two_it_is():
    lost = table()
    lost.loc[lost["dataset"].eq("b") & lost["protocol"].eq("decu") & lost["seed"].gt(0), "value"] = np.nan
    places = [{"dataset": "a", "architecture": "gru"}, {"dataset": "a"}, {}]
    assert [place for place, _, _ in contrasts(lost, "value")] == places
    assert len(list(contrasts(table(seeds=2), "value"))) == 5
    assert list(contrasts(table(seeds=1), "value")) == []


def test_scopes_of_cells_leave_out_what_has_no_value():
    some = table()
    some.loc[some["dataset"].eq("b") & some["protocol"].eq("decu"), "value"] = np.nan
    found = list(cell_scopes(some, "value"))
    cells = [(cell, [[start, start + 1, start + 2]]) for cell, start in zip(CELLS[1:], (3, 6, 9, 12), strict=True)]
    expected = [(dict(zip(NETWORK, cell, strict=False)), values) for cell, values in cells]
    expected += [({"dataset": "b"}, cells[0][1]), ({"dataset": "a"}, [values for _, (values,) in cells[1:]])]
    expected += [({}, [values for _, (values,) in cells])]
    assert [(place, [list(rows["value"]) for rows in of_place]) for place, of_place in found] == expected
    assert list(cell_scopes(some.assign(value=np.nan), "value")) == []


CELL = {"dataset": "a", "architecture": "gru", "protocol": "vocu"}


@pytest.mark.parametrize(
    ("columns", "level", "text"),
    [
        (CELL, "cell", "a/gru/vocu: memory score"),
        ({}, "all", "all: memory score"),
        (CELL | {"rival": "decu"}, "data set x architecture", "a/gru: vocu - decu, memory score"),
        ({"dataset": "a", "protocol": "vocu", "rival": "decu"}, "data set", "a: vocu - decu, memory score"),
        (CELL | {"mode": "settled", "rival": "control"}, "cell", "a/gru/vocu: settled - control, memory score"),
        (
            {"mode": "settled", "lambda_": 300.0, "rival": "slow_points", "rival_lambda": 0.01},
            "all",
            "all: settled 300 - slow_points 0.01, memory score",
        ),
        ({"mode": "settled", "rival": "control", "rival_lambda": 0.0}, "all", "all: settled - control, memory score"),
    ],
)
def test_a_subject_has_a_level_and_a_text(columns, level, text):
    subject = Subject("C4", "prolong", "memory_score", **columns)
    assert (subject.level, scope_text(subject)) == (level, text)
    assert subject.columns()["lambda"] == columns.get("lambda_")


@pytest.mark.parametrize("place", [{"architecture": "gru"}, {"dataset": "a", "protocol": "vocu"}])
def test_an_architecture_in_all_data_sets_is_no_scope(place):
    with pytest.raises(ValueError, match=r"is no scope of a claim: it needs \['dataset'"):
        assert Subject("C2", "differ", "memory_score", **place).level


def test_streams_are_named_by_every_column():
    subject = Subject("C4", "prolong", "memory_score", **CELL, mode="settled", lambda_=1.0, rival="control")
    others = [replace(subject, **{field.name: "other"}) for field in fields(Subject)]
    draws = {each.stream().random() for each in (subject, *others)}
    assert len(draws) == 12
    assert subject.stream().random() == replace(subject).stream().random()
    swapped = replace(subject, dataset="gru", architecture="a")
    assert swapped.stream().random() not in draws


def test_networks_that_did_not_learn_are_counted_by_scope():
    excluded = Excluded(table().assign(learned=lambda all_: all_["seed"].ne(1) | all_["dataset"].eq("a")))
    counts = [
        ({}, 2),
        ({"dataset": "b"}, 2),
        ({"dataset": "a"}, 0),
        ({"dataset": "b", "protocol": "vocu"}, 1),
        ({"dataset": "b", "architecture": "gru"}, 0),
    ]
    assert [excluded(**place) for place, _ in counts] == [count for _, count in counts]
    assert Excluded(table())() == 0


def by_place(rows):
    """Rows by place: names of data set, architecture and protocol."""
    return {tuple(row.subject.place.values()): row for row in rows}


def test_rows_of_comparisons_and_changes_say_what_they_are():
    lost = Excluded(table().assign(learned=lambda all_: all_["seed"].ne(1)))
    rows = by_place(compared(Subject("C2", "differ", "value"), table(), lost))
    row = rows["b",]
    assert row.subject == Subject(
        "C2", "differ", "value", dataset="b", protocol="vocu", rival="decu", stratum="architecture"
    )
    assert (row.subject.level, row.claimed, row.n_excluded, row.margin) == ("data set", "either", 2, 0)
    assert (row.outcome.n, row.outcome.effect, row.outcome.test) == (6, 3, "permutation within strata")
    assert rows[()].n_excluded == 5
    again = by_place(compared(Subject("C2", "differ", "value"), table(), None, claimed="none"))
    assert again["b",].outcome == row.outcome  # the same draws, whatever is claimed
    assert (again["b",].claimed, again["b",].n_excluded) == ("none", 0)
    about = Subject("C4", "prolong", "value", mode="settled", rival="control", stratum="cell")
    found = list(changed(about, table(), lost, claimed="negative"))
    row = by_place(found)["a",]
    assert row.subject == replace(about, dataset="a")
    assert (row.subject.level, row.claimed, row.n_excluded) == ("data set", "negative", 3)
    assert (row.outcome.n, row.outcome.effect) == (9, 10)
    assert row.outcome.p == pytest.approx(stats.wilcoxon(np.arange(6.0, 15)).pvalue)
    assert list(changed(about, table(), lost, claimed="negative")) == found  # interval and p are drawn alike again
    columns = judged([row]).iloc[0].dropna().to_dict()
    assert columns.pop("p") == columns.pop("p_unadjusted") == row.outcome.p
    assert columns == {
        "claim": "C4", "question": "prolong", "dataset": "a", "mode": "settled", "rival": "control",
        "measure": "value", "stratum": "cell", "scope": "a: settled - control, value", "n_excluded": 3, "n": 9,
        "effect": 10, "low": row.outcome.low, "high": row.outcome.high, "test": "Wilcoxon signed-rank",
        "verdict": "contradicted", **row.cells._asdict(),
    }  # fmt: skip
    assert row.cells[:2] == (3, 0)


def test_claims_on_protocols_are_of_accuracy_and_of_memory():
    data = table(nominal_accuracy=0.9).assign(memory_score=lambda all_: all_["protocol"].eq("vocu") * 0.2 + 0.3)
    row = by_place(alike(data))[()]
    assert (row.subject.claim, row.claimed, row.n_excluded, row.margin) == ("C1", "none", 0, 0.03)
    assert (row.outcome.effect, row.outcome.test) == (0, "TOST within 0.03: no sample varies")
    row = by_place(differing(data, NOBODY))[()]
    assert (row.subject.claim, row.claimed, row.outcome.effect) == ("C2", "either", pytest.approx(0.2))


EDGES = [
    ("none", -0.03, 0.02, 0.01, "inconclusive"),
    ("none", -0.02, 0.03, 0.01, "inconclusive"),
    ("none", -0.02, 0.02, 0.05, "inconclusive"),
    ("none", -0.06, -0.04, 0.9, "contradicted"),
    ("none", 0.03, 0.06, 0.9, "inconclusive"),
    ("none", -0.06, -0.03, 0.9, "inconclusive"),
    ("none", 0.0, 0.04, 0.9, "inconclusive"),
    ("no loss", -0.03, 0.06, 0.01, "inconclusive"),
    ("no loss", -0.02, 0.06, 0.05, "inconclusive"),
    ("no loss", -0.06, -0.03, 0.9, "inconclusive"),
    ("positive", 0.0, 0.2, 0.01, "inconclusive"),
    ("negative", -0.2, 0.0, 0.01, "inconclusive"),
    ("positive", 0.1, 0.2, 0.05, "inconclusive"),
    ("positive", -0.2, -0.1, 0.01, "contradicted"),
    ("negative", -0.2, -0.1, 0.01, "supported"),
    ("either", 0.1, 0.2, 0.01, "supported"),
    ("either", 0.1, 0.2, 0.06, "inconclusive"),
]


@pytest.mark.parametrize(("claimed", "low", "high", "p", "expected"), EDGES)
def test_a_bound_that_is_only_touched_is_not_passed(claimed, low, high, p, expected):
    found = Effect(8, (low + high) / 2, low, high, "made up", p)
    assert verdict(Row(Subject("C1", "alike", "nominal_accuracy"), found, claimed, 0, margin=0.03), p) == expected


def row_of(p, question="differ", claimed="positive", claim="C5", **place):
    subject = Subject(claim, question, "price", **place)
    return Row(subject, Effect(8, 0.5, 0.4, 0.6, "made up", p), claimed, 0)


def test_p_is_adjusted_within_claim_level_and_question():
    """Holm: the smaller of two p is doubled. Rows without p are excluded, and descriptive rows have no verdict."""
    rows = [
        row_of(0.03), row_of(0.04), row_of(np.nan), row_of(0.04, question="price"),
        row_of(0.04, claim="C2"), row_of(0.01, **CELL), row_of(0.04, dataset="a"),
        row_of(0.01, claimed=None, question="mean"),
    ]  # fmt: skip
    found = judged(rows)
    np.testing.assert_allclose(found["p"], [0.06, 0.06, np.nan, 0.04, 0.04, 0.01, 0.04, 0.01])
    said = ["inconclusive"] * 3 + ["supported"] * 2 + [None, "supported", None]
    assert [each if isinstance(each, str) else None for each in found["verdict"]] == said
    assert judged([]).empty


def tuned(gains, seeds=4, cells=CELLS[1:3], lambdas=None):
    """Table `regularisation`: each mode's gain over control in memory, speed (turned) and accuracy."""
    rows = []
    for (mode, gain), cell, seed in product(({"control": 0.0} | gains).items(), cells, range(seeds)):
        own = gain + 0.001 * seed * (mode != "control")
        lambda_ = (lambdas or {}).get((mode, cell[0]), 0.1 * (mode != "control"))
        rows.append((*cell, seed, mode, lambda_, 0.5 + own, -2 - own, -3 - own, 0.9 + own / 100))
    measures = ("memory_score", "log10_speed", "log10_settled_speed", "nominal_accuracy")
    return pd.DataFrame(rows, columns=[*NETWORK, "mode", "lambda", *(f"{measure}_after" for measure in measures)])


def of(rows, **columns):
    """Those rows, by place, whose subjects have these columns."""
    return by_place(row for row in rows if row.subject == replace(row.subject, **columns))


def test_each_mode_is_set_against_control():
    rows = list(prolonged(tuned({"slow_points": 0.2, "settled": -0.1}), NOBODY))
    effects = {
        "memory_score": ("positive", 0.2015), "log10_speed": ("negative", -0.2015),
        "log10_settled_speed": ("negative", -0.2015), "nominal_accuracy": ("no loss", 0.002015),
    }  # fmt: skip
    for measure, (claimed, effect) in effects.items():
        row = of(rows, mode="slow_points", measure=measure)[()]
        about = Subject("C4", "prolong", measure, mode="slow_points", lambda_=0.1, rival="control", rival_lambda=0.0)
        assert row.subject == replace(about, stratum="cell")
        assert (row.claimed, row.outcome.n) == (claimed, 8)
        assert row.outcome.effect == pytest.approx(effect)
    assert of(rows, mode="settled", measure="memory_score")[()].outcome.effect == pytest.approx(-0.1 + 0.0015)
    row = of(rows, mode="slow_points", measure="nominal_accuracy")["a",]
    assert (row.subject.level, row.margin, row.outcome.n, row.n_excluded) == ("data set", LOSS, 4, 0)
    assert row.outcome.test == "no loss beyond 0.01, one-sided paired t"
    assert len(rows) == 2 * 4 * (2 + 2 + 1)
    old = tuned({"slow_points": 0.2}).drop(columns="log10_settled_speed_after")
    assert {row.subject.measure for row in prolonged(old, NOBODY)} == set(effects) - {"log10_settled_speed"}
    assert list(prolonged(tuned({"slow_points": 0.2, "settled": -0.1}), NOBODY)) == rows


def test_ours_is_set_against_each_of_the_paper_s_modes():
    gains = {"settled": 0.3, "slow_points": 0.1, "centre_of_mass": 0.2, "tracking": 0.4}
    over_all = [row for row in surpassed(tuned(gains), NOBODY) if row.subject.level == "all"]
    found = {
        (row.subject.rival, row.subject.measure): (row.claimed, round(row.outcome.effect, 9))
        for row in over_all
        if row.subject.question == "surpass"
    }
    assert found == {
        ("slow_points", "memory_score"): ("positive", 0.2),
        ("centre_of_mass", "memory_score"): ("positive", 0.1),
        ("control", "nominal_accuracy"): ("no loss", 0.003015),
    }
    about = {(row.subject.claim, row.subject.mode, row.subject.lambda_, row.subject.stratum) for row in over_all}
    assert about == {("C6", "settled", 0.1, "cell")}
    assert not list(surpassed(tuned({"slow_points": 0.1}), NOBODY))


def lambdas(rows, *names):
    """Both lambdas of the rows on memory in a place."""
    return {
        (row.subject.lambda_, row.subject.rival_lambda)
        for row in rows
        if row.subject.measure == "memory_score" and tuple(row.subject.place.values()) == names
    }


def test_a_lambda_of_its_own_for_each_data_set_is_named_where_it_holds():
    own = {("settled", "a"): 300.0, ("settled", "b"): 9.0}
    mine = tuned({"settled": 0.3}, lambdas=own)
    rows = list(prolonged(mine, NOBODY))
    assert [lambdas(rows, *names) for names in ((), ("a",), ("b",), ("b", "lstm", "vocu"))] == [
        {(None, 0)}, {(300, 0)}, {(9, 0)}, {(9, 0)},
    ]  # fmt: skip
    doses = {("slow_points", "a"): 0.5, ("slow_points", "b"): 0.1}
    rows = list(surpassed(tuned({"settled": 0.3, "slow_points": 0.1}, lambdas=own | doses), NOBODY))
    assert [lambdas(rows, *names) for names in ((), ("a",), ("b",))] == [{(None, None)}, {(300, 0.5)}, {(9, 0.1)}]
    several = pd.concat([mine, mine[mine["mode"].eq("settled") & mine["dataset"].eq("a")].assign(**{"lambda": 1.5})])
    rows = list(prolonged(several, NOBODY))
    assert lambdas(rows) == {(300, 0), (1.5, 0), (9, 0)}
    assert lambdas(rows, "a") == {(300, 0), (1.5, 0)}


def test_copies_of_a_network_are_ranked_among_themselves():
    """The slower of four copies remember longer; two copies, or equal copies, have no correlation."""
    two_cells = tuned({"slow_points": 0.2, "settled": 0.3, "tracking": 0.1}, cells=CELLS[1:3])
    cells = [tuple(row.subject.place.values()) for row in dose_and_response(two_cells, NOBODY)]
    assert [cell for cell in cells if len(cell) == 3] == 2 * CELLS[1:3]  # as they stand in the table
    assert not list(dose_and_response(two_cells.iloc[:0], NOBODY))
    copies = two_cells[two_cells["dataset"] == "b"]

    def speeds(table):
        rows = dose_and_response(table, NOBODY)
        return {row.subject.measure: row for row in rows if row.subject.level == ScopeLevel.ALL}

    row = speeds(copies)["log10_speed"]
    assert row.subject == Subject("C3", "copies", "log10_speed", stratum="network")
    assert (row.outcome.n, row.outcome.effect, row.claimed) == (4, pytest.approx(-1), None)
    assert row.outcome.test == "mean over networks of Spearman over these modes"
    assert np.isnan(row.outcome.p)
    assert set(speeds(copies)) == {"log10_speed", "log10_settled_speed"}
    assert set(speeds(copies.drop(columns="log10_speed_after"))) == {"log10_settled_speed"}
    three = copies[copies["mode"] != "tracking"]
    assert len(list(dose_and_response(three, NOBODY))) == 6
    assert not list(dose_and_response(three[three["mode"] != "settled"], NOBODY))
    assert not list(dose_and_response(copies.assign(memory_score_after=0.5), NOBODY))
    longer = three["memory_score_after"].where(three["mode"].eq("settled"), 0.5)
    row = speeds(three.assign(memory_score_after=longer))["log10_speed"]
    assert row.outcome.effect == pytest.approx(-(3**0.5) / 2)  # two of the three remember alike
    gone = copies.assign(memory_score_after=copies["memory_score_after"].where(copies["mode"].ne("settled")))
    assert speeds(gone)["log10_speed"].outcome.effect == pytest.approx(-1)  # of the other three


def test_lambda_is_chosen_on_the_validation_images():
    """On them the larger lambda of path costs too much accuracy, which it does not on the test images."""
    networks = table(nominal_accuracy=0.9, memory_score=0.5)
    formation = networks[NETWORK].assign(label=0, step=1, speed=0.1, born=True, jumped=False, parent=np.nan)
    weak, strong = (tuned({"path": gain, "settled": 0.2}, seeds=3) for gain in (0.2, 0.4))
    strong.loc[strong["mode"] == "path", "lambda"] = 7.0
    tuning = pd.concat([weak, strong[strong["mode"] == "path"]], ignore_index=True)
    validation = tuning.rename(columns=lambda name: name.removesuffix("_after"))
    validation.loc[validation["lambda"] == 7.0, "nominal_accuracy"] -= 0.1
    tables = networks, correlations(), formation.assign(merged_with=np.nan), tuning
    for table_, lambdas in ((None, {0.1, 7.0}), (validation, {0.1})):
        claims = judge(*tables, table_)
        assert set(claims.loc[(claims["claim"] == "C6") & (claims["mode"] == "path"), "lambda"]) == lambdas
    with pytest.raises(ValueError, match="validation lacks the column"):
        judge(*tables, validation.drop(columns="memory_score"))


def test_all_claims_are_judged_of_the_networks_that_learned():
    """One network of cell b/lstm/vocu did not learn: it counts only in C1."""
    networks = table(nominal_accuracy=0.9, memory_score=0.5).query("dataset == 'b'")
    networks = networks.assign(learned=networks["seed"].ne(0) | networks["protocol"].ne("vocu"))
    formation = networks[NETWORK].assign(label=0, step=1, speed=0.1, born=True, jumped=False)
    formation = formation.assign(parent=np.nan, merged_with=np.nan)
    tuning = tuned({"slow_points": 0.1, "settled": 0.2}, seeds=3, cells=CELLS[1:2])
    found = judge(networks, correlations(), formation, tuning)
    cell = dict(zip(NETWORK, ("b", "lstm", "vocu"), strict=False))
    counts = [
        (("C1", {"dataset": "b"} | VOCU_DECU), [6, 0]),
        (("C2", {"dataset": "b"} | VOCU_DECU), [5, 1]),
        (("C3", {"question": "network"}), [8, 1]),
        (("C3", {"question": "copies", "measure": "log10_settled_speed"} | cell), [2, 1]),
        (("C4", {"dataset": "b", "mode": "slow_points", "measure": "memory_score"}), [2, 1]),
        (("C5", {"measure": "n_unseen"} | cell), [2, 1]),
        (("C6", {"rival": "slow_points"}), [2, 1]),
    ]
    for (claim, about), expected in counts:
        assert only(found, claim, **about)[["n", "n_excluded"]].tolist() == expected


def correlations():
    scopes = [("a", "gru", "vocu"), ("a", "gru", None), ("a", None, None), (None, "gru", None), (None, None, None)]
    return pd.DataFrame(
        [
            (*names, level, predictor, method, 8, r, r - 0.1, r + 0.1, 0.01)
            for (r, level), predictor, method, names in product(
                ((-0.6, "network"), (-0.4, "mixed"), (-0.2, "class")),
                ("log10_speed", "leading"), ("spearman", "pearson"), scopes,
            )
        ],
        columns=[*NETWORK[:3], "level", "predictor", "method", "n", "r", "low", "high", "p"],
    )  # fmt: skip


def test_speed_predicts_at_two_levels_by_rank():
    lost = Excluded(table().assign(learned=lambda all_: all_["seed"].ne(1)))
    rows = list(predicted(correlations(), lost))
    about = [(row.subject.question, row.subject.stratum, tuple(row.subject.place.values())) for row in rows]
    assert [(*each, row.n_excluded) for each, row in zip(about, rows, strict=True)] == [
        ("mixed", "architecture", ("a", "gru", "vocu"), 1),
        ("mixed", "architecture", ("a", "gru"), 2),
        ("mixed", "architecture", ("a",), 3),
        ("mixed", "architecture", (), 5),
        ("network", "cell", ("a", "gru", "vocu"), 1),
        ("network", "cell", ("a",), 3),
        ("network", "cell", (), 5),
        ("class", "network", ("a", "gru", "vocu"), 1),
        ("class", "network", ("a",), 3),
        ("class", "network", (), 5),
    ]
    assert {(row.subject.claim, row.subject.measure, row.claimed) for row in rows} == {
        ("C3", "log10_speed", "negative")
    }
    mixed = "Spearman, permutation within data set x architecture, protocols mixed"
    jointly = "Spearman, classes permuted in all networks at once"
    for place, r, test in ((0, -0.4, mixed), (6, -0.6, "Spearman, permutation within cells"), (9, -0.2, jointly)):
        found = rows[place].outcome
        assert found[:4] == pytest.approx((8, r, r - 0.1, r + 0.1))
        assert found[4:] == (test, 0.01)


def test_correlations_of_cells_are_a_sample_beside_the_pooled_one():
    """Four cells of 20 networks, against Fisher's z computed here; other questions have no such columns."""
    rho = {
        ("a", "gru", "vocu"): -0.8,
        ("a", "lstm", "vocu"): -0.1,
        ("b", "gru", "vocu"): -0.5,
        ("b", "gru", "decu"): 0.2,
    }
    places = [*rho, ("a", None, None), (None, None, None)]
    table = pd.DataFrame(
        [
            (*names, level, "log10_speed", "spearman", 20, rho.get(names, -0.3), -0.5, -0.1, 0.01)
            for level in ("network", "mixed")
            for names in places
        ],
        columns=[*NETWORK[:3], "level", "predictor", "method", "n", "r", "low", "high", "p"],
    )
    rows = {(row.subject.question, *row.subject.place.values()): row for row in predicted(table, NOBODY)}
    z, variance = np.arctanh(list(rho.values())), np.full(4, 1.06 / 17)
    mean, error, tau2, q = random_effects(z, variance)
    half, wider = stats.t.ppf(0.975, 3) * error, stats.t.ppf(0.975, 2) * np.hypot(error, np.sqrt(tau2))
    over_all = rows["network",].cells
    assert over_all[:2] == (4, 3)
    expected = np.tanh([mean, mean - half, mean + half, mean - wider, mean + wider])
    np.testing.assert_allclose(over_all[2:7], expected, rtol=1e-3)
    assert over_all[7:] == (pytest.approx(q), pytest.approx(1 - 3 / q))
    assert rows["network", "a"].cells[:2] == (2, 2)
    assert [row.cells for key, row in rows.items() if key[0] == "mixed" or len(key) == 4] == [None] * 10
