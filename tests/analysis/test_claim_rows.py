"""Scopes that claims are tested in, what rows of them say, and what that is called in words."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from slowpoints.analysis import comparisons, correlation
from slowpoints.analysis.claims import control
from slowpoints.analysis.claims.control import Tuned, prolonged, surpassed
from slowpoints.analysis.claims.judge import judge, judged, verdict
from slowpoints.analysis.claims.prediction import dose_and_response, predicted
from slowpoints.analysis.claims.protocols import alike, differing
from slowpoints.analysis.claims.reading import in_parts, subject_name
from slowpoints.analysis.claims.rows import Excluded, Row, cell_scopes, changed, compared, contrasts, scope_text
from slowpoints.analysis.comparisons import Effect

CELLS = [tuple(cell.split()) for cell in ("b lstm decu", "b lstm vocu", "a gru decu", "a gru vocu", "a lstm vocu")]
NETWORK = ["dataset", "architecture", "protocol", "seed"]


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(correlation, "RESAMPLES", 100)
    for module in (correlation, comparisons):
        monkeypatch.setattr(module, "PERMUTATIONS", 499)


def table(seeds=3, **columns):
    """A row for each network, with its number as `value`; cells stand in no order."""
    rows = [(*cell, seed) for cell in CELLS for seed in range(seeds)]
    return pd.DataFrame(rows, columns=NETWORK).assign(value=np.arange(len(rows), dtype=float), learned=True, **columns)


NOBODY = Excluded(table())


def test_protocols_are_compared_in_pairs_within_data_set_and_architecture():
    found = list(contrasts(table(), "value"))
    pooled = {(each.kind, each.scope): each for each in found}
    assert [(each.kind, each.scope, each.names) for each in found] == [
        ("data set x architecture", "b/lstm: vocu - decu", ("b", "lstm")),
        ("data set x architecture", "a/gru: vocu - decu", ("a", "gru")),
        ("data set", "b: vocu - decu", ("b",)),
        ("data set", "a: vocu - decu", ("a",)),
        ("all", "all: vocu - decu", ()),
    ]  # a/lstm has vocu alone
    both = [[[3, 4, 5], [0, 1, 2]], [[9, 10, 11], [6, 7, 8]]]
    np.testing.assert_array_equal(pooled["all", "all: vocu - decu"].strata, both)
    np.testing.assert_array_equal(pooled["data set", "a: vocu - decu"].strata, both[1:])
    np.testing.assert_array_equal(pooled["data set x architecture", "b/lstm: vocu - decu"].strata, both[:1])


def test_a_group_of_one_network_is_not_compared_and_of_two_it_is():
    lost = table()
    lost.loc[lost["dataset"].eq("b") & lost["protocol"].eq("decu") & lost["seed"].gt(0), "value"] = np.nan
    assert [each.scope for each in contrasts(lost, "value")] == [f"{of}: vocu - decu" for of in ("a/gru", "a", "all")]
    assert len(list(contrasts(table(seeds=2), "value"))) == 5
    assert list(contrasts(table(seeds=1), "value")) == []


def test_scopes_of_cells_leave_out_what_has_no_value():
    some = table()
    some.loc[some["dataset"].eq("b") & some["protocol"].eq("decu"), "value"] = np.nan
    found = list(cell_scopes(some, "value"))
    cells = [(cell, [[start, start + 1, start + 2]]) for cell, start in zip(CELLS[1:], (3, 6, 9, 12), strict=True)]
    expected = [("cell", *cell) for cell in cells]
    expected += [("data set", ("b",), cells[0][1]), ("data set", ("a",), [values for _, (values,) in cells[1:]])]
    expected += [("all", (), [values for _, (values,) in cells])]
    assert [(kind, names, [list(each) for each in values]) for kind, names, values in found] == expected
    assert list(cell_scopes(some.assign(value=np.nan), "value")) == []


def test_scopes_have_names():
    assert scope_text(("a", "gru", "vocu"), ": control") == "a/gru/vocu: control"
    assert scope_text((), lambda names: f" {names}") == "all ()"
    assert scope_text(()) == "all"


def test_networks_that_did_not_learn_are_counted_by_scope():
    excluded = Excluded(table().assign(learned=lambda all_: all_["seed"].ne(1) | all_["dataset"].eq("a")))
    counts = {(): 2, ("b",): 2, ("a",): 0, ("b", None, "vocu"): 1, ("b", "gru"): 0}
    assert {names: excluded(*names) for names in counts} == counts


def test_rows_of_comparisons_and_changes_say_what_they_are():
    lost = Excluded(table().assign(learned=lambda all_: all_["seed"].ne(1)))
    rows = {row.scope: row for row in compared("C2", table(), "value", lost, what=", of it")}
    row = rows["b: vocu - decu, of it"]
    assert (row.claim, row.kind, row.claimed, row.n_excluded) == ("C2", "data set", "either", 2)
    assert (row.margin, row.question) == (0, "")
    assert (row.found.n, row.found.effect, row.found.test) == (6, 3, "permutation within strata")
    again = {row.scope: row.found for row in compared("C2", table(), "value", lost, claimed="none")}
    assert rows["all: vocu - decu, of it"].n_excluded == 5
    assert again["b: vocu - decu"] == row.found  # the same draws, whatever the words added
    rows = {row.scope: row for row in changed("C4", table(), "value", lost, claimed="negative", what=": why")}
    row = rows["a: why"]
    assert (row.claim, row.kind, row.claimed, row.n_excluded) == ("C4", "data set", "negative", 3)
    assert (row.found.n, row.found.effect) == (9, 10)
    assert row.found.p == pytest.approx(stats.wilcoxon(np.arange(6.0, 15)).pvalue)
    again = {row.scope: row for row in changed("C4", table(), "value", lost, claimed="negative", what=": why")}
    assert again == rows  # interval and p are drawn alike again
    columns = row.columns()
    assert columns.pop("p_unadjusted") == row.found.p
    assert np.isnan(columns.pop("p"))
    assert columns == {
        "claim": "C4", "scope": "a: why", "n_excluded": 3, "n": 9, "effect": 10, "low": row.found.low,
        "high": row.found.high, "test": "Wilcoxon signed-rank",
    }  # fmt: skip


def test_claims_on_protocols_are_of_accuracy_and_of_memory():
    data = table(nominal_accuracy=0.9).assign(memory_score=lambda all_: all_["protocol"].eq("vocu") * 0.2 + 0.3)
    row = next(row for row in alike(data) if row.kind == "all")
    assert (row.claim, row.claimed, row.n_excluded, row.margin) == ("C1", "none", 0, 0.03)
    assert (row.found.effect, row.found.test) == (0, "TOST within 0.03: no sample varies")
    row = next(row for row in differing(data, NOBODY) if row.kind == "all")
    assert (row.claim, row.claimed, row.found.effect) == ("C2", "either", pytest.approx(0.2))


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
    assert verdict(Row("C1", "all", "all", found, claimed, 0, margin=0.03), p) == expected


def row_of(p, kind="all", question="", claimed="positive", claim="C2"):
    return Row(claim, kind, "somewhere", Effect(8, 0.5, 0.4, 0.6, "made up", p), claimed, 0, question=question)


def test_p_is_adjusted_within_claim_kind_and_question():
    """Holm: the least of two p is doubled. A row without p is no part of it, and one that describes has no verdict."""
    rows = [
        row_of(0.03), row_of(0.04), row_of(np.nan), row_of(0.04, question="other"), row_of(0.04, claim="C3"),
        row_of(0.01, kind="cell"), row_of(0.04, kind="data set"), row_of(0.01, claimed=None, question="described"),
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


def test_each_mode_is_set_against_control():
    rows = {row.scope: row for row in prolonged(tuned({"slow_points": 0.2, "settled": -0.1}), NOBODY)}
    effects = {
        "memory_score": ("positive", 0.2015), "log10_speed": ("negative", -0.2015),
        "log10_settled_speed": ("negative", -0.2015), "nominal_accuracy": ("no loss", 0.002015),
    }  # fmt: skip
    for measure, (claimed, effect) in effects.items():
        row = rows[f"all: slow_points 0.1, {measure}"]
        assert (row.claim, row.claimed, row.found.n) == ("C4", claimed, 8)
        assert row.found.effect == pytest.approx(effect)
    assert rows["all: settled 0.1, memory_score"].found.effect == pytest.approx(-0.1 + 0.0015)
    row = rows["a: slow_points 0.1, nominal_accuracy"]
    assert (row.kind, row.margin, row.found.n, row.n_excluded) == ("data set", control.MARGIN, 4, 0)
    assert row.found.test == "no loss beyond 0.01, one-sided paired t"
    assert len(rows) == 2 * 4 * (2 + 2 + 1)
    old = tuned({"slow_points": 0.2}).drop(columns="log10_settled_speed_after")
    assert not [row for row in prolonged(old, NOBODY) if "settled" in row.scope]
    again = {row.scope: row for row in prolonged(tuned({"slow_points": 0.2, "settled": -0.1}), NOBODY)}
    assert again == rows


def test_ours_is_set_against_each_of_the_paper_s_modes():
    gains = {"settled": 0.3, "slow_points": 0.1, "centre_of_mass": 0.2, "tracking": 0.4}
    rows = {row.scope: row for row in surpassed(tuned(gains), NOBODY)}
    all_ = {scope: row for scope, row in rows.items() if row.kind == "all"}
    assert {scope: (row.claim, row.claimed, round(row.found.effect, 9)) for scope, row in all_.items()} == {
        "all: settled 0.1 - slow_points 0.1, memory_score": ("C6", "positive", 0.2),
        "all: settled 0.1 - centre_of_mass 0.1, memory_score": ("C6", "positive", 0.1),
        "all: settled 0.1 - control, nominal_accuracy": ("C6", "no loss", 0.003015),
    }
    assert not list(surpassed(tuned({"slow_points": 0.1}), NOBODY))


def test_a_lambda_of_its_own_for_each_data_set_is_named_where_it_holds():
    lambdas = {("settled", "a"): 300.0, ("settled", "b"): 9.0}
    mine = tuned({"settled": 0.3}, lambdas=lambdas)
    tuning = Tuned("settled", mine[mine["mode"] == "settled"])
    texts = {(): "settled", ("a",): "settled 300", ("b", "lstm", "vocu"): "settled 9"}
    assert {names: tuning.text(names) for names in texts} == texts
    scopes = {row.scope for row in prolonged(mine, NOBODY)}
    assert {"all: settled, memory_score", "a: settled 300, nominal_accuracy", "b: settled 9, memory_score"} <= scopes
    doses = {("slow_points", "a"): 0.5, ("slow_points", "b"): 0.1}
    both = tuned({"settled": 0.3, "slow_points": 0.1}, lambdas=lambdas | doses)
    scopes = {row.scope for row in surpassed(both, NOBODY)}
    assert {"all: settled - slow_points, memory_score", "b: settled 9 - slow_points 0.1, memory_score"} <= scopes
    several = pd.concat([mine, mine[mine["mode"].eq("settled") & mine["dataset"].eq("a")].assign(**{"lambda": 1.5})])
    scopes = {row.scope for row in prolonged(several, NOBODY)}
    assert {f"{of}, memory_score" for of in ("all: settled 300", "a: settled 1.5", "b: settled 9")} <= scopes


def test_copies_of_a_network_are_ranked_among_themselves():
    """Of four copies the slower remember longer; two copies, or copies alike, have no correlation."""
    two_cells = tuned({"slow_points": 0.2, "settled": 0.3, "tracking": 0.1}, cells=CELLS[1:3])
    cells = [row.scope.split(":")[0] for row in dose_and_response(two_cells, NOBODY) if row.kind == "cell"]
    assert cells == 2 * ["b/lstm/vocu", "a/gru/decu"]  # as they stand in the table
    assert not list(dose_and_response(two_cells.iloc[:0], NOBODY))
    copies = two_cells[two_cells["dataset"] == "b"]
    row = next(row for row in dose_and_response(copies, NOBODY) if row.kind == "all")
    assert (row.claim, row.scope) == ("C3", "all: copies of a network, speed of slow points")
    assert (row.found.n, row.found.effect, row.claimed) == (4, pytest.approx(-1), None)
    assert row.found.test == "mean over networks of Spearman over these modes"
    assert np.isnan(row.found.p)
    scopes = {row.scope for row in dose_and_response(copies, NOBODY)}
    assert "all: copies of a network, settled speed" in scopes
    old = copies.drop(columns="log10_speed_after")
    assert {row.scope for row in dose_and_response(old, NOBODY)} == {scope for scope in scopes if "settled" in scope}
    three = copies[copies["mode"] != "tracking"]
    assert len(list(dose_and_response(three, NOBODY))) == 6
    assert not list(dose_and_response(three[three["mode"] != "settled"], NOBODY))
    assert not list(dose_and_response(copies.assign(memory_score_after=0.5), NOBODY))
    longer = three["memory_score_after"].where(three["mode"].eq("settled"), 0.5)
    row = next(row for row in dose_and_response(three.assign(memory_score_after=longer), NOBODY) if row.kind == "all")
    assert row.found.effect == pytest.approx(-(3**0.5) / 2)  # two of the three remember alike
    gone = copies.assign(memory_score_after=copies["memory_score_after"].where(copies["mode"].ne("settled")))
    row = next(row for row in dose_and_response(gone, NOBODY) if row.kind == "all")
    assert row.found.effect == pytest.approx(-1)  # of the other three


def test_all_claims_are_judged_of_the_networks_that_learned():
    """Of cell b/lstm/vocu one network did not learn: it counts in C1 alone."""
    networks = table(nominal_accuracy=0.9, memory_score=0.5).query("dataset == 'b'")
    networks = networks.assign(learned=networks["seed"].ne(0) | networks["protocol"].ne("vocu"))
    formation = networks[NETWORK].assign(label=0, step=1, speed=0.1, born=True, jumped=False)
    formation = formation.assign(parent=np.nan, merged_with=np.nan)
    tuning = tuned({"slow_points": 0.1, "settled": 0.2}, seeds=3, cells=CELLS[1:2])
    found = judge(networks, correlations(), formation, tuning).set_index(["claim", "scope"])
    counts = {
        ("C1", "b: vocu - decu"): [6, 0],
        ("C2", "b: vocu - decu"): [5, 1],
        ("C3", "all: within cells"): [8, 1],
        ("C3", "b/lstm/vocu: copies of a network, settled speed"): [2, 1],
        ("C4", "b: slow_points 0.1, memory_score"): [2, 1],
        ("C5", "b/lstm/vocu, memories there before the first snapshot"): [2, 1],
        ("C6", "all: settled 0.1 - slow_points 0.1, memory_score"): [2, 1],
    }
    assert {key: found.loc[key, ["n", "n_excluded"]].tolist() for key in counts} == counts


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
    assert [(row.question, row.kind, row.scope, row.n_excluded) for row in rows] == [
        ("mixed", "cell", "a/gru/vocu: protocols mixed", 1),
        ("mixed", "data set x architecture", "a/gru: protocols mixed", 2),
        ("mixed", "data set", "a: protocols mixed", 3),
        ("mixed", "all", "all: protocols mixed", 5),
        ("network", "cell", "a/gru/vocu: within cells", 1),
        ("network", "data set", "a: within cells", 3),
        ("network", "all", "all: within cells", 5),
    ]
    assert {(row.claim, row.claimed) for row in rows} == {("C3", "negative")}
    mixed, within = "data set x architecture, protocols mixed", "cells"
    for found, r, test in ((rows[0].found, -0.4, mixed), (rows[-1].found, -0.6, within)):
        assert found[:4] == pytest.approx((8, r, r - 0.1, r + 0.1))
        assert found[4:] == (f"Spearman, permutation within {test}", 0.01)


@pytest.mark.parametrize(
    ("scope", "place", "subject", "quantity"),
    [
        ("all: vocu - decu", "all", "vocu - decu", ""),
        ("a/gru: settled 300 - control, memory_score", "a/gru", "settled 300 - control", "memory_score"),
        ("all, births seen", "all", "", "births seen"),
        ("a: copies of a network, settled speed", "a", "copies of a network", "settled speed"),
        ("all", "all", "", ""),
    ],
)
def test_scopes_are_read_in_parts(scope, place, subject, quantity):
    parts = in_parts(pd.DataFrame({"scope": [scope], "claim": "C2"})).iloc[0].to_dict()
    assert parts == {"scope": scope, "claim": "C2", "place": place, "subject": subject, "quantity": quantity}


@pytest.mark.parametrize(
    ("subject", "with_lambda", "without"),
    [
        ("vocu - decu", "VoCu − DeCu", "VoCu − DeCu"),
        ("settled 300 - centre_of_mass 0.1", "settled 300 − centre of mass 0.1", "settled − centre of mass"),
        ("centre_of_mass - control", "centre of mass − control", "centre of mass − control"),
        ("copies of a network", "copies of a network", "copies of a network"),
    ],
)
def test_subjects_are_said_in_words(subject, with_lambda, without):
    assert subject_name(subject) == with_lambda
    assert subject_name(subject, lambdas=False) == without
