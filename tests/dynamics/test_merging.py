"""Searches that become one, on maps whose slow points and basins are known."""

import numpy as np
import pytest
import torch

from slowpoints import slow_points_of
from slowpoints.dynamics.autonomous import AutonomousMap
from slowpoints.dynamics.lbfgs import LBFGS
from slowpoints.dynamics.merging import Merging
from slowpoints.dynamics.residual import MapResidual
from slowpoints.dynamics.search import find_slow_points

GAP = 0.05
DOUBLE = torch.float64


def two_valleys(states):
    """x moves by x^2 - 1, y by y^2 + gap: slowest at (1, 0) and (-1, 0), in basins on either side of x = 0."""
    x, y = states.unbind(1)
    return states + torch.stack([x**2 - 1, y**2 + GAP], dim=1)


def starts(points=60, seed=0):
    """At least 0.4 from the ridge between the valleys."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.4 + 1.2 * torch.rand(points, generator=generator, dtype=DOUBLE)
    sign = 2.0 * torch.randint(2, (points,), generator=generator) - 1
    y = torch.rand(points, generator=generator, dtype=DOUBLE) - 0.5
    return torch.stack([sign * x, y], dim=1)


def search(merge, states=None, **more):
    return slow_points_of(
        two_valleys, starts() if states is None else states, starts=None, lower=-2.0, upper=2.0, merge=merge, **more
    )


@pytest.mark.parametrize("newton", [0, 40])
def test_each_start_ends_in_its_own_valley_after_few_searches(newton):
    points, alone = search(0.05, newton=newton), search(0, newton=newton)
    valley = torch.stack([starts()[:, 0].sign(), torch.zeros(60, dtype=DOUBLE)], dim=1)
    torch.testing.assert_close(points.state, valley, atol=1e-6, rtol=0)
    torch.testing.assert_close(points.state, alone.state, atol=1e-6, rtol=0)
    torch.testing.assert_close(points.speed, torch.full((60,), GAP, dtype=DOUBLE))
    assert points.converged.all()
    assert (points.kind == "minimum").all()
    assert torch.equal(starts()[points.searched, 0].sign(), valley[:, 0])
    assert len(points.searched.unique()) <= 6


def test_the_result_names_the_search_from_which_its_values_are():
    points = search(0.05)
    rows, own = points.searched, torch.arange(60)
    assert (rows != own).any()
    assert torch.equal(rows[rows], rows)  # of one that was carried through
    for values in (points.state, points.speed, points.projected_gradient, points.iterations):
        assert torch.equal(values, values[rows])
    assert torch.equal(torch.tensor(points.to_frame()["searched"].to_numpy()), rows)
    assert torch.equal(points[3:5].searched, rows[3:5])
    assert torch.equal(points.start, starts())
    torch.testing.assert_close(points.share, torch.full((60,), 1 / 60, dtype=DOUBLE))


def test_without_merging_each_is_searched_as_by_find_slow_points():
    points, expected = search(0), find_slow_points(two_valleys, starts(), -2.0, 2.0, newton=40)
    for name in ("state", "speed", "projected_gradient", "iterations", "searched"):
        assert torch.equal(getattr(points, name), getattr(expected, name))
    assert np.array_equal(points.kind, expected.kind)
    assert torch.equal(points.searched, torch.arange(60))


def test_networks_and_constant_inputs_are_never_merged():
    """The same weights and starts under two inputs: two fixed points, however far searches may be from each other."""
    weights = 0.3 * torch.randn(1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
    drive = torch.stack([torch.full((1, 4), 0.2, dtype=DOUBLE)[0], torch.full((1, 4), 0.21, dtype=DOUBLE)[0]])
    dynamics = AutonomousMap("rnn", weights.expand(2, 4, 4).contiguous(), drive)
    begin = torch.rand(5, 4, generator=torch.Generator().manual_seed(2), dtype=DOUBLE).repeat(2, 1)
    points = find_slow_points(dynamics.step, begin, merge=10.0)
    assert torch.equal(points.searched // 5, torch.arange(10) // 5)
    for row, state in enumerate(points.state):
        torch.testing.assert_close((drive[row // 5] + state @ weights[0]).tanh(), state, atol=1e-8, rtol=0)


def test_searches_within_different_bounds_are_never_merged():
    """z moves by z - 2: within its bounds, each is slowest at its upper bound."""
    upper = torch.tensor([[0.5], [0.50001], [0.5]], dtype=DOUBLE)
    points = find_slow_points(lambda z: z + (z - 2), torch.zeros(3, 1), -1.0, upper, merge=10.0)
    assert torch.equal(points.state, upper)
    assert points.searched[1] == 1


def merging(distance, points):
    bound = torch.full((points, 1), 2.0, dtype=DOUBLE)
    residual = MapResidual(lambda z: z + (z**2 - 1) * (z**2 + 0.1))  # at rest at -1 and 1, fastest between at 0.67
    return residual, Merging(residual, -bound, bound, distance)


def test_a_barrier_of_the_speed_keeps_close_searches_apart():
    residual, merged = merging(10.0, 3)
    state = torch.tensor([[-0.8], [0.85], [0.9]], dtype=DOUBLE)
    objective = residual.objective(state)
    assert merged.merge(torch.arange(3), state, objective).tolist() == [0, 2]
    assert merged.searched.tolist() == [0, 2, 2]  # the slower one goes on


def test_searches_further_apart_than_the_distance_go_on():
    residual, merged = merging(0.02, 3)
    state = torch.tensor([[0.9], [0.95], [0.98]], dtype=DOUBLE)  # 0.05 apart, allowed 0.038; 0.03 apart, allowed 0.039
    assert merged.merge(torch.arange(3), state, residual.objective(state)).tolist() == [0, 2]


def test_a_search_that_joins_one_that_joins_a_third_has_joined_the_third():
    residual, merged = merging(0.05, 4)
    state = torch.tensor([[0.85], [0.92], [0.98], [-1.0]], dtype=DOUBLE)
    assert merged.merge(torch.arange(3), state, residual.objective(state)).tolist() == [2]
    assert merged.searched.tolist() == [2, 2, 2, 3]


def test_a_running_search_joins_a_finished_one():
    residual, merged = merging(0.05, 2)
    state = torch.tensor([[0.95], [1.0]], dtype=DOUBLE)
    assert merged.merge(torch.tensor([0]), state, residual.objective(state)).tolist() == []
    assert merged.searched.tolist() == [1, 1]


def test_the_indices_by_which_callers_know_searches_stay_as_they_are():
    residual, merged = merging(0.05, 2)
    rows = merged.searched
    state = torch.tensor([[0.95], [1.0]], dtype=DOUBLE)
    assert merged.merge(rows, state, residual.objective(state)).tolist() == [1]
    assert rows.tolist() == [0, 1]


def test_of_searches_that_have_joined_one_descends(monkeypatch):
    descending = []
    keep = LBFGS.keep

    def counted(descent, chosen):
        keep(descent, chosen)
        descending.append(descent.rows.tolist())

    monkeypatch.setattr(LBFGS, "keep", counted)
    search(0.05, starts().repeat(2, 1))
    assert max(map(len, descending)) <= 60
    assert all(len(set(rows)) == len(rows) for rows in descending)
