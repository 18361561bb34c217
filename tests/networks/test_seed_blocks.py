"""Networks of a seed block must be those that its path names; errors name the file."""

import re
from dataclasses import replace

import pytest
import torch

from slowpoints.core.tensors import write_tensors
from slowpoints.networks.seed_blocks import load_seed_block, weights_digest
from slowpoints.networks.weights import load_networks, save_networks

PLACE = "networks/small/gru/vocu/trained/0-1/weights.safetensors"


@pytest.mark.parametrize("place", [PLACE, PLACE.replace("trained", "slow_points"), PLACE.replace("trained", "control")])
def test_a_seed_block_is_read_where_it_belongs(make_networks, tmp_path, place):
    mode = place.split("/")[4]
    networks = make_networks(double=False)
    save_networks(networks, tmp_path / place, mode, None if mode == "trained" else 0.5)
    assert weights_digest(load_seed_block(tmp_path / place)) == weights_digest(networks)


@pytest.mark.parametrize(
    ("changes", "tuning", "reason"),
    [
        ({"dataset": "glyphs"}, (), "it holds dataset 'glyphs', where its path says 'small'"),
        ({"architecture": "lstm"}, (), "it holds architecture 'lstm', where its path says 'gru'"),
        ({"protocol": "decu"}, (), "it holds protocol 'decu', where its path says 'vocu'"),
        ({}, ("slow_points", 0.5), "it holds mode 'slow_points', where its path says 'trained'"),
        ({"seeds": (2, 3)}, (), "it holds seeds [2, 3], where its path says 0-1"),
        ({"seeds": (0,)}, (), "it holds seeds [0], where its path says 0-1"),
    ],
)
def test_weights_of_another_place_are_refused(make_networks, tmp_path, changes, tuning, reason):
    save_networks(make_networks(double=False, **changes), tmp_path / PLACE, *tuning)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / PLACE}: {reason}; it belongs elsewhere")):
        load_seed_block(tmp_path / PLACE)


def test_weights_of_another_lambda_are_refused(make_networks, tmp_path):
    path = tmp_path / PLACE.replace("trained", "slow_points-0.1")
    save_networks(make_networks(double=False), path, "slow_points", 0.2)
    with pytest.raises(ValueError, match=re.escape(f"{path}: it holds lambda 0.2, where its path says 0.1")):
        load_seed_block(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights | {"readout": weights["readout"][:, :-1]},
        lambda weights: weights | {"readout": weights["readout"][:1]},
        lambda weights: {name: weight for name, weight in weights.items() if name != "readout"},
    ],
)
def test_weights_of_another_shape_than_they_say_are_refused(make_networks, tmp_path, change):
    networks = make_networks(double=False)
    other = change(networks.weights)
    with pytest.raises(ValueError, match=r"weights are .*; networks of this specification have"):
        replace(networks, weights=other)
    networks.weights.clear()
    networks.weights.update(other)
    save_networks(networks, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match=r"weights\.safetensors: holds weights .* where its specification says"):
        load_networks(tmp_path / "weights.safetensors")


def test_weights_of_another_schema_version_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    write_tensors({"bias": torch.zeros(2)}, path, {"schema_version": "0"})
    with pytest.raises(ValueError, match=f"{path}: tensors of schema version 0, where 1 is expected"):
        load_networks(path)
