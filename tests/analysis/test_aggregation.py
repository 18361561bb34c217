"""Tables over the grid: measures of memory, networks that learned, floors, and collating seed blocks."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from slowpoints.analysis.aggregation import (
    IN_NOISE,
    SPEEDS,
    class_memory,
    class_names,
    collate,
    log10_floored,
    memory_measures,
    network_table,
    regularisation_table,
    spectral_scores,
)
from slowpoints.core.provenance import provenance
from slowpoints.core.schemas.memory import ACCURACY
from slowpoints.core.schemas.slow_points import SPECTRUM
from slowpoints.core.tables import write_table

CELL = {"dataset": "digits", "architecture": "gru", "protocol": "vocu"}
MODE = {"mode": "trained", "lambda": np.nan}


def accuracy_rows(values):
    about = CELL | MODE | {"null_accuracy": 1.0, "n_parameters": 5, "steps": 9, "device": "cpu"}
    return pd.DataFrame([about | {"seed": seed, "nominal_accuracy": value} for seed, value in enumerate(values)])


def extrapolation_rows(seeds, accuracy, delays=(19, 20, 100, 1000), classes=2):
    rows = []
    for seed in range(seeds):
        for delay in delays:
            for label in range(classes):
                key = CELL | MODE | {"seed": seed, "delay": delay, "label": label}
                rows.append(key | {"n_trials": 100, "n_correct": round(100 * accuracy(seed, delay, label))})
    return pd.DataFrame(rows)


def point_rows(seeds, speed):
    about = CELL | MODE | {"lifetime": 99, "point_lifetime": 99, "leading": 1.0, "n_unstable": 0}
    about |= {"margin_time": 9.0, "margin_capped": False}
    keys = [(seed, label) for seed in range(seeds) for label in range(2)]
    return pd.DataFrame(
        [
            about | {"seed": seed, "label": label} | dict.fromkeys((*SPEEDS, *IN_NOISE), speed(seed, label))
            for seed, label in keys
        ]
    )


def by_noise(extrapolation):
    """Twice as many correct without noise as with it; with half the noise, the same number."""
    half = extrapolation.assign(noise_scale=0.5)
    none = extrapolation.assign(noise_scale=0.0, n_correct=2 * extrapolation["n_correct"])
    return pd.concat([half, none])


def table_of(accuracies, accuracy, speed):
    n = len(accuracies)
    rows = extrapolation_rows(n, accuracy)
    return network_table(accuracy_rows(accuracies), rows, point_rows(n, speed), by_noise(rows))


def test_networks_far_below_their_cell_have_not_learned():
    table = table_of([0.9, 0.95, 0.7, 0.77, 0.92], lambda *_: 0.8, lambda *_: 0.01)
    assert table["learned"].tolist() == [True, True, False, True, True]  # 0.8 of the median 0.9 is 0.72
    assert not table_of([0.4, 0.45], lambda *_: 0.4, lambda *_: 1.0)["learned"].any()


def test_measures_of_a_network_are_over_its_classes():
    table = table_of([0.9], lambda seed, delay, label: 0.6 + 0.2 * label, lambda seed, label: [1e-2, 1e-4][label])
    row = table.iloc[0]
    assert row["memory_score"] == pytest.approx(0.7)
    assert row["log10_speed"] == pytest.approx(-3)
    assert row["log10_lifetime"] == pytest.approx(2)
    assert np.isnan(row["half_life"])
    assert not row["half_life_reached"]
    assert row["n_floored"] == 0
    assert row["log10_settled_speed"] == pytest.approx(-3)
    assert row["log10_margin_time"] == pytest.approx(1)
    assert row["n_margin_capped"] == 0
    assert row["persistence"] == pytest.approx(1)
    assert row["memory_score_half_noise"] == pytest.approx(0.7)
    assert row["memory_score_no_noise"] == pytest.approx(1.4)


def test_the_memory_of_a_class_is_its_hits_less_false_alarms():
    """Of two classes one is reported at every trial from delay 100 on: its hits are as many as its false alarms."""
    rows = extrapolation_rows(1, lambda seed, delay, label: 1.0 if delay < 100 or label == 0 else 0.0)
    rows["n_false"] = np.where((rows["delay"] >= 100) & (rows["label"] == 0), 100, 0)
    memory = class_memory(rows).set_index("label")
    assert memory.loc[0, "memory_score"] == pytest.approx(1)
    early = (np.log(100) - np.log(20)) / 2 / np.log(50)  # both fall to nothing between 20 and 100
    np.testing.assert_allclose(memory["class_score"], [early, early])
    assert class_memory(rows.drop(columns="n_false"))["class_score"].isna().all()  # an older table


def test_speeds_at_rounding_level_are_floored_and_counted():
    np.testing.assert_allclose(log10_floored(np.array([1e-3, 0.0, 1e-15, np.nan])), [-3, -12, -12, np.nan])
    table = table_of([0.9], lambda *_: 0.9, lambda seed, label: 1e-14 * label)
    assert table["n_floored"].tolist() == [6]  # three speeds of two classes


def test_memory_is_measured_for_any_grouping():
    rows = extrapolation_rows(1, lambda seed, delay, label: (delay < 500) * (label + 1) / 2)
    by_class = memory_measures(rows, ["seed", "label"])
    beyond = (np.log(100) - np.log(20) + (np.log(1000) - np.log(100)) / 2) / np.log(50)
    np.testing.assert_allclose(by_class["memory_score"], [0.5 * beyond, beyond])


def test_data_sets_may_differ_in_delays_and_classes():
    def flat(*_):
        return 0.5

    other = extrapolation_rows(1, flat, delays=(19, 20, 50), classes=4).assign(dataset="other")
    measures = memory_measures(pd.concat([extrapolation_rows(1, flat), other]), ["dataset", "seed"])
    assert set(measures["dataset"]) == {"digits", "other"}
    np.testing.assert_allclose(measures["memory_score"], 0.5)


def accuracy_file(folder, seeds, place="digits/gru/vocu/trained/0-1", **columns):
    path = folder / place / "accuracy.parquet"
    write_table(accuracy_rows([0.9] * len(seeds)).assign(seed=seeds, **columns), path, ACCURACY)
    return path


def test_collating_takes_the_seeds_of_the_study(tmp_path):
    later = accuracy_file(tmp_path, range(8, 12), "digits/gru/vocu/trained/8-11")
    first = accuracy_file(tmp_path, range(8), "digits/gru/vocu/trained/0-7")
    table = collate([later, first], ACCURACY, {"digits": 10})
    assert table["seed"].tolist() == list(range(10))


def test_names_of_classes_are_those_that_cells_have(tmp_path):
    paths = []
    for dataset, names in (("digits", None), ("birds", ["owl", "wren"])):
        for seeds in ("0-1", "2-3"):
            paths.append(tmp_path / dataset / "gru/vocu/trained" / seeds / "accuracy.parquet")
            write_table(accuracy_rows([0.9]), paths[-1], ACCURACY, class_names=names)
    assert class_names(paths) == {"birds": ["owl", "wren"]}


def test_collating_takes_every_folder_of_a_mode(tmp_path):
    tuned = {"mode": "slow_points", "lambda": 1e-5}
    plain = accuracy_file(tmp_path, [0, 1], "digits/gru/vocu/slow_points/0-1", **tuned | {"lambda": 0.3})
    named = accuracy_file(tmp_path, [0, 1], "digits/gru/vocu/slow_points-1e-05/0-1", **tuned)
    assert collate([plain, named], ACCURACY, {"digits": 2})["lambda"].tolist() == [1e-5, 1e-5, 0.3, 0.3]


@pytest.mark.parametrize(
    ("columns", "seeds", "complaint"),
    [
        ({"dataset": "glyphs"}, [0, 1], "it holds dataset 'glyphs', where its path says 'digits'"),
        ({"protocol": ["vocu", "decu"]}, [0, 1], "it holds protocol 'decu', where its path says 'vocu'"),
        ({"mode": "trained"}, [0, 1], "it holds mode 'trained', where its path says 'slow_points'"),
        ({"lambda": 0.2}, [0, 1], "it holds lambda 0.2, where its path says 0.1"),
        ({}, [1, 2], "it holds seeds [1, 2], where its path says 0-1"),
        ({}, [0], "it holds seeds [0], where its path says 0-1"),
        ({}, [0, 1, 1], "the row {'dataset': 'digits', 'architecture': 'gru', "),
    ],
)
def test_a_table_of_another_place_is_refused(tmp_path, columns, seeds, complaint):
    columns = {"mode": "slow_points", "lambda": 0.1} | columns
    path = accuracy_file(tmp_path, seeds, "digits/gru/vocu/slow_points-0.1/0-1", **columns)
    with pytest.raises(ValueError, match=re.escape(f"{path}: {complaint}")):
        collate([path], ACCURACY, {"digits": 2})


def test_the_same_row_in_two_files_is_refused_naming_both(tmp_path):
    tuned = {"mode": "slow_points", "lambda": 0.1}
    paths = [accuracy_file(tmp_path, [0, 1], f"digits/gru/vocu/{mode}/0-1", **tuned)
             for mode in ("slow_points", "slow_points-0.1")]  # fmt: skip
    with pytest.raises(ValueError, match=re.escape(f"{paths[0]} and {paths[1]}: the row ")):
        collate(paths, ACCURACY, {"digits": 2})


def test_files_made_with_different_settings_are_refused_naming_both(tmp_path):
    """Files of another study: settings may differ between modes and protocols, but not between seed blocks of one."""
    places = [f"digits/gru/vocu/{folder}" for folder in ("trained/0-1", "control/0-1", "trained/2-3")]
    paths = []
    for place, digest, mode in zip(places, "aba", ("trained", "control", "trained"), strict=True):
        with provenance(config_digest=digest):
            seeds = [int(seed) for seed in place.split("/")[-1].split("-")]
            paths.append(accuracy_file(tmp_path, seeds, place, mode=mode))
    assert len(collate(paths, ACCURACY, {"digits": 4})) == 6
    with provenance(config_digest="c"):
        accuracy_file(tmp_path, [2, 3], places[2])
    with pytest.raises(ValueError, match=re.escape(f"{paths[2]} was made with other settings than {paths[0]}")):
        collate(paths, ACCURACY, {"digits": 4})


def test_a_table_of_an_older_schema_is_refused(tmp_path):
    path = accuracy_file(tmp_path, [0, 1])
    write_table(accuracy_rows([0.9, 0.9]), path, replace(ACCURACY, version=0))
    with pytest.raises(ValueError, match=re.escape(f"{path}: a table 'accuracy' of schema version 0")):
        collate([path], ACCURACY, {"digits": 2})


def test_a_network_without_slow_points_has_no_spectrum(tmp_path):
    rows = pd.DataFrame([CELL | MODE | {"seed": 1, "label": 0, "index": 0, "real": 1.0, "imag": 0.0}])
    path = tmp_path / "digits/gru/vocu/trained/0-1/spectrum.parquet"
    write_table(rows, path, SPECTRUM)
    assert collate([path], SPECTRUM, {"digits": 2})["seed"].tolist() == [1]


def test_the_spectrum_allows_a_score():
    """Of two classes one may last from the centre, at delay 14, until delay 100, the other for ever."""
    rows = extrapolation_rows(2, lambda *_: 0.5)
    points = point_rows(2, lambda *_: 1e-2).assign(spectral_lifetime=[86.0, 1e4, np.nan, np.nan])
    scores = spectral_scores(points, rows, ["seed"]).set_index("seed")["spectral_score"]
    until_100 = (np.log(100) - np.log(20) + (np.log(1000) - np.log(100)) / 2) / np.log(50)
    assert scores[0] == pytest.approx((until_100 + 1) / 2)
    assert np.isnan(scores[1])  # not of an affine unit
    one = points.assign(spectral_lifetime=[85.9, np.nan, np.nan, np.nan])  # a class without a centre
    until_20 = (np.log(100) - np.log(20)) / 2 / np.log(50)
    assert spectral_scores(one, rows, ["seed"])["spectral_score"][0] == pytest.approx((until_20 + 1) / 2)
    assert spectral_scores(point_rows(2, lambda *_: 1.0), rows, ["seed"])["spectral_score"].isna().all()


def test_fine_tuning_stands_beside_its_start():
    before = (accuracy_rows([0.9, 0.8]), extrapolation_rows(2, lambda *_: 0.5), point_rows(2, lambda *_: 1e-2))
    control, tuned = (
        [table.assign(**mode) for table in rows]
        for mode, rows in (
            ({"mode": "control", "lambda": 0.0}, before),
            ({"mode": "slow_points", "lambda": 0.1},
             (accuracy_rows([0.9, 0.7]), extrapolation_rows(2, lambda *_: 0.75), point_rows(2, lambda *_: 1e-3))),
        )
    )  # fmt: skip
    tables = [pd.concat(rows) for rows in zip(before, control, tuned, strict=True)]
    table = regularisation_table(*tables).set_index(["mode", "seed"])
    assert len(table) == 4
    row = table.loc[("slow_points", 1)]
    assert (row["memory_score_before"], row["memory_score_after"]) == (pytest.approx(0.5), pytest.approx(0.75))
    assert (row["nominal_accuracy_before"], row["nominal_accuracy_after"]) == (0.8, 0.7)
    assert (row["log10_speed_before"], row["log10_speed_after"]) == (pytest.approx(-2), pytest.approx(-3))
    assert row["lambda"] == 0.1
    assert len(network_table(*tables, by_noise(before[1]))) == 2
