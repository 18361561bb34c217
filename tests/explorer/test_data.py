"""Data of the explorer: the numbers of the study's tables, and no others."""

import numpy as np
import pandas as pd
import pytest
from helpers import reference_tables, with_ways

from slowpoints.analysis.aggregation import accuracy_by_delay
from slowpoints.analysis.births import births
from slowpoints.core.schemas.schema import NETWORK, TUNED_NETWORK
from slowpoints.explorer import EXPLORED
from slowpoints.explorer.data import OF_NETWORKS, OF_TUNED, PARTS, gather

KINDS = {"trials": "trial", "centres": "centre", "points": "slow_point", "paths": "path", "unstable": "unstable"}
AS_THEY_ARE = ("by_class", "relaxation", "slow_points", "spectrum", "formation", *KINDS)


MODES = ("control", "slow_points", "centre_of_mass", "settled")


@pytest.fixture(scope="module")
def tables():
    """Two networks of each of eight cells; slow points of trained networks only."""
    tables = reference_tables("embedded", *EXPLORED, seeds=(0, 1), modes=MODES)
    return tables | {"trajectories": with_ways(tables["trajectories"])}


@pytest.fixture(scope="module")
def gathered(tables):
    return gather(tables)


def rows(gathered, part, name):
    """Rows of a network, unpacked as on the page."""
    header, columns = gathered
    index = header["parts"][part]
    first, count = index["rows"][name]
    found = {}
    for column, (kind, start) in index["columns"].items():
        size = np.dtype(kind).itemsize
        assert start % 8 == 0
        found[column] = np.frombuffer(columns, f"<{kind}", count, start + first * size)
    return pd.DataFrame(found)


def networks(table):
    """Rows of each network of a table, by its name on the page; in these tables each mode has one lambda."""
    for (*cell, mode, _, seed), found in (
        table.groupby(TUNED_NETWORK, dropna=False)
        if "mode" in table
        else table.assign(mode="trained", **{"lambda": np.nan}).groupby(TUNED_NETWORK, dropna=False)
    ):
        yield "/".join([*cell, mode, str(seed)]), found


def equal(found, expected):
    """Whether columns are equal up to the precision of packed columns."""
    return all(
        np.array_equal(found[name], expected[name].to_numpy(float).astype(found[name].dtype), equal_nan=True)
        for name in found
    )


@pytest.mark.parametrize("part", AS_THEY_ARE)
def test_numbers_are_those_of_the_table(tables, gathered, part):
    table = tables[PARTS[part].source]
    if part in KINDS:
        table = table[table["kind"] == KINDS[part]]
    if part == "spectrum":  # those that are over within a frame are left out
        table = table[np.log(np.hypot(table["real"], table["imag"])) >= -1]
    seen = 0
    for name, expected in networks(table):
        found = rows(gathered, part, name)
        assert len(found) == len(expected)
        assert equal(found.drop(columns="held", errors="ignore"), expected), name
        seen += 1
    assert seen == len(gathered[0]["parts"][part]["rows"])
    assert seen == (80 if part == "by_class" else 16)


def test_accuracy_over_classes_is_that_of_the_figures(tables, gathered):
    curves = accuracy_by_delay(tables["extrapolation"], TUNED_NETWORK)
    found = rows(gathered, "accuracy", "glyphs/lstm/decu/settled/1")
    expected = curves.xs(("glyphs", "lstm", "decu", "settled"), level=[0, 1, 2, 3]).xs(1, level="seed").iloc[0]
    assert list(found["delay"]) == list(expected.index)
    assert found["accuracy"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-7)


def test_the_interval_of_8_of_10_is_wilson_s():
    table = pd.DataFrame({
        "dataset": "a", "architecture": "gru", "protocol": "vocu", "mode": "trained", "lambda": np.nan, "seed": 0,
        "delay": 4, "label": [0, 1], "n_trials": 5, "n_correct": [5, 3],
    })  # fmt: skip
    found = rows(gather({"extrapolation": table}), "accuracy", "a/gru/vocu/trained/0")
    assert found.iloc[0].to_list() == pytest.approx([4, 10, 0.8, 0.4902, 0.9433], abs=1e-4)


def test_a_path_is_held_until_its_class_is_first_lost(tables, gathered):
    name, path = next(networks(tables["relaxation"]))
    found = rows(gathered, "relaxation", name)
    for label, of_class in path.reset_index(drop=True).groupby("label"):
        lost = of_class.index[of_class["readout"] != label]
        first = lost[0] if len(lost) else np.inf
        assert list(found["held"][of_class.index]) == [place < first for place in of_class.index]
    assert set(found["held"]) == {0, 1}


def test_births_are_those_of_the_statistics_and_changes_are_few(tables, gathered):
    found = births(tables["formation"])
    for name, expected in networks(found):
        assert equal(rows(gathered, "births", name), expected)
    for name, track in networks(tables["formation"]):
        stages = rows(gathered, "changes", name).set_index("step")
        use = track.groupby("step")["in_use"].sum()
        grown = use[use.diff() > 0]
        assert stages.loc[grown.index, "in_use"].equals(grown.astype("int16"))
        assert len(stages) < len(use)


def test_networks_come_with_their_summary_in_the_order_of_figures(tables, gathered):
    found = pd.DataFrame(gathered[0]["networks"])
    assert list(found["protocol"][:4]) == ["vocu", "vocu", "decu", "decu"]
    both = found.merge(tables["networks"], on=NETWORK, suffixes=("", "_of_table"), validate="1:1")
    assert len(both) == len(tables["networks"]) == 16
    assert all(both[name].equals(both[f"{name}_of_table"]) for name in OF_NETWORKS)


def test_fine_tuned_networks_come_with_their_summary(tables, gathered):
    assert len(gathered[0]["tuned"]) == len(tables["regularisation"]) == 64
    for name, expected in networks(tables["regularisation"]):
        assert gathered[0]["tuned"][name] == {key: expected[f"{key}_after"].iloc[0] for key in OF_TUNED}


def test_modes_are_those_of_a_data_set_each_lambda_its_own(tables):
    table = tables["regularisation"]
    more = table[(table["mode"] == "settled") & (table["dataset"] == "digits")].assign(**{"lambda": 0.5})
    header, _ = gather(tables | {"regularisation": pd.concat([table, more])})
    named = {dataset: [mode["name"] for mode in modes] for dataset, modes in header["modes"].items()}
    plain = ["trained", "control", "slow_points", "centre_of_mass"]
    assert named == {"digits": [*plain, "settled-0.5", "settled-3000"], "glyphs": [*plain, "settled"]}
    assert {"digits/gru/vocu/settled-0.5/0", "glyphs/gru/vocu/settled/0"} < set(header["tuned"])


@pytest.mark.parametrize("missing", EXPLORED)
def test_a_study_without_one_of_the_tables_is_gathered(tables, gathered, missing):
    header, _ = gather({name: table for name, table in tables.items() if name != missing})
    assert len(header["networks"]) == 16
    gone = {name for name, part in PARTS.items() if part.source == missing}
    assert set(header["parts"]) == set(gathered[0]["parts"]) - gone


def test_a_study_without_modes_or_without_any_table_is_gathered(tables):
    without = {name: table[table["mode"] == "trained"] if "mode" in table else table for name, table in tables.items()}
    header, _ = gather(without)
    assert header["tuned"] == {}
    assert {tuple(mode["name"] for mode in modes) for modes in header["modes"].values()} == {("trained",)}
    assert gather({}) == (
        {"networks": [], "tuned": {}, "modes": {}, "classes": {}, "class_names": {}, "parts": {}, "seeds": [0, 0]},
        b"",
    )


def test_classes_are_named_where_tables_name_them(tables, gathered):
    assert gathered[0]["class_names"] == {}
    points = tables["slow_points"].copy()
    points.attrs["class_names"] = {"digits": ["nought", "one"]}
    assert gather(tables | {"slow_points": points})[0]["class_names"] == {"digits": ["nought", "one"]}


def test_columns_that_an_older_table_lacks_are_null():
    tables = reference_tables("cifar", *EXPLORED)
    tables["slow_points"] = tables["slow_points"].drop(columns="settled_speed")
    found = rows(gather(tables), "slow_points", "cifar10-small/gru/vocu/trained/0")
    assert found["settled_speed"].isna().all()
    assert found["speed"].notna().all()


def test_of_most_seeds_the_first_of_each_cell_are_given_and_all_are_named(tables):
    header, columns = gather(tables, most_seeds=1)
    assert header["seeds"] == [2, 1]
    assert len(header["networks"]) == 16
    for part in header["parts"].values():
        assert {name.split("/")[-1] for name in part["rows"]} == {"0"}
    assert len(columns) < 0.6 * len(gather(tables)[1])
