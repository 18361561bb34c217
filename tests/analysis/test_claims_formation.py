"""C5 on simulated tracks with known births, origins and prices."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from slowpoints.analysis import comparisons, correlation
from slowpoints.analysis.births import births
from slowpoints.analysis.claims.formation import COMPARED, formed
from slowpoints.analysis.claims.rows import Excluded, ScopeLevel, Subject

SEEDS = 8
CELLS = list(product(("a", "b"), ("gru", "lstm"), ("vocu", "decu")))


def network(cell, seed, price):
    """0 and 3 exist from the start; later 1 is born out of 0 (in decu for even seeds only), and 2 (in vocu only).

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


class Rows(dict):
    """Rows of C5 by question, measure and names of the place, of so many networks a cell that did not learn besides."""

    def __init__(self, formation, lost=0):
        networks = [dict(zip(("dataset", "architecture", "protocol"), cell, strict=True)) for cell in CELLS]
        learned = pd.DataFrame([network | {"learned": True} for network in networks])
        failed = pd.DataFrame(networks * lost, columns=learned.columns[:3]).assign(learned=False)
        rows = list(formed(formation, Excluded(pd.concat([learned, failed]))))
        assert {row.subject.claim for row in rows} <= {"C5"}
        super().__init__(
            ((row.subject.question, row.subject.measure, *row.subject.place.values()), row) for row in rows
        )
        assert len(self) == len(rows)

    def measures(self):
        return {key[1] for key in self}


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(correlation, "RESAMPLES", 100)
    monkeypatch.setattr(comparisons, "PERMUTATIONS", 1999)


@pytest.fixture
def same_price():
    return Rows(study(), lost=1)


def test_networks_without_a_birth_count_as_none(same_price):
    single = same_price["mean", "n_births", "a", "gru", "decu"].outcome
    assert (single.n, single.effect, single.test) == (SEEDS, 0.5, "mean over networks")
    assert single.low < 0.5 < single.high
    assert np.isnan(single.p)
    assert same_price["mean", "n_births", "a", "gru", "vocu"].outcome.effect == 2
    assert same_price["mean", "n_unseen", "a", "gru", "vocu"].outcome.effect == 2
    assert ("differ", "n_births") not in same_price  # protocols differ in it by construction
    assert same_price["mean", "birth_gap", "a", "gru", "vocu"].outcome.effect == 1


def test_births_by_a_jump_are_told_from_others(same_price):
    row = same_price["differ", "jump_share"]
    assert row.subject == Subject("C5", "differ", "jump_share", protocol="vocu", rival="decu", stratum="architecture")
    assert row.outcome.effect == 0.5  # of the two of vocu one, of those of decu none
    assert row.outcome.p < 0.001
    assert row.n_excluded == 8


def test_the_share_of_merged_births_is_over_networks_with_births(same_price):
    row = same_price["differ", "merged_share", "a"]
    assert (row.subject.level, row.outcome.n, row.outcome.effect) == ("data set", 2 * (SEEDS + SEEDS // 2), 0.5 - 1)
    single = same_price["mean", "merged_share", "b", "lstm", "decu"].outcome
    assert (single.n, single.effect, single.test) == (SEEDS // 2, 1, "mean over networks")


def test_a_price_that_protocols_share_is_found_but_no_difference(same_price):
    price = same_price["price", "price"]
    owns = np.concatenate([np.tile(0.3 + 0.01 * np.arange(0, SEEDS, step), 4) for step in (1, 2)])
    assert price.subject == Subject("C5", "price", "price", stratum="cell")
    assert price.outcome.effect == pytest.approx(owns.mean())
    assert price.outcome.p == pytest.approx(stats.wilcoxon(owns).pvalue)
    assert price.outcome.low > 0
    assert price.outcome.n == 4 * (SEEDS + SEEDS // 2)
    cell = same_price["price", "price", "a", "gru", "vocu"]
    assert cell.subject.level == "cell"
    assert cell.outcome.effect == pytest.approx(0.3 + 0.01 * 3.5)
    assert cell.outcome.p == pytest.approx(2 / 2**SEEDS)  # all of one sign
    difference = same_price["differ", "price"]
    assert difference.outcome.effect == pytest.approx(0.01 * (3.5 - 3))
    assert difference.outcome.p > 0.1


def test_a_price_that_protocols_do_not_share_is_a_difference():
    found = Rows(study(vocu=0.4, decu=-0.1))
    difference = found["differ", "price"].outcome
    assert difference.effect == pytest.approx(0.5 + 0.01 * (3.5 - 3))
    assert difference.p < 0.001
    assert difference.low > 0
    assert found["price", "price", "a", "gru", "decu"].outcome.effect == pytest.approx(-0.1 + 0.03)


def test_the_newborn_are_compared_with_the_older(same_price):
    vocu = same_price["mean", "newborn_speed", "a", "gru", "vocu"].outcome
    assert vocu.effect == pytest.approx(-1 + 2.2 - (0.3 + 0.01 * 3.5) / 2)
    assert vocu.test == "Wilcoxon signed-rank"
    assert ("mean", "newborn_speed", "a") not in same_price  # nothing is claimed of both protocols together
    assert ("mean", "n_births", "a") not in same_price


def test_whether_births_have_a_price_is_a_question_of_its_own(same_price):
    """p is adjusted within a question: over the ways in which protocols may differ, and over prices."""
    for (question, measure, *_), row in same_price.items():
        assert row.claimed == (None if question == "mean" else "either")
        assert measure == "price" or question != "price"
    judged = (ScopeLevel.DATA_SET, ScopeLevel.ALL)
    pooled = {key for key, row in same_price.items() if row.subject.level in judged}
    places = (("a",), ("b",), ())
    expected = {("differ", measure, *place) for measure in COMPARED for place in places}
    assert pooled == expected | {("price", "price", *place) for place in places}
    levels = [row.subject.level for row in same_price.values()]
    assert levels.count(ScopeLevel.STRATUM) == 4 * len(COMPARED)


def test_a_study_without_merged_births_has_no_prices():
    found = Rows(study().assign(merged_with=np.nan))
    assert found["differ", "merged_share"].outcome.effect == 0
    assert "price" not in found.measures()


def test_a_study_without_births_has_none_to_compare():
    formation = study().assign(born=False)
    assert births(formation).empty
    found = Rows(formation)
    assert found["mean", "n_births", "a", "gru", "vocu"].outcome.effect == 0
    assert found.measures() == {"n_births", "n_unseen"}


def test_a_study_without_tracks_has_no_rows():
    assert Rows(study().iloc[:0]) == {}


def test_tables_in_another_unit_give_no_geometry():
    """Older studies used the typical distance of each snapshot."""
    found = Rows(study().drop(columns="nearest_distance"))
    assert found.measures() == {"newborn_speed", "n_births", "n_unseen", "birth_gap"}
