"""The table `correlations`, of a made-up grid and against plain NumPy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from slowpoints.analysis import correlation
from slowpoints.analysis.aggregation import class_memory
from slowpoints.analysis.predictors import OF_NETWORKS, PREDICTORS, correlations
from slowpoints.core.schemas.study import CORRELATIONS

OWN = ("speed", "centre_speed", "speed_1000", "deep_speed", "settled_speed", "drift", "settled_drift")


def grid(seeds=6, slope=-1.0):
    """Tables of a made-up grid in which memory falls with log speed, network by network, and rises with the class."""
    rng = np.random.default_rng(0)
    networks, points, extrapolation = [], [], []
    for dataset in ("a", "b"):
        for protocol in ("vocu", "decu"):
            for seed in range(seeds):
                cell = {"dataset": dataset, "architecture": "gru", "protocol": protocol, "seed": seed}
                speed = rng.normal(-2, 0.3)
                memory = 0.5 + 0.2 * slope * (speed + 2) + rng.normal(0, 0.02)
                whole = {"memory_score": memory, "learned": seed < seeds - 1} | dict.fromkeys(OF_NETWORKS, memory)
                networks.append(cell | whole)
                for label in range(3):
                    own = dict.fromkeys(OWN, 10 ** (speed + 0.05 * label)) | {"path_distance": rng.normal()}
                    own |= {"leading": 1.0, "n_unstable": label, "lifetime": 10.0 * label, "point_lifetime": label}
                    own |= {"margin": label, "margin_time": label, "label": label}
                    points.append(cell | own)
                    for delay in (19, 20, 100):
                        correct = int(100 * np.clip(memory + 0.1 * label, 0, 1))
                        counts = {"n_trials": 100, "n_correct": correct, "n_false": 0}
                        extrapolation.append(cell | {"label": label, "delay": delay} | counts)
    return pd.DataFrame(networks), pd.DataFrame(extrapolation), pd.DataFrame(points)


KEY = ["dataset", "architecture", "protocol", "level", "predictor", "method"]


@pytest.fixture
def fewer_draws(monkeypatch):
    """For what depends on no interval or p."""
    monkeypatch.setattr(correlation, "RESAMPLES", 20)
    monkeypatch.setattr(correlation, "PERMUTATIONS", 19)


@pytest.mark.usefixtures("fewer_draws")
def test_the_table_has_every_pooling_predictor_and_method():
    table = correlations(*grid())
    of_points, of_networks = len(PREDICTORS), len(PREDICTORS) + len(OF_NETWORKS)
    pooled = table[table["dataset"].isna() & table["architecture"].isna() & table["protocol"].isna()]
    assert len(pooled) == (2 * of_networks + of_points) * 2  # levels network and mixed, level class; methods
    cells = table.dropna(subset=["dataset", "architecture", "protocol"])
    assert len(cells) == 4 * (of_networks + of_points) * 2
    assert set(cells["level"]) == {"network", "class"}
    assert not table.duplicated(KEY).any()
    speed = pooled.query("level == 'network' and predictor == 'log10_speed' and method == 'spearman'").iloc[0]
    assert speed["r"] < -0.8
    assert np.isnan(speed["difference"])
    assert speed["n"] == 4 * 5  # the network that did not learn is left out of each cell
    same = pooled.query("level == 'mixed' and predictor == 'log10_deep_speed' and method == 'spearman'").iloc[0]
    assert same["difference"] == pytest.approx(0)
    within = pooled.query("level == 'class' and predictor == 'log10_lifetime' and method == 'spearman'").iloc[0]
    assert within["r"] == pytest.approx(1)
    assert np.isnan(pooled.query("level == 'network' and predictor == 'leading'")["r"]).all()


def pooled_r(strata, predictor, memory, method):
    """Correlation of two columns of tables that are ranked, or centred, one by one: plain NumPy."""
    scored = []
    for stratum in strata:
        pair = stratum[[predictor, memory]].to_numpy()
        if method == "spearman":
            pair = stats.rankdata(pair, axis=0) / (len(pair) + 1)
        scored.append(pair - pair.mean(0))
    x, y = np.concatenate(scored).T
    return (x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())


@pytest.mark.usefixtures("fewer_draws")
def test_a_row_is_of_the_networks_that_it_names():
    """Against plain NumPy, in every scope; a network without a distance is missing there alone."""
    networks, extrapolation, points = grid()
    lost = (points["dataset"] == "a") & (points["protocol"] == "vocu") & (points["seed"] == 0)
    points.loc[lost, "path_distance"] = np.nan
    found = correlations(networks, extrapolation, points)
    assert list(found.columns) == list(CORRELATIONS.columns)
    assert found.index.tolist() == list(range(len(found)))

    network = [*KEY[:3], "seed"]
    classes = points.assign(log10_speed=np.log10(points["speed"])).merge(class_memory(extrapolation))
    classes = classes.merge(networks.loc[networks["learned"], network])
    names = ["log10_speed", "path_distance", "memory_score"]
    whole = classes.groupby(network)[names].mean().reset_index()
    levels = {
        "network": (whole, KEY[:3], "memory_score"),
        "mixed": (whole, KEY[:2], "memory_score"),
        "class": (classes, network, "class_score"),
    }
    rows = found[found["predictor"].isin(names)]
    assert len(rows) == 2 * 2 * (4 * 2 + 6 * 3)  # four cells at two levels, six poolings at three
    for row in rows.to_dict("records"):
        table, within, memory = levels[row["level"]]
        scope = table.dropna(subset=[row["predictor"]])
        for name in KEY[:3]:
            scope = scope if pd.isna(row[name]) else scope[scope[name] == row[name]]
        strata = [stratum for _, stratum in scope.groupby(within)]
        assert row["n"] == len(scope)
        assert row["r"] == pytest.approx(pooled_r(strata, row["predictor"], memory, row["method"])), row
        assert row["low"] <= row["high"]
        if row["predictor"] == "path_distance" and row["level"] != "class":
            more = pooled_r(strata, "log10_speed", memory, row["method"]) - row["r"]
            assert row["difference"] == pytest.approx(more)  # memory should fall with both
            assert row["difference_low"] < row["difference_high"]


@pytest.mark.usefixtures("fewer_draws")
def test_a_class_without_a_point_counts_neither_as_memory():
    """Without the slow classes the networks' memory is of the others, which rises the more with the predictor."""
    networks, extrapolation, points = grid()
    points.loc[points["label"] == 2, [*OWN, "lifetime"]] = np.nan
    extrapolation.loc[extrapolation["label"] == 2, "n_correct"] = 0
    found = correlations(networks, extrapolation, points)
    row = found.query("level == 'mixed' and predictor == 'log10_speed' and method == 'spearman' and dataset == 'a'")
    assert (row["r"] < -0.8).all()


@pytest.mark.usefixtures("fewer_draws")
def test_a_class_that_is_reported_for_everything_is_not_remembered():
    """Class 0 is reported at every trial: all its trials are right, and all others are false alarms."""
    networks, extrapolation, points = grid()
    by_class = extrapolation["label"] == 0
    extrapolation.loc[by_class, ["n_correct", "n_false"]] = [100, 200]
    extrapolation.loc[~by_class, "n_correct"] = 0
    points["lifetime"] = np.where(points["label"] == 0, 1000.0, 10.0 + points["label"])
    found = correlations(networks, extrapolation, points)
    row = found.query("level == 'class' and predictor == 'log10_lifetime' and method == 'spearman'")
    assert row["r"].isna().all()  # no class is remembered longer than another


@pytest.mark.usefixtures("fewer_draws")
def test_tables_of_older_studies_have_fewer_predictors():
    networks, extrapolation, points = grid()
    old = points.drop(columns=["settled_speed", "margin", "margin_time", "point_lifetime", "path_distance"])
    found = correlations(networks.drop(columns=list(OF_NETWORKS)), extrapolation.drop(columns="n_false"), old)
    assert "log10_speed" in set(found["predictor"])
    assert not {"log10_settled_speed", "margin", *OF_NETWORKS} & set(found["predictor"])
    assert found.loc[found["level"] == "class", "r"].isna().all()  # false alarms were not counted


@pytest.mark.usefixtures("fewer_draws")
def test_one_protocol_alone_mixes_nothing():
    networks, extrapolation, points = (table.query("protocol == 'vocu'") for table in grid())
    found = correlations(networks, extrapolation, points)
    assert set(found["level"]) == {"network", "class"}
    pd.testing.assert_frame_equal(found, correlations(networks, extrapolation, points))  # draws are alike again
