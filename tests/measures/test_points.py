"""Slow points read from a file: those of the given networks, or an error that names the file."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from slowpoints.core.schemas.slow_points import SLOW_POINTS
from slowpoints.core.tables import with_cell, write_table
from slowpoints.measures.points import read_points, stored_points
from slowpoints.networks.seed_blocks import weights_digest

PLACE = "small/gru/vocu/trained/0-1/slow_points.parquet"


def points_of(networks, *, length=6):
    """A table with a state for each network and class, except the first class of the first network."""
    rows = [{"seed": seed, "label": label} for seed in networks.seeds for label in range(networks.spec.classes)]
    table = pd.DataFrame(rows)
    missing = [name for name in SLOW_POINTS.columns if name not in {*table, "dataset", "architecture", "protocol"}]
    table = table.assign(**dict.fromkeys([name for name in missing if name not in ("mode", "lambda")]))
    table["state"] = [None] + [np.arange(length) + row for row in range(1, len(table))]
    return table


@pytest.fixture
def written(make_networks, tmp_path):
    """Writes a table of slow points to the path for `make_networks()`; returns the path."""

    def write(table, of=None, mode="trained"):
        networks = make_networks()
        path = tmp_path / PLACE
        table = with_cell(table, SLOW_POINTS, (of or networks).spec, mode)
        write_table(table, path, SLOW_POINTS, weights=weights_digest(of or networks))
        return path

    return write


def refused(path, networks, reason):
    with pytest.raises(ValueError, match=re.escape(f"{path}: {reason}")):
        read_points(path, networks)


def test_slow_points_of_these_networks_are_read(make_networks, written):
    networks = make_networks()
    states, found = stored_points(read_points(written(points_of(networks)), networks), 6, "cpu")
    assert found.tolist() == [False, True, True, True, True, True]
    assert states[2].tolist() == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("changes", [{"protocol": "decu"}, {"dataset": "glyphs"}, {"architecture": "rnn"}])
def test_slow_points_of_another_cell_are_refused(make_networks, written, changes):
    other = make_networks(**changes)
    (name, value), = changes.items()  # fmt: skip
    refused(written(points_of(other), other), make_networks(), f"it holds {name} {value!r}, where its path says")


def test_slow_points_of_another_mode_or_of_other_seeds_are_refused(make_networks, written):
    networks, other = make_networks(), make_networks(seeds=(2, 3))
    refused(written(points_of(networks), mode="control"), networks, "it holds mode 'control', where its path says")
    refused(written(points_of(other), other), networks, "it holds seeds [2, 3], where its path says 0-1")


def test_slow_points_of_another_study_are_refused(make_networks, written):
    """The same cell, mode and seeds, but other weights."""
    networks = make_networks()
    other = replace(networks, weights={name: weight + 0.1 for name, weight in networks.weights.items()})
    refused(written(points_of(other), other), networks, "it was measured on other weights than those beside it")


def test_slow_points_of_another_shape_are_refused(make_networks, written):
    networks = make_networks()
    table = points_of(networks)
    refused(written(table[table["label"] < 2]), networks, "it does not have one row for each network and class")
    refused(written(table[::-1]), networks, "it does not have one row for each network and class")
    refused(written(points_of(networks, length=5)), networks, "a state does not have 6 numbers")
