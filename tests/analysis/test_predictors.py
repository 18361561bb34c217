"""The table `correlations` of a simulated grid, against plain NumPy."""

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from scipy import stats

from slowpoints.analysis import correlation, predictors
from slowpoints.analysis.aggregation import class_memory, early_margin_time
from slowpoints.analysis.baselines import ACCURACIES, PROTOCOL, class_accuracies, protocol_label
from slowpoints.analysis.predictors import OF_NETWORKS, PREDICTORS, baseline_of, correlations
from slowpoints.core.schemas.study import CORRELATIONS

OWN = ("speed", "centre_speed", "speed_1000", "deep_speed", "settled_speed", "drift", "settled_drift")
COLUMNS = {name.removeprefix("log10_") for name in PREDICTORS} - {"margin_time_20"}  # which comes from `relaxation`


def grid(seeds=6, slope=-1.0):
    """Tables of a simulated grid in which memory falls with log speed, network by network, and rises with the class."""
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
                    own = dict.fromkeys(COLUMNS, 1.0 + label) | dict.fromkeys(OWN, 10 ** (speed + 0.05 * label))
                    own |= {"path_distance": rng.normal()}
                    own |= {"leading": 1.0, "n_unstable": label, "lifetime": 10.0 * label, "point_lifetime": label}
                    own |= {"margin": label, "margin_time": label, "predicted_lifetime": label, "label": label}
                    points.append(cell | own)
                    for delay in (19, 20, 100):
                        correct = int(100 * np.clip(memory + 0.1 * label, 0, 1))
                        counts = {"n_trials": 100, "n_correct": correct, "n_false": 0}
                        extrapolation.append(cell | {"label": label, "delay": delay} | counts)
    return pd.DataFrame(networks), pd.DataFrame(extrapolation), pd.DataFrame(points)


def relaxation(points):
    """Margins that fall by a tenth of their class's number a frame, from 3: lost by frame 19 in none."""
    rows = points[[*KEY[:3], "seed", "label"]]
    return pd.concat([rows.assign(frame=frame, margin=3 - 0.1 * frame * rows["label"] / 2) for frame in (19, 20, 100)])


TABLES = ("networks", "extrapolation", "slow_points", "relaxation")
KEY = ["dataset", "architecture", "protocol", "level", "predictor", "method"]


@pytest.fixture
def fewer_draws(monkeypatch):
    """For tests that use no interval or p."""
    monkeypatch.setattr(correlation, "RESAMPLES", 20)
    monkeypatch.setattr(correlation, "PERMUTATIONS", 19)


@pytest.mark.usefixtures("fewer_draws")
def test_the_table_has_every_pooling_predictor_and_method():
    tables = grid()
    table = correlations(*tables, relaxation(tables[2]))
    of_points, of_networks = len(PREDICTORS), len(PREDICTORS) + len(OF_NETWORKS) + len(ACCURACIES)
    pooled = table[table["dataset"].isna() & table["architecture"].isna() & table["protocol"].isna()]
    assert len(pooled) == (2 * of_networks + 1 + of_points) * 2  # network and mixed, its label, class; methods
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
    networks, extrapolation, points = tables
    unmeasured = correlations(networks, extrapolation, points.assign(predicted_lifetime=np.nan))
    assert set(table["predictor"]) - set(unmeasured["predictor"]) == {
        "log10_predicted_lifetime",
        "log10_margin_time_20",  # without the table relaxation
    }


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
    """Against plain NumPy, in every scope; a network without a distance is missing only where it is used."""
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
    """Without the slow classes, memory is that of the others, which rises more with the predictor."""
    networks, extrapolation, points = grid()
    points.loc[points["label"] == 2, [*OWN, "lifetime"]] = np.nan
    extrapolation.loc[extrapolation["label"] == 2, "n_correct"] = 0
    found = correlations(networks, extrapolation, points)
    row = found.query("level == 'mixed' and predictor == 'log10_speed' and method == 'spearman' and dataset == 'a'")
    assert (row["r"] < -0.8).all()


@pytest.mark.usefixtures("fewer_draws")
def test_a_class_that_is_reported_for_everything_is_not_remembered():
    """Class 0 is reported on every trial: all its own trials are correct, and all others are false alarms."""
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
    assert not {"log10_settled_speed", "margin", "log10_margin_time_20", *OF_NETWORKS} & set(found["predictor"])
    assert found.loc[found["level"] == "class", "r"].isna().all()  # false alarms were not counted


@pytest.mark.usefixtures("fewer_draws")
def test_one_protocol_alone_mixes_nothing():
    networks, extrapolation, points = (table.query("protocol == 'vocu'") for table in grid())
    found = correlations(networks, extrapolation, points)
    assert set(found["level"]) == {"network", "class"}
    pd.testing.assert_frame_equal(found, correlations(networks, extrapolation, points))  # draws are alike again


def test_a_predictor_must_beat_the_accuracy_that_looks_as_far():
    expected = {
        ("log10_speed", "network"): None,
        ("log10_speed", "mixed"): PROTOCOL,
        ("log10_centre_speed", "mixed"): PROTOCOL,  # frame 15: before the first accuracy
        ("margin", "network"): "accuracy_34",
        ("log10_settled_speed", "mixed"): "accuracy_34",
        ("log10_margin_time", "network"): "accuracy_100",
        ("log10_lifetime", "mixed"): None,  # no baseline looks as far
        ("memory_score_no_noise", "network"): None,
        ("accuracy_100", "mixed"): None,
        (PROTOCOL, "mixed"): None,
    }
    assert {key: baseline_of(*key) for key in expected} == expected


def test_frames_that_predictors_use_follow_from_where_they_are_measured():
    """A centre is the image's frame and 14 more; states settle in 20, margin times are taken at 100 of them."""
    from slowpoints.measures.centres import CENTRE_FRAMES
    from slowpoints.measures.relaxation import MARGIN_AT, SETTLED

    centre = CENTRE_FRAMES - 1
    assert PREDICTORS["log10_centre_speed"].last_frame == centre + 1
    assert PREDICTORS["margin"].last_frame == centre + SETTLED == ACCURACIES["accuracy_34"]
    assert PREDICTORS["log10_settled_speed"].last_frame == centre + SETTLED + 1
    assert PREDICTORS["log10_margin_time"].last_frame == centre + MARGIN_AT + 1


def test_accuracy_is_that_of_the_longest_delay_within():
    rows = [("a", delay, delay // 2) for delay in (19, 32, 40, 100)] + [("b", delay, 1) for delay in (20, 200)]
    table = pd.DataFrame(rows, columns=["dataset", "delay", "n_correct"])
    table = table.assign(architecture="gru", protocol="vocu", seed=0, label=0, n_trials=100)
    accuracies, delays = class_accuracies(table)
    assert delays.loc["a"].to_dict() == {
        "accuracy_20": 19, "accuracy_34": 32, "accuracy_50": 40, "accuracy_100": 100, "longest": 100,
    }  # fmt: skip
    assert accuracies.loc[0, list(ACCURACIES)].tolist() == [0.09, 0.16, 0.2, 0.5]
    assert accuracies.loc[1, list(ACCURACIES)].tolist() == [0.01] * 4
    assert delays.loc["b"].tolist() == [20] * 4 + [200]
    with pytest.raises(ValueError, match="delays of b start at 30; one must be at most 20"):
        class_accuracies(table.assign(delay=table["delay"].replace(20, 30)))


def test_the_label_of_a_protocol_is_its_mean_memory_within_strata():
    """In data set a the curricula differ by 0.4 and 0.2 in two strata; in b the other way round."""
    rows = [
        ("a", "gru", "vocu", 0.2),
        ("a", "gru", "decu", 0.6),
        ("a", "lstm", "vocu", 0.5),
        ("a", "lstm", "decu", 0.7),
    ]
    rows += [("b", "gru", "vocu", 0.8), ("b", "gru", "decu", 0.7)]
    table = pd.DataFrame(rows, columns=["dataset", "architecture", "protocol", "memory_score"])
    label = protocol_label(table, ["dataset", "architecture"])
    np.testing.assert_allclose(label, [-0.15, 0.15, -0.15, 0.15, 0.05, -0.05])


def test_margin_time_at_settled_states_by_hand():
    """3 falls by 0.1 in the last frame: 30 frames are left. One that rises, or would last longer, is capped."""
    rows = [(label, frame, margin) for label, margins in enumerate(((3.1, 3), (1, 2), (5.001, 5), (0.1, -0.1), (1, 0)))
            for frame, margin in zip((19, 20), margins, strict=True)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["label", "frame", "margin"]).assign(**dict.fromkeys(KEY[:3], "a"), seed=0)
    table = pd.concat([table, table[table["frame"] == 20].assign(frame=100, margin=-9.0)])
    found = early_margin_time(table)
    np.testing.assert_allclose(found["margin_time_20"], [30, 1000, 1000, 0, 0])


REFERENCE = ROOT / "reference/mnist-tenth"


@pytest.mark.usefixtures("fewer_draws")
def test_baselines_of_a_reference_study_are_as_worked_out_here(monkeypatch):
    """Plain pandas and SciPy, for networks whose classes all have slow points, pooled over all."""
    monkeypatch.setattr(predictors, "GROUPINGS", ((),))
    table = {name: pd.read_parquet(REFERENCE / f"{name}.parquet") for name in TABLES}
    for name in ("extrapolation", "slow_points", "relaxation"):
        table[name] = table[name][table[name]["mode"] == "trained"]
    network = [*KEY[:3], "seed"]
    complete = table["slow_points"]["speed"].notna().groupby([table["slow_points"][name] for name in network]).all()
    learned = (
        table["networks"]["learned"].to_numpy()
        & complete.loc[pd.MultiIndex.from_frame(table["networks"][network])].to_numpy()
    )
    table["networks"] = table["networks"].assign(learned=learned)
    found = correlations(*(table[name] for name in TABLES))
    pooled = found[found["method"] == "spearman"].set_index(["level", "predictor"])

    whole = table["networks"].set_index(network)[["memory_score", "learned"]]
    counts = table["extrapolation"].groupby([*network, "delay"])[["n_correct", "n_trials"]].sum()
    accuracy = (counts["n_correct"] / counts["n_trials"]).unstack("delay")
    paths = table["relaxation"].set_index([*network, "label", "frame"])["margin"].unstack("frame")
    time = paths[20] / (paths[19] - paths[20])
    cap = 10 * table["relaxation"]["frame"].max()
    time = time.mask((paths[19] <= paths[20]) | (time > cap), cap).mask(paths[20] <= 0, 0)
    whole = whole.assign(
        early=np.log10(time + 1).groupby(network).mean(),
        label=lambda all_: (all_.index.get_level_values("protocol") == "vocu") * 1.0,
        **{str(delay): accuracy[delay] for delay in (20, 32, 50, 100)},
    )
    whole = whole[whole["learned"]].reset_index()
    cells, strata = ([group for _, group in whole.groupby(KEY[:count])] for count in (3, 2))
    for predictor, column, frame in (
        ("accuracy_20", "20", 20), ("accuracy_34", "32", 32), ("accuracy_50", "50", 50), ("accuracy_100", "100", 100),
        ("log10_margin_time_20", "early", 34),
    ):  # fmt: skip
        for level, within in (("network", cells), ("mixed", strata)):
            row = pooled.loc[level, predictor]
            assert row["r"] == pytest.approx(pooled_r(within, column, "memory_score", "spearman")), (level, predictor)
            assert row["last_frame"] == frame
    row = pooled.loc["network", "log10_margin_time_20"]
    baseline = pooled_r(cells, "32", "memory_score", "spearman")
    assert row["baseline"] == "accuracy_34"
    assert row["baseline_difference"] == pytest.approx(row["r"] - baseline)
    assert row["baseline_difference_low"] <= row["baseline_difference"] <= row["baseline_difference_high"]
    label, speed = pooled.loc["mixed", PROTOCOL], pooled.loc["mixed", "log10_speed"]
    assert label["r"] == pytest.approx(abs(pooled_r(strata, "label", "memory_score", "spearman")))
    assert set(found.loc[found["level"].eq("class"), "baseline"].dropna()) == set()
    assert speed["baseline_difference"] == pytest.approx(-speed["r"] - label["r"])
    assert np.isnan(speed["last_frame"])
    assert pooled.loc["mixed", "log10_lifetime"]["last_frame"] == table["extrapolation"]["delay"].max()
