"""C5 on made-up tracks of which it is known who was born, out of which and at what price."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from slowpoints.analysis import comparisons, correlation
from slowpoints.analysis.births import births
from slowpoints.analysis.claims.formation import AGAINST_0, DESCRIBED, MEASURES, formed
from slowpoints.analysis.claims.rows import ALL, DATA_SET, SINGLE, STRATUM, Excluded

SEEDS = 8
CELLS = list(product(("a", "b"), ("gru", "lstm"), ("vocu", "decu")))
MERGED, JUMPED, PRICE, FASTER = MEASURES.values()
BORN, UNSEEN, GAP = DESCRIBED.values()


def network(cell, seed, price):
    """0 and 3 are there from the start; later 1 is born out of 0, in decu only of even seeds, and 2, in vocu only.

    From the snapshot before to that of the births, all slow down by 0.2, and 0 speeds up by the price.
    """
    vocu = cell[2] == "vocu"
    own = price + 0.01 * seed
    born = {0: (1, 1, 1), 1: (0, 0, vocu or seed % 2 == 0), 2: (0, 0, vocu), 3: (1, 1, 1)}
    log10_speed = {0: (-2, -2, -2.2 + own), 1: (-2, -2, -1), 2: (-1, -1, -1), 3: (-2, -2, -2.2)}
    merged_with = {0: (np.nan, 1, np.nan), 1: (np.nan, 0, np.nan)}
    return pd.concat(
        pd.DataFrame({
            "dataset": cell[0], "architecture": cell[1], "protocol": cell[2], "seed": seed, "label": label,
            "step": range(3), "speed": 10.0 ** np.array(log10_speed[label]), "born": np.array(born[label], bool),
            "parent": np.nan, "merged_with": np.array(merged_with.get(label, [np.nan] * 3)),
            "nearest_distance": 0.5, "jumped": [False, label == 2, False],
        })
        for label in range(4)
    )  # fmt: skip


def study(vocu=0.3, decu=0.3):
    """Tracks of every network, with the price of a birth by protocol."""
    price = {"vocu": vocu, "decu": decu}
    return pd.concat(network(cell, seed, price[cell[2]]) for cell in CELLS for seed in range(SEEDS))


def rows(formation, lost=0):
    """Rows of C5 by scope, of so many networks a cell that did not learn besides."""
    networks = [dict(zip(("dataset", "architecture", "protocol"), cell, strict=True)) for cell in CELLS]
    learned = pd.DataFrame([network | {"learned": True} for network in networks])
    failed = pd.DataFrame(networks * lost, columns=learned.columns[:3]).assign(learned=False)
    found = list(formed(formation, Excluded(pd.concat([learned, failed]))))
    assert {row.claim for row in found} <= {"C5"}
    by_scope = {row.scope: row for row in found}
    assert len(by_scope) == len(found)
    return by_scope


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(correlation, "RESAMPLES", 100)
    monkeypatch.setattr(comparisons, "PERMUTATIONS", 1999)


@pytest.fixture
def same_price():
    return rows(study(), lost=1)


def test_networks_without_a_birth_count_as_none(same_price):
    single = same_price["a/gru/decu" + BORN]
    assert (single.found.n, single.found.effect, single.found.test) == (SEEDS, 0.5, "mean over networks")
    assert single.found.low < 0.5 < single.found.high
    assert np.isnan(single.found.p)
    assert same_price["a/gru/vocu" + BORN].found.effect == 2
    assert same_price["a/gru/vocu" + UNSEEN].found.effect == 2
    assert "all: vocu - decu" + BORN not in same_price  # protocols differ in it by construction
    assert same_price["a/gru/vocu" + GAP].found.effect == 1


def test_births_by_a_jump_are_told_from_others(same_price):
    row = same_price["all: vocu - decu" + JUMPED]
    assert row.found.effect == 0.5  # of the two of vocu one, of those of decu none
    assert row.found.p < 0.001
    assert row.n_excluded == 8


def test_the_share_of_merged_births_is_over_networks_with_births(same_price):
    row = same_price["a: vocu - decu" + MERGED]
    assert (row.kind, row.found.n, row.found.effect) == (DATA_SET, 2 * (SEEDS + SEEDS // 2), 0.5 - 1)
    single = same_price["b/lstm/decu" + MERGED]
    assert (single.found.n, single.found.effect, single.found.test) == (SEEDS // 2, 1, "mean over networks")


def test_a_price_that_protocols_share_is_found_but_no_difference(same_price):
    price = same_price["all" + AGAINST_0]
    owns = np.concatenate([np.tile(0.3 + 0.01 * np.arange(0, SEEDS, step), 4) for step in (1, 2)])
    assert price.found.effect == pytest.approx(owns.mean())
    assert price.found.p == pytest.approx(stats.wilcoxon(owns).pvalue)
    assert price.found.low > 0
    assert price.found.n == 4 * (SEEDS + SEEDS // 2)
    cell = same_price["a/gru/vocu" + AGAINST_0]
    assert cell.kind == SINGLE
    assert cell.found.effect == pytest.approx(0.3 + 0.01 * 3.5)
    assert cell.found.p == pytest.approx(2 / 2**SEEDS)  # all of one sign
    difference = same_price["all: vocu - decu" + PRICE]
    assert difference.found.effect == pytest.approx(0.01 * (3.5 - 3))
    assert difference.found.p > 0.1


def test_a_price_that_protocols_do_not_share_is_a_difference():
    found = rows(study(vocu=0.4, decu=-0.1))
    difference = found["all: vocu - decu" + PRICE].found
    assert difference.effect == pytest.approx(0.5 + 0.01 * (3.5 - 3))
    assert difference.p < 0.001
    assert difference.low > 0
    assert found["a/gru/decu" + AGAINST_0].found.effect == pytest.approx(-0.1 + 0.03)
    assert {row.question for scope, row in found.items() if scope.endswith(AGAINST_0)} == {"price"}


def test_the_newborn_are_compared_with_the_older(same_price):
    vocu = same_price["a/gru/vocu" + FASTER].found
    assert vocu.effect == pytest.approx(-1 + 2.2 - (0.3 + 0.01 * 3.5) / 2)
    assert vocu.test == "Wilcoxon signed-rank"
    assert "a" + FASTER not in same_price  # nothing is claimed of both protocols together
    assert "a" + BORN not in same_price


def test_whether_births_have_a_price_is_a_question_of_its_own(same_price):
    """p is adjusted within a question: over the ways in which protocols may differ, and over prices."""
    for scope, row in same_price.items():
        priced, described = scope.endswith(AGAINST_0), row.kind == SINGLE
        assert row.question == ("price" if priced else "")
        assert row.claimed == (None if described and not priced else "either")
    pooled = [scope for scope, row in same_price.items() if row.kind in (DATA_SET, ALL)]
    compared = [f"{where}: vocu - decu{what}" for what in MEASURES.values() for where in ("a", "b", "all")]
    assert sorted(pooled) == sorted([*compared, *(f"{where}{AGAINST_0}" for where in ("a", "b", "all"))])
    assert sum(row.kind == STRATUM for row in same_price.values()) == 4 * len(MEASURES)


def test_a_study_without_merged_births_has_no_prices():
    found = rows(study().assign(merged_with=np.nan))
    assert found["all: vocu - decu" + MERGED].found.effect == 0
    assert not [scope for scope in found if PRICE in scope]


def test_a_study_without_births_has_none_to_compare():
    formation = study().assign(born=False)
    assert births(formation).empty
    found = rows(formation)
    assert found["a/gru/vocu" + BORN].found.effect == 0
    assert not [scope for scope in found if BORN not in scope and UNSEEN not in scope]


def test_a_study_without_tracks_has_no_rows():
    assert rows(study().iloc[:0]) == {}


def test_tables_in_another_unit_give_no_geometry():
    """Those of older studies took each snapshot's own typical distance."""
    found = rows(study().drop(columns="nearest_distance"))
    assert [scope for scope in found if FASTER in scope]
    assert not [scope for scope in found if MERGED in scope or JUMPED in scope or PRICE in scope or AGAINST_0 in scope]
