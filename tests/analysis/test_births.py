"""Births of memories on simulated tracks: their origin, price and number."""

import numpy as np
import pandas as pd
import pytest

from slowpoints.analysis.births import birth_counts, births


def track(label, log10_speed, born, merged_with=(), distance=(), parent=(), jumped=(), seed=0):
    """Rows of one track, a value per snapshot; missing columns are null."""
    steps = len(log10_speed)

    def filled(values):
        return np.array([*values, *[np.nan] * (steps - len(values))], float)

    return pd.DataFrame({
        "seed": seed, "label": label, "step": np.arange(1, steps + 1) * 10, "speed": 10.0 ** np.array(log10_speed),
        "born": np.array(born, bool), "parent": filled(parent), "merged_with": filled(merged_with),
        "nearest_distance": filled(distance), "jumped": np.array([*jumped, *[False] * (steps - len(jumped))], bool),
    })  # fmt: skip


def network(seed=0):
    """1 splits off 0 at step 30, 3 is born alone at 20, 2 never; 0 and 4 exist from the start."""
    return pd.concat([
        track(0, [-2.0, -2.0, -1.5], [1, 1, 1], merged_with=[np.nan, 1], seed=seed),
        track(1, [-2.0, -2.0, -1.0], [0, 0, 1], merged_with=[np.nan, 0], distance=[0.3, 0.01, 0.4], parent=[np.nan, 4],
              seed=seed),
        track(2, [-9.0, -9.0, -9.0], [0, 0, 0], merged_with=[3, 3, 3], seed=seed),
        track(3, [-3.0, -3.0, -3.1], [0, 1, 1], distance=[0.7, 0.8, 0.9], jumped=[True], seed=seed),
        track(4, [-3.0, -3.0, -2.8], [1, 1, 1], seed=seed),
    ])  # fmt: skip


def test_births_say_where_they_came_from():
    table = births(network()).set_index("label")
    assert sorted(table.index) == [1, 3]  # those of 0 and 4 nobody saw
    assert table["step"].to_dict() == {1: 30, 3: 20}
    assert table["merged"].to_dict() == {1: True, 3: False}
    assert table.loc[1, "from_label"] == 0
    assert table.loc[1, "parent"] == 4  # as which it was read out is another matter
    assert pd.isna(table.loc[3, ["from_label", "parent"]]).all()
    assert table["distance_before"].to_dict() == {1: 0.01, 3: 0.7}
    assert table["appeared"].to_dict() == {1: False, 3: True}
    assert (table["gap"] == 10).all()


def test_births_compare_with_memories_that_were_there():
    table = births(network()).set_index("label")
    assert table.loc[1, "log10_speed"] == pytest.approx(-1)
    assert table.loc[1, "log10_older"] == pytest.approx(np.mean([-1.5, -3.1, -2.8]))
    assert table.loc[3, "log10_older"] == pytest.approx(np.mean([-2, -3]))


def test_the_price_of_a_birth_is_the_parent_s_change_beside_that_of_others():
    table = births(network()).set_index("label")
    assert table.loc[1, "parent_change"] == pytest.approx(0.5)
    assert table.loc[1, "others_change"] == pytest.approx((-0.1 + 0.2) / 2)  # of 3 and 4
    assert table.loc[3, ["parent_change", "others_change"]].isna().all()  # it has no parent


def test_without_another_memory_a_price_has_nothing_beside_it():
    table = births(network().query("label in (0, 1, 2)")).iloc[0]
    assert table["parent_change"] == pytest.approx(0.5)
    assert np.isnan(table["others_change"])


def test_a_track_without_a_memory_pays_no_price():
    parent = track(0, [-2.0, -1.0], [0, 0], merged_with=[1])
    new = track(1, [-2.0, -1.0], [0, 1], merged_with=[0])
    twin = track(2, [-2.0, -5.0], [0, 1])  # born at the same time
    old = track(3, [-2.0, -1.9], [1, 1])
    table = births(pd.concat([parent, new, twin, old])).set_index("label")
    assert table.loc[1, "from_label"] == 0
    assert np.isnan(table.loc[1, "parent_change"])
    assert table.loc[1, "others_change"] == pytest.approx(0.1)


def test_networks_do_not_mix():
    alone, both = births(network()), births(pd.concat([network(), network(seed=1).assign(speed=1.0)]))
    pd.testing.assert_frame_equal(both[both["seed"] == 0].reset_index(drop=True), alone)
    assert both.loc[both["seed"] == 1, "parent_change"].dropna().tolist() == [0]


def test_networks_without_births_are_counted():
    none = pd.concat([track(0, [-2, -2], [1, 1], seed=1), track(1, [-2, -2], [0, 0], seed=1)])
    counts = birth_counts(pd.concat([network(), none])).set_index("seed")
    assert counts.loc[0].to_dict() == {"n_births": 2, "n_merged": 1, "n_unseen": 2}
    assert counts.loc[1].to_dict() == {"n_births": 0, "n_merged": 0, "n_unseen": 1}
    assert births(none).empty
    assert set(counts.dtypes) == {np.dtype(int)}


def test_the_first_memory_of_a_network_has_none_before_it():
    table = births(pd.concat([track(0, [-2, -1], [0, 1]), track(1, [-3, -3], [0, 0])]))
    assert table["label"].tolist() == [0]
    assert table["log10_older"].isna().all()


def test_tables_of_older_studies_have_no_distances():
    old = network().drop(columns="nearest_distance")
    table = births(old)
    assert table["distance_before"].isna().all()
    assert table["distance_before"].dtype == float
    pd.testing.assert_frame_equal(
        table.drop(columns="distance_before"), births(network()).drop(columns="distance_before")
    )


def test_a_table_without_rows_has_no_births():
    empty = network().iloc[:0]
    assert births(empty).empty
    assert birth_counts(empty).empty
