"""Half-lives with less noise relative to all of it: by hand, simulated, and recomputed for a reference study."""

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from slowpoints.analysis.noise import half_life_ratios, longer_without_noise

CELL = ["dataset", "architecture", "protocol"]


def networks(lives, half, none, **columns):
    table = pd.DataFrame({"half_life": lives, "half_life_half_noise": half, "half_life_no_noise": none}, dtype=float)
    return table.assign(dataset="a", architecture="gru", protocol="vocu", learned=True, **columns)


def test_ratios_by_hand():
    """One network outlasts the longest delay without noise, one with full noise: the latter is uninformative."""
    (half, none) = half_life_ratios(
        networks([100, 50, 20, np.nan], [120, 50, 30, 1.0], [200, np.nan, 50, 1.0])
    ).to_dict("records")
    assert (half["noise"], half["n"], half["n_beyond"], half["ratio"]) == ("half", 3, 0, pytest.approx(1.2))
    assert (none["noise"], none["n"], none["n_beyond"], none["ratio"]) == ("no", 3, 1, 2.5)
    assert np.isnan([none["low"], none["high"]]).all()  # of three networks no interval holds the median with 95 %
    (_, none) = half_life_ratios(networks([100, 50], [100, 50], [np.nan, np.nan])).to_dict("records")
    assert np.isinf(none["ratio"])


def test_networks_that_did_not_learn_and_older_tables_give_nothing():
    table = networks([100.0] * 3, [100.0] * 3, [300.0] * 3)
    assert half_life_ratios(table.assign(learned=[True, False, True]))["n"].tolist() == [2, 2]
    assert half_life_ratios(table.drop(columns=["half_life_half_noise", "half_life_no_noise"])).empty
    assert longer_without_noise(table.iloc[:0]) == []


def test_intervals_hold_the_median():
    """Ratios of known median 1.5."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        ratios = 1.5 * np.exp(rng.normal(0, 0.3, 15))
        row = half_life_ratios(networks(np.full(15, 50.0), 50.0, 50 * ratios)).iloc[1]
        held += row["low"] < 1.5 < row["high"]
    assert 0.93 < held / 300 < 0.995  # order statistics of 15: 0.965


def test_the_sentence_says_what_the_ratios_show():
    lives = np.full(8, 100.0)
    ratios = np.array([1.4, 1.4, 1.5, 1.5, 1.6, 1.6, np.nan, np.nan])
    table = pd.concat(
        [
            networks(lives, 1.1 * lives, ratios * lives),
            networks(lives, lives, lives).assign(protocol="decu"),
        ]
    )
    assert longer_without_noise(table) == [
        "a: half-lives are 1.00 to 1.55 times as long without noise as with it, and 1.00 to 1.10 times as long with "
        "half of it (medians of cells); noise shortens memory in 1 of 2 cells (interval above 1); without noise, 2 of "
        "16 networks outlast the longest delay, and drift ends the memories of the others."
    ]


def test_ratios_of_a_reference_study_are_as_worked_out_here():
    """Half-lives recomputed from the curves: the first crossing, linear in log delay."""
    by_noise = pd.read_parquet(ROOT / "reference/mnist-small/extrapolation_by_noise.parquet")
    table = pd.read_parquet(ROOT / "reference/mnist-small/networks.parquet").set_index([*CELL, "seed"])
    for name, scale in (("half", 0.5), ("no", 0.0)):
        counts = by_noise[by_noise["noise_scale"] == scale].groupby([*CELL, "seed", "delay"])
        curves = counts["n_correct"].sum() / counts["n_trials"].sum()
        table[f"half_life_{name}_noise"] = curves.groupby([*CELL, "seed"]).agg(crossing)
    table = table.reset_index()
    for row in half_life_ratios(table).itertuples():
        cell = table[(table[CELL] == [row.dataset, row.architecture, row.protocol]).all(axis=1)]
        ratio = cell[f"half_life_{row.noise}_noise"].fillna(np.inf) / cell["half_life"]
        assert row.ratio == pytest.approx(ratio.median())
        assert row.n_beyond == np.isinf(ratio).sum()
        assert 1 < row.ratio < 2
    (text,) = longer_without_noise(table)
    assert "mnist-small: half-lives are 1.20 to 1.53 times as long without noise" in text


def crossing(curve):
    delays, accuracy = curve.index.get_level_values("delay").to_numpy(), curve.to_numpy()
    delays, accuracy = delays[delays >= 19], accuracy[delays >= 19]
    level = (accuracy[0] + 0.1) / 2
    below = np.flatnonzero(accuracy <= level)
    if not len(below):
        return np.nan
    place = [below[0], below[0] - 1]
    return np.exp(np.interp(level, accuracy[place], np.log(delays[place])))
