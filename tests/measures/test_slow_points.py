"""Slow points of networks: starts of searches, measures, and lifetimes of memories."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import reference
import torch
from helpers import train

from slowpoints.core.presets.search import Search
from slowpoints.core.schemas.slow_points import SLOW_POINTS, SPECTRUM, TRAJECTORIES
from slowpoints.core.tables import read_table, with_cell, write_table
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import jacobian, unstable_directions
from slowpoints.dynamics.speed import reachable
from slowpoints.measures.centres import class_centres
from slowpoints.measures.lifetimes import lifetimes
from slowpoints.measures.slow_points import measure_slow_points, search_bounds
from slowpoints.measures.trajectories import measure_trajectories
from slowpoints.networks.units import units

SETTINGS = Search(adam_steps=1200, max_iterations=30, tolerance=1e-8, images_per_class=10, noise_scale=Fraction(1, 3))


@pytest.fixture(params=["gru", "lstm"])
def trained(request, make_networks, images, training):
    training = replace(training, steps=600, learning_rate=0.02, batch_size=16, bank=32)
    networks = make_networks(request.param, seeds=(0, 1), hidden=16, protocol="decu", double=False)
    return train(networks, images, training)[0]


def numpy_step(dynamics, row, state, triggered=False):
    """One frame under the mean input, from the equations."""
    drive = dynamics.drive[row] + dynamics.trigger[row] * triggered
    weights = {
        "input": np.zeros((1, sum(dynamics.unit.input_gates) * dynamics.hidden)),
        "recurrent": dynamics.recurrent[row].numpy(),
        "bias": drive.numpy(),
    }
    parts = np.split(state, dynamics.unit.parts)
    return np.hstack(reference.STEPS[dynamics.architecture](np.zeros(1), *parts, weights))


@pytest.mark.parametrize("architecture", units())
def test_dynamics_equal_the_equations(make_networks, architecture):
    networks = make_networks(architecture)
    dynamics = Dynamics.of(networks)
    states = 2 * torch.randn(6, dynamics.coordinates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    after, speed, raw = dynamics.step(states), dynamics.speed(states), dynamics.raw_speed(states)
    readout = dynamics.read_out(states)
    for point in range(6):
        row, state = point // 3, states[point].numpy()
        expected = numpy_step(dynamics, row, state)
        np.testing.assert_allclose(after[point], expected, atol=1e-13)
        difference = expected - state
        assert raw[point].item() == pytest.approx(np.linalg.norm(difference))
        if architecture == "lstm":
            difference[6:] = np.tanh(expected[6:]) - np.tanh(state[6:])
        assert speed[point].item() == pytest.approx(np.linalg.norm(difference))
        hidden = numpy_step(dynamics, row, state, triggered=True)[:6]
        weights = reference.network(networks, row)
        assert readout[point].item() == (hidden @ weights["readout"] + weights["readout_bias"]).argmax() - 1


def test_drive_is_the_response_to_the_mean_frame(make_networks):
    networks = make_networks()
    weights = reference.network(networks, 1)
    expected = np.full(16, networks.spec.noise_mean) @ weights["input"][:-1] + weights["bias"]
    np.testing.assert_allclose(Dynamics.of(networks).drive[1], expected)


def test_centres_are_means_over_rightly_read_trials(trained, images):
    dynamics = Dynamics.of(trained)
    centres = class_centres(trained, dynamics, images, replace(SETTINGS, noise_scale=Fraction(1, 2)))
    rows = images.rows_by_class("images per class", lambda rng, rows: rng.permutation(rows)[:10])
    labels = torch.as_tensor(images.labels[rows].astype(int))
    noise = torch.empty(2, 14, 16)
    trained.noise(trained.streams("class centres"), noise)
    noise = trained.spec.noise_mean + 0.5 * (noise - trained.spec.noise_mean)
    for network in range(2):
        weights = reference.network(trained, network)
        states = []
        for row in rows:
            state = np.zeros(dynamics.coordinates)
            for frame in range(15):
                pixels = images.images[row].ravel() / 255 if frame == 0 else noise[network, frame - 1].numpy()
                x = np.append(pixels, 0.0)
                parts = np.split(state, dynamics.unit.parts)
                state = np.hstack(reference.STEPS[dynamics.architecture](x, *parts, weights))
            states.append(state)
        flat = torch.tensor(np.stack(states))
        every = torch.cat([flat, flat])  # as many states for either network
        right = dynamics.read_out(every).view(2, -1)[network] == labels
        assert right.any()
        for label in range(3):
            counted = right & (labels == label)
            point = 3 * network + label
            assert centres.exist[point] == counted.any()
            if counted.any():
                np.testing.assert_allclose(centres.state[point], flat[counted].mean(0), atol=1e-5)
        assert (flat <= centres.upper[3 * network] + 1e-5).all()
        assert (flat >= centres.lower[3 * network] - 1e-5).all()


def test_bounds_box_h_and_leave_c_to_its_range(trained, images):
    dynamics = Dynamics.of(trained)
    centres = class_centres(trained, dynamics, images, SETTINGS)
    lower, upper = search_bounds(dynamics, centres)
    assert (lower[:, :16] == -1).all()
    assert (upper[:, :16] == 1).all()
    assert torch.equal(upper[:, 16:], centres.upper[:, 16:])
    free = reachable(dynamics)
    assert free[1][:16].tolist() == [1] * 16
    assert free[1][16:].isinf().all()


def test_a_short_measure_is_the_full_one_without_search_eigenvalues_and_lifetimes(trained, images, tmp_path):
    full = measure_slow_points(trained, images, SETTINGS, longest_delay=20)
    short = measure_slow_points(trained, images, SETTINGS, longest_delay=20, full=False)
    pd.testing.assert_frame_equal(short.relaxation, full.relaxation)
    assert short.spectrum.empty
    tables = {"short": short.slow_points, "full": full.slow_points}
    for name, table in tables.items():
        path = tmp_path / f"{name}.parquet"
        write_table(with_cell(table, SLOW_POINTS, trained.spec), path, SLOW_POINTS)
        tables[name] = read_table(path, SLOW_POINTS)
    write_table(with_cell(short.spectrum, SPECTRUM, trained.spec), tmp_path / "spectrum.parquet", SPECTRUM)
    unmeasured = {name for name in SLOW_POINTS.columns if tables["short"][name].isna().all()} - {"lambda"}
    searched = {"deep_speed", "deep_readout", "deep_distance", "projected_gradient", "converged", "iterations"}
    lasting = {f"{name}lifetime{end}" for name in ("", "point_", "predicted_") for end in ("", "_capped")}
    of_affine_units = {"spectral_lifetime"}
    assert unmeasured == searched | lasting | of_affine_units | {"deep_kind", "leading", "n_unstable", "time_constant"}
    measured = [name for name in SLOW_POINTS.columns if name not in unmeasured]
    pd.testing.assert_frame_equal(tables["short"][measured], tables["full"][measured])


def test_points_are_slower_than_centres_and_deeper_still(trained, images, tmp_path):
    tables = measure_slow_points(trained, images, SETTINGS, longest_delay=20)
    points = tables.slow_points
    assert points[["predicted_lifetime", "predicted_lifetime_capped"]].isna().all(axis=None)  # not asked for
    assert (points["speed"] < points["centre_speed"]).all()
    assert (points["speed"] <= points["speed_1000"] + 1e-9).all()
    assert points["lifetime"].max() <= 200
    dynamics = Dynamics.of(trained)
    states = torch.tensor(np.stack(points["state"]))
    np.testing.assert_allclose(dynamics.speed(states), points["speed"])
    np.testing.assert_allclose(dynamics.raw_speed(states), points["raw_speed"])
    largest = tables.spectrum[tables.spectrum["index"] == 0]
    np.testing.assert_allclose(np.hypot(largest["real"], largest["imag"]), points["leading"])
    unstable = np.hypot(tables.spectrum["real"], tables.spectrum["imag"]) > 1
    counts = unstable.groupby([tables.spectrum["seed"], tables.spectrum["label"]]).sum()
    assert counts.tolist() == points["n_unstable"].tolist()
    trajectories = measure_trajectories(trained, images, tables)
    for kind, table in ((SLOW_POINTS, points), (SPECTRUM, tables.spectrum), (TRAJECTORIES, trajectories)):
        write_table(with_cell(table, kind, trained.spec), tmp_path / kind.name, kind)
        assert list(read_table(tmp_path / kind.name).columns) == list(kind.columns)


def test_trajectories_hold_paths_and_unstable_directions(trained, images):
    tables = measure_slow_points(trained, images, SETTINGS, longest_delay=20)
    points = tables.slow_points.set_index(["seed", "label"])
    kinds = dict(list(measure_trajectories(trained, images, tables).groupby("kind")))
    places = ["pc1", "pc2", "pc3"]
    of_points = {kind: kinds[kind].set_index(["seed", "label"])[places] for kind in ("centre", "slow_point")}
    path = kinds["path"].set_index(["seed", "label"])
    assert sorted(path["frame"].unique()) == tables.path.frames
    np.testing.assert_allclose(path.loc[path["frame"] == 0, places], of_points["centre"], atol=1e-9)
    assert points["n_unstable"].sum() > 0
    counts = kinds["unstable"].groupby(["seed", "label"])["trial"].nunique()
    assert counts.to_dict() == points.loc[points["n_unstable"] > 0, "n_unstable"].to_dict()
    ends = {side: rows.set_index(["seed", "label"])[places] for side, rows in kinds["unstable"].groupby("frame")}
    middle = (ends[-1] + ends[1]) / 2
    np.testing.assert_allclose(middle, of_points["slow_point"].loc[middle.index], atol=1e-9)


def test_an_unstable_direction_grows_at_its_rate(trained, images):
    """By finite differences, a small step along the leading direction grows by the factor `leading`."""
    tables = measure_slow_points(trained, images, SETTINGS, longest_delay=20)
    dynamics, width = Dynamics.of(trained), 1e-6
    real = tables.spectrum["index"].eq(0) & tables.spectrum["imag"].eq(0)
    leading = tables.spectrum[real].set_index(["seed", "label"])["real"]
    apart = [
        place
        for place, name in enumerate(tables.slow_points[["seed", "label"]].itertuples(index=False, name=None))
        if abs(leading.get(name, 0)) > 1
    ]
    assert apart
    for place in apart:
        (direction, *_) = unstable_directions(jacobian(dynamics.step, tables.state)[place])
        moved = [tables.state.clone() for _ in range(2)]
        moved[0][place] += width * direction
        moved[1][place] -= width * direction
        growth = (dynamics.step(moved[0]) - dynamics.step(moved[1]))[place] / (2 * width)
        name = tuple(tables.slow_points.loc[place, ["seed", "label"]])
        torch.testing.assert_close(growth, leading[name] * direction, atol=1e-6, rtol=0)


def test_a_class_never_read_out_has_nulls(trained, images, tmp_path):
    trained.weights["readout_bias"][0, 2] = -1e9  # the first network never says class 1
    settings = replace(SETTINGS, adam_steps=5, predict_lifetimes=True)
    tables = measure_slow_points(trained, images, settings, longest_delay=20)
    path = tmp_path / "slow_points.parquet"
    write_table(with_cell(tables.slow_points, SLOW_POINTS, trained.spec), path, SLOW_POINTS)
    stored = read_table(path)
    silent = stored[(stored["seed"] == 0) & (stored["label"] == 1)].iloc[0]
    assert silent[["speed", "deep_speed", "lifetime", "converged", "state", "predicted_lifetime"]].isna().all()
    assert stored["speed"].notna().sum() == 5
    assert stored["predicted_lifetime"].between(0, 20).sum() == 5
    assert not ((tables.spectrum["seed"] == 0) & (tables.spectrum["label"] == 1)).any()


def leaky(rate, hidden=1, classes=2):
    """A GRU whose update gate stays at `rate` and whose new state is 0: h decays by 1 - rate a frame."""
    zeros = torch.zeros(1, hidden, 3 * hidden, dtype=torch.float64)
    drive = torch.zeros(1, 3 * hidden, dtype=torch.float64)
    drive[:, :hidden] = np.log(rate / (1 - rate))
    readout = torch.tensor([[[0.0, 1.0, -1.0]]], dtype=torch.float64)
    bias = torch.tensor([[0.05, 0.0, 0.0]], dtype=torch.float64)  # null unless |h| exceeds 0.05
    return Dynamics("gru", zeros, drive, torch.zeros_like(drive), readout, bias)


def test_lifetime_of_an_exponential_decay():
    """h after k frames is 0.9^k; the triggered step takes one more: read out while 0.9^(k + 1) > 0.05."""
    dynamics = leaky(0.1)
    states = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    expected = int(np.ceil(np.log(0.05) / np.log(0.9))) - 1  # first k at which it no longer is
    assert lifetimes(dynamics, states, torch.tensor([0, 1]), 1000).tolist() == [expected] * 2
    assert lifetimes(dynamics, states, torch.tensor([0, 1]), 10).tolist() == [10, 10]  # capped
    assert lifetimes(dynamics, states, torch.tensor([1, 0]), 1000).tolist() == [0, 0]  # never its class


def test_lifetimes_of_points_that_end_at_different_times_or_never():
    """The second network reports class 0 at rest: a state that is or becomes class 0 at rest lasts for ever.

    A million frames are not simulated, since nothing changes once a state is at rest.
    """
    first, second = leaky(0.5), leaky(0.5)
    at_rest = torch.tensor([[0.0, 0.05, 0.0]], dtype=torch.float64)
    both = Dynamics(
        "gru",
        *(
            torch.cat(pair)
            for pair in zip(
                *([each.recurrent, each.drive, each.trigger, each.readout] for each in (first, second)), strict=True
            )
        ),
        torch.cat([first.readout_bias, at_rest]),
    )
    start = [[2.0**12], [-(2.0**6)], [2.0**-9], [2.0**12], [-(2.0**6)], [0.0]]
    # Read out as long as half of |h| is more than 0.05; 0.025 as class 1 of the second, whose rival falls with it.
    ends = lifetimes(both, torch.tensor(start, dtype=torch.float64), torch.tensor([0, 1, 0, 0, 1, 0]), 10**6)
    assert ends.tolist() == [16, 10, 0, 10**6, 11, 10**6]


def test_slow_points_do_not_depend_on_the_ensemble(trained, images):
    settings = replace(SETTINGS, adam_steps=50, max_iterations=5)
    together = measure_slow_points(trained, images, settings, longest_delay=20).slow_points
    alone = measure_slow_points(trained.select([1]), images, settings, longest_delay=20).slow_points
    columns = ["speed", "deep_speed", "leading", "centre_speed"]
    same = together.loc[together["seed"] == 1, columns]
    np.testing.assert_allclose(same.to_numpy(float), alone[columns].to_numpy(float), rtol=1e-6)
