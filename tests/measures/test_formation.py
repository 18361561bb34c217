"""Back-tracking on families of maps with known slow points, and births of memories."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import train

from slowpoints.core.presets.search import Search
from slowpoints.core.tensors import read_tensors, write_tensors
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.search import find_slow_points
from slowpoints.dynamics.snapshots import load_snapshots, save_snapshots
from slowpoints.measures.formation import MERGED, add_parents, measure_formation, nearest_tracks
from slowpoints.measures.slow_points import measure_slow_points
from slowpoints.measures.tracking import back_track, separations, tracking_bounds
from slowpoints.task.curricula import class_orders, stages
from slowpoints.task.protocols import PROTOCOLS


def search(residual, start):
    return find_slow_points(None, start, -3.0, 3.0, residual=residual, tolerance=1e-12, max_iterations=200).state


def column(*values):
    return torch.tensor([[float(value)] for value in values], dtype=torch.float64)


def pitchfork(parameter):
    """Fixed points at 0 and, where the parameter is positive, at +- its root."""
    return lambda z: z * (parameter - z**2)


def test_branches_of_a_pitchfork_meet_where_it_splits():
    """At +-sqrt(mu) for mu > 0 and at 0 before: continuous, so nothing jumps."""
    parameters = np.linspace(-0.2, 1.0, 25)
    tracks = back_track([pitchfork(mu) for mu in parameters], column(1, -1), search)
    expected = np.sqrt(np.clip(parameters, 0, None))
    after = parameters > 0.12  # below, the branches are flat to fourth order and a search may stop early
    np.testing.assert_allclose(tracks.state[after, 0, 0], expected[after], atol=1e-5)
    np.testing.assert_allclose(tracks.state[after, 1, 0], -expected[after], atol=1e-5)
    before = parameters < -0.05
    np.testing.assert_allclose(tracks.state[before, :, 0], 0, atol=1e-3)
    apart = (tracks.state[:, 0, 0] - tracks.state[:, 1, 0]).abs() > 0.1
    assert apart.tolist() == (2 * expected > 0.1).tolist()


def fold(parameter):
    """A fixed point at -1, and near 1 a slow point that exists while the parameter is below 4/3.

    Speed is |(z + 1)((z - 1)^2 + mu)|; its second minimum lies where 3 z^2 - 2 z - 1 + mu = 0.
    """
    return lambda z: (z + 1) * ((z - 1) ** 2 + parameter)


def test_a_point_that_is_not_there_yet_is_a_jump_at_the_known_parameter():
    """Backwards from mu = 0 to mu = 2: the slow point moves as known, until at 4/3 it is lost to that at -1."""
    parameters = np.linspace(2.0, 0.0, 21)  # earliest first
    tracks = back_track([fold(mu) for mu in parameters], column(1.0), search)
    exists = parameters < 4 / 3
    expected = (1 + np.sqrt(np.clip(4 - 3 * parameters, 0, None))) / 3
    np.testing.assert_allclose(tracks.state[exists, 0, 0], expected[exists], atol=1e-6)
    np.testing.assert_allclose(tracks.state[~exists, 0, 0], -1, atol=1e-6)
    lost = np.flatnonzero(~exists)[-1]
    moved = tracks.displacement[:, 0].numpy() > 0.01
    jumped = moved & ~tracks.retraced[:, 0].numpy()
    assert np.flatnonzero(jumped).tolist() == [lost]


def test_tracking_starts_at_the_points_given():
    last = column(0.3, -0.7)
    tracks = back_track([pitchfork(1.0)], last, search)
    assert torch.equal(tracks.state[0], last)
    assert tracks.displacement.isnan().all()


def test_separations_are_distances_between_points_of_a_network():
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [torch.nan, torch.nan], [1.0, 0.0], [1.0, 2.0]])
    distance, typical = separations(points, networks=2)
    assert distance[0, 0].tolist() == pytest.approx([np.inf, 5, 1])
    assert distance[1, 1, 2] == 2
    assert typical.tolist() == pytest.approx([np.sqrt(9 + 9), 2])


def test_a_point_is_near_another_until_they_split():
    """Points at +-sqrt(mu), and one that stays at 2.5: the median of the three distances is 2.5 - sqrt(mu)."""
    parameters = np.linspace(-0.3, 0.5, 17)
    family = [lambda z, mu=mu: pitchfork(mu)(z) * (z - 2.5) for mu in parameters]
    tracks = back_track(family, column(np.sqrt(0.5), -np.sqrt(0.5), 2.5), search)
    found = [nearest_tracks(*separations(at, networks=1)) for at in tracks.state]
    nearest, apart = (torch.stack(items).numpy() for items in zip(*found, strict=True))
    root = np.sqrt(np.clip(parameters, 0, None))
    clear = (parameters < -0.05) | (parameters > 0.12)  # between, the search may stop early: as above
    assert clear.sum() > 12
    for branch in (0, 1):
        np.testing.assert_allclose(apart[clear, branch], (2 * root / (2.5 - root))[clear], atol=1e-3)
        assert (nearest[clear, branch] == 1 - branch).all()
        np.testing.assert_array_equal((apart <= MERGED)[clear, branch], (parameters <= 0)[clear])
    np.testing.assert_allclose(apart[clear, 2], 1, atol=1e-3)
    assert (nearest[parameters > 0.12, 2] == 0).all()


def test_nearest_tracks_leave_missing_points_out():
    missing = torch.full((2,), torch.nan)
    three, alone = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0]])
    points = torch.cat([three, missing[None], alone, missing.expand(3, 2)])
    nearest, apart = nearest_tracks(*separations(points, networks=2))
    assert nearest.tolist() == [2, 2, 0, -1, -1, -1, -1, -1]
    unit = np.sqrt(18)  # the median of 1, sqrt(18) and 5
    np.testing.assert_allclose(apart, [1 / unit, 1, 1 / unit, *[np.nan] * 5], rtol=1e-6)


def test_points_that_coincide_are_no_distance_apart():
    points = torch.tensor([[0.0], [0.0], [0.0], [0.0], [1.0]])
    nearest, apart = nearest_tracks(*separations(points, networks=1))
    assert apart[:4].tolist() == [0, 0, 0, 0]  # though the typical distance is 0, too
    assert apart[4] > 1
    assert all(other != label for label, other in enumerate(nearest.tolist()))


def made_up(readouts, in_use, label=2, seed=0, speed=0.1):
    """Rows of one track; `readouts` by step, None for null."""
    return pd.DataFrame({
        "seed": seed, "label": label, "step": np.arange(1, len(readouts) + 1) * 10, "speed": speed,
        "readout": np.array(readouts, float), "in_use": in_use,
    })  # fmt: skip


def test_a_memory_is_born_when_its_class_is_in_use_and_read_out_to_the_end():
    table = add_parents(made_up([0, 0, 2, 2, 2], [False, False, False, True, True]))
    assert table["born"].tolist() == [False, False, False, True, True]
    assert table["parent"].isna().all()  # it read out as itself before, so there is no other memory


def test_the_parent_is_the_class_read_out_just_before():
    table = add_parents(made_up([None, 1, 0, 2, 2], [False, False, False, True, True]))
    np.testing.assert_array_equal(table["parent"], [np.nan, np.nan, 0, np.nan, np.nan])


def test_null_before_the_birth_is_no_parent():
    table = add_parents(made_up([0, None, 2], [True, True, True]))
    assert table["born"].tolist() == [False, False, True]
    assert table["parent"].isna().all()


def test_a_memory_that_breaks_off_is_born_after_the_break():
    table = add_parents(made_up([2, 2, 1, 2, 2], [True] * 5))
    assert table["born"].tolist() == [False, False, False, True, True]
    assert table["parent"].tolist()[2] == 1


def test_snapshots_are_not_read_from_another_file(tmp_path):
    path = tmp_path / "weights.safetensors"
    write_tensors({"recurrent": torch.eye(2)}, path, {"steps": [1]})
    with pytest.raises(ValueError, match=f"{path}: holds no snapshots"):
        load_snapshots(path)


def test_snapshots_are_those_of_the_networks_at_hand(make_networks, tmp_path):
    """Another cell, other seeds, another study or another unit: the last snapshot has other weights."""
    path, networks = tmp_path / "snapshots.safetensors", make_networks(double=False)
    save_snapshots({1: Dynamics.of(make_networks(seeds=(2, 3))), 2: Dynamics.of(networks)}, networks.seeds, path)
    assert list(load_snapshots(path, networks)) == [1, 2]
    tuned = replace(networks, weights=networks.weights | {"recurrent": networks.weights["recurrent"] + 0.01})
    for other in (tuned, *(make_networks(double=False, **changes) for changes in (
        {"protocol": "decu"}, {"seeds": (2, 3)}, {"seeds": (0, 1, 2)}, {"hidden": 5}, {"architecture": "lstm"}
    ))):  # fmt: skip
        with pytest.raises(ValueError, match=f"{path}: recurrent of the last snapshot is not that of the networks"):
            load_snapshots(path, other)


def test_a_snapshot_that_is_missing_is_said_to_be_so(make_networks, tmp_path):
    path, dynamics = tmp_path / "snapshots.safetensors", Dynamics.of(make_networks())
    save_snapshots({1: dynamics, 2: dynamics}, (0, 1), path)
    tensors, facts = read_tensors(path)
    write_tensors({name: tensor[:1] for name, tensor in tensors.items()}, path, facts)
    with pytest.raises(ValueError, match=f"{path}: it has 2 steps, but not as many snapshots"):
        load_snapshots(path)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_formation_of_a_trained_cell(make_networks, images, training, architecture, tmp_path):
    training = replace(training, steps=600, learning_rate=0.02, batch_size=16, bank=32)
    untrained = make_networks(architecture, seeds=(3, 5), hidden=16, protocol="vocu", double=False)
    networks, _, taken = train(untrained, images, training, snapshots=6)
    save_snapshots(taken, networks.seeds, tmp_path / "snapshots.safetensors")
    snapshots = load_snapshots(tmp_path / "snapshots.safetensors")
    assert list(snapshots) == [3, 6, 12, 25, 50, 100, 200, 300, 350, 400, 500, 525, 600]
    settings = Search(adam_steps=500, max_iterations=1, tolerance=1e-8, images_per_class=10, noise_scale=Fraction(1))
    points = measure_slow_points(networks, images, settings, longest_delay=20).slow_points
    plan, orders = stages(PROTOCOLS["vocu"], training, 3), class_orders(PROTOCOLS["vocu"], 3, "small", networks.seeds)
    table = measure_formation(snapshots, points, plan, orders, max_iterations=3)
    last = table[table["step"] == 600].reset_index(drop=True)
    found = points[points["speed"].notna()].reset_index(drop=True)
    np.testing.assert_allclose(last["speed"], found["speed"].astype(float), rtol=1e-4)  # its own slow points
    np.testing.assert_array_equal(last["readout"], found["readout"].astype(float))
    assert len(table) == len(snapshots) * len(found)
    in_use = table.loc[table["label"] == 2].groupby("step")["in_use"].first()
    assert in_use.tolist() == [step > 300 for step in snapshots]
    assert (table["nearest"] != table["label"]).all()
    np.testing.assert_array_equal(table["merged_with"], table["nearest"].where(table["nearest_distance"] <= MERGED))
    assert set(table["t_max"]) == {20}
    exact = snapshots[600]
    assert replace(exact).recurrent.dtype == torch.float64
    assert torch.equal(exact.recurrent.float(), networks.weights["recurrent"])


def test_each_part_of_a_state_has_bounds_of_its_own(make_networks):
    """As wide as the largest value among a network's points; those of h are the unit's."""
    dynamics = Dynamics.of(make_networks("slstm"))
    points = torch.zeros(6, 18, dtype=torch.float64)
    points[1, 7], points[2, 13], points[4, 17] = -0.5, 3.0, -8.0
    lower, upper = tracking_bounds(dynamics, points)
    expected = [[1.0] * 6 + [0.5] * 6 + [3.0] * 6] * 3 + [[1.0] * 6 + [0.0] * 6 + [8.0] * 6] * 3
    assert upper.tolist() == expected
    assert torch.equal(lower, -upper)
