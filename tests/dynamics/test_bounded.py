"""The bounded step against its optimality conditions, and the types of stationary points of known quadratics."""

import itertools
import logging

import numpy as np
import pytest
import torch
from scipy.optimize import lsq_linear

from slowpoints.dynamics import bounded
from slowpoints.dynamics.bounded import MAX_DAMPING, active_bounds, bounded_step, projected_gradient, reduced_hessian
from slowpoints.dynamics.newton import DampedNewton
from slowpoints.dynamics.point_types import (
    TYPE_NAMES,
    Iterates,
    PointType,
    classify,
    fixed_point_tolerance,
    perturb_gradient,
)
from slowpoints.dynamics.search import find_slow_points


def boxes(points=60, n=5, seed=0, least=0.1):
    """Quadratics with bounds: Hessian, gradient, lowest and highest step, some of them 0."""
    rng = np.random.default_rng(seed)
    turns = np.linalg.qr(rng.normal(size=(points, n, n)))[0]
    values = rng.uniform(least, 2, (points, n))
    hessian = np.einsum("pij,pj,pkj->pik", turns, values, turns)
    lowest, highest = -rng.uniform(0, 1, (points, n)), rng.uniform(0, 1, (points, n))
    lowest[rng.random((points, n)) < 0.2] = 0
    highest[rng.random((points, n)) < 0.2] = 0
    return [torch.as_tensor(each) for each in (hessian, rng.normal(size=(points, n)), lowest, highest)]


def assert_optimal(step, hessian, gradient, lowest, highest, damping):
    """Optimality conditions: feasible, zero slope for free variables, multipliers of the right sign for active ones."""
    slope = gradient + (hessian @ step[..., None])[..., 0] + damping[:, None] * step
    assert (step >= lowest).all()
    assert (step <= highest).all()
    at_low, at_high = step == lowest, step == highest
    assert (slope[~at_low & ~at_high].abs() < 1e-9).all()
    assert (slope[at_low & ~at_high] > -1e-9).all()
    assert (slope[at_high & ~at_low] < 1e-9).all()
    return at_low, at_high


@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_the_step_is_the_minimum_in_its_box(damping):
    hessian, gradient, lowest, highest = boxes()
    initial = torch.full((60,), damping, dtype=torch.float64)
    step, used = bounded_step(hessian, gradient, lowest, highest, initial)
    assert torch.equal(used, initial)  # no increase is needed
    at_low, at_high = assert_optimal(step, hessian, gradient, lowest, highest, used)
    for variables in (at_low, at_high, ~(at_low | at_high)):
        assert 50 < variables.sum() < 250  # of 300
    for point in range(0, 60, 6):
        factor = np.linalg.cholesky(hessian[point] + damping * torch.eye(5)).T
        bounds = (lowest[point].numpy() - 1e-12, highest[point].numpy() + 1e-12)
        expected = lsq_linear(factor, -np.linalg.solve(factor.T, gradient[point]), bounds, tol=1e-14)
        np.testing.assert_allclose(step[point], expected.x, atol=1e-6)


def test_damping_increases_until_the_reduced_hessian_is_positive_definite():
    """By factors of 8; the argument is not changed."""
    hessian, gradient, lowest, highest = boxes(least=-1.0)
    initial = torch.full((60,), 1e-3, dtype=torch.float64)
    step, used = bounded_step(hessian, gradient, lowest, highest, initial)
    assert (initial == 1e-3).all()
    powers = (used / initial).log() / np.log(8)
    torch.testing.assert_close(powers, powers.round())
    assert len(powers.round().unique()) > 2
    at_low, at_high = assert_optimal(step, hessian, gradient, lowest, highest, used)
    least = torch.linalg.eigvalsh(reduced_hessian(hessian, ~(at_low | at_high), used[:, None]))[:, 0]
    assert (least > 0).all()
    indefinite = torch.diag(torch.tensor([-1.0, 1.0], dtype=torch.float64))[None]
    room = torch.ones(1, 2, dtype=torch.float64)
    _, used = bounded_step(indefinite, room / 10, -room, room, torch.tensor([0.5], dtype=torch.float64))
    assert used.item() == 4  # the least of 0.5, 4, 32 above 1
    _, used = bounded_step(-1e15 * indefinite, room, -room, room, torch.ones(1, dtype=torch.float64))
    assert MAX_DAMPING <= used.item() < 8 * MAX_DAMPING  # given up
    assert MAX_DAMPING == 1e12


def test_points_whose_active_set_no_longer_changes_are_not_solved_again(monkeypatch):
    hessian, gradient, _, _ = boxes()
    room = torch.full_like(gradient, 1e3)
    solved, step = [], bounded._solve_free
    monkeypatch.setattr(bounded, "_solve_free", lambda *models: solved.append(len(models[1])) or step(*models))
    bounded_step(hessian, gradient, -room, room, torch.zeros(60, dtype=torch.float64))
    assert solved == [60]
    room[:7, 0] = 1e-3
    bounded_step(hessian, gradient, -room, room, torch.zeros(60, dtype=torch.float64))
    assert solved[1] == 60
    assert 0 < solved[2] <= 7


def test_a_step_whose_active_sets_cycle_is_truncated(monkeypatch):
    monkeypatch.setattr(bounded, "MAX_ACTIVE_SETS", 1)
    hessian, gradient = torch.eye(2, dtype=torch.float64)[None], torch.tensor([[-5.0, 5.0]], dtype=torch.float64)
    room = torch.ones_like(gradient)
    step, _ = bounded_step(hessian, gradient, -room, room, torch.zeros(1, dtype=torch.float64))
    assert step.tolist() == [[1, -1]]


@pytest.mark.parametrize(("low", "high"), list(itertools.product((-1.0, 0.0), (0.0, 1.0))))
def test_a_bound_is_active_where_descent_leads_beyond_it(low, high):
    gradient = torch.tensor([[-1.0, 0.0, 1.0]])
    below, above = active_bounds(gradient, torch.full((1, 3), low), torch.full((1, 3), high))
    expected = {
        (-1, 1): ([False, False, False], [False, False, False]),
        (0, 1): ([False, False, True], [False, False, False]),
        (-1, 0): ([False, False, False], [True, False, False]),
        (0, 0): ([True, True, True], [False, False, False]),
    }
    assert (below[0].tolist(), above[0].tolist()) == expected[low, high]


def test_the_reduced_hessian_is_that_of_the_free_variables():
    hessian = torch.arange(18.0).view(2, 3, 3)
    before = hessian.clone()
    free = torch.tensor([[True, False, True], [True, True, True]])
    reduced = reduced_hessian(hessian, free, torch.tensor([[0.5], [2.0]]))
    assert reduced.tolist() == [[[0.5, 0, 2], [0, 1.5, 0], [6, 0, 8.5]], [[11, 10, 11], [12, 15, 14], [15, 16, 19]]]
    assert torch.equal(reduced_hessian(hessian, free), reduced - torch.tensor([0.5, 2])[:, None, None] * torch.eye(3))
    assert torch.equal(hessian, before)


def test_the_projected_gradient_is_what_the_bounds_leave_of_it():
    state, gradient = torch.tensor([[0.5, 1.0, -1.0]]), torch.tensor([[3.0, -2.0, -0.5]])
    norm = projected_gradient(state, gradient, -torch.ones(1, 3), torch.ones(1, 3))
    torch.testing.assert_close(norm, torch.tensor([(1.5**2 + 0 + 0.5**2) ** 0.5]))


def points_at(state, gradient, objective):
    state, gradient = (torch.tensor([each], dtype=torch.float64) for each in (state, gradient))
    bound = torch.ones_like(state)
    projected = projected_gradient(state, gradient, -bound, bound)
    return Iterates(state, torch.tensor([objective], dtype=torch.float64), gradient, projected)


@pytest.mark.parametrize(
    ("curvature", "state", "gradient", "objective", "point_type"),
    [
        ([1, 2], [0, 0], [0, 0], 0.5, PointType.MINIMUM),
        ([-1, 2], [0, 0], [0, 0], 0.5, PointType.SADDLE),
        ([1, 2], [0, 0], [1.1e-8, 0], 0.5, PointType.SLIDING),  # the gradient has not vanished
        ([1, 2], [0, 0], [1e-8, 0], 0.5, PointType.MINIMUM),
        ([1, -2], [0, 1], [0, -5], 0.5, PointType.MINIMUM),  # active at its upper bound
        ([1, -2], [0, -1], [0, 5], 0.5, PointType.MINIMUM),
        ([-1, -2], [0, 1], [0, -5], 0.5, PointType.SADDLE),
        ([1e-10, 1], [0, 0], [1e-8, 0], 2.4e-6, PointType.SLIDING),  # predicted: 1e-16 / 2 (1e-10 + 1e-10)
        ([1e-10, 1], [0, 0], [1e-8, 0], 2.6e-6, PointType.MINIMUM),
        ([1, 1], [0, 0], [1e-8, 0], 5e-16, PointType.MINIMUM),  # 0.5e-16, a tenth
        ([1, 1], [0, 0], [1e-8, 0], 4.9e-16, PointType.SLIDING),
        ([-0.9e-10, 1], [0, 0], [0, 0], 0.5, PointType.MINIMUM),  # as good as zero
        ([-1.1e-10, 1], [0, 0], [0, 0], 0.5, PointType.SADDLE),
        ([1e6, 0], [0, 0], [2e-7, 0], 0.5, PointType.MINIMUM),  # within 1000 roundings of the Hessian: 2.2e-7
        ([1e6, 0], [0, 0], [2.3e-7, 0], 0.5, PointType.SLIDING),
        ([1e6, 0], [0.6, 0.8], [4.4e-7, 0], 0.5, PointType.MINIMUM),  # of a state of norm 1
        ([1e6, 0], [0.6, 0.8], [4.5e-7, 0], 0.5, PointType.SLIDING),
        ([1e12, 1], [0, 0], [0, 0.1], 1e-2, PointType.MINIMUM),  # 1 counts as zero beside 1e12: 0.01 / 2 (100 + 1)
        ([1e12, 1], [0, 0], [0, 0.1], 4e-4, PointType.SLIDING),
    ],
)
def test_types_of_known_quadratics(curvature, state, gradient, objective, point_type):
    hessian = torch.tensor(curvature, dtype=torch.float64).diag()[None]
    points = points_at([float(each) for each in state], [float(each) for each in gradient], objective)
    bound = torch.ones(1, 2, dtype=torch.float64)
    # Another point stands beside it, so that each must be classified by its own numbers.
    other = points_at([0.0, 0.0], [0.5, 0.0], 1.0)
    both = Iterates(*(torch.cat(pair) for pair in zip(other, points, strict=True)))
    types = classify(both, torch.cat([torch.eye(2, dtype=torch.float64)[None], hessian]), -bound, bound, 1e-8)
    assert types.tolist() == [PointType.SLIDING, point_type]
    assert TYPE_NAMES[[*PointType]].tolist() == ["sliding", "saddle", "minimum", "fixed point"]


def test_a_fixed_point_may_move_by_a_thousand_roundings():
    states = torch.tensor([[0.0, 0.0], [3.0, 4.0]], dtype=torch.float64)
    np.testing.assert_allclose(fixed_point_tolerance(states), np.array([1, 6]) * 1000 * 2.0**-52)
    assert fixed_point_tolerance(torch.zeros(2, 3, 4)).shape == (2, 3)


def test_types_of_points_are_those_that_each_has_alone():
    """Also if two predicted reductions together exceed the limit for each."""
    one = points_at([0.0, 0.0], [1e-8, 0.0], 8e-16)  # 0.5e-16 of 0.8e-16
    two = Iterates(*(torch.cat([each, each]) for each in one))
    hessian, bound = torch.eye(2, dtype=torch.float64).expand(2, 2, 2), torch.ones(2, 2, dtype=torch.float64)
    assert classify(two, hessian, -bound, bound, 1e-8).tolist() == [PointType.MINIMUM, PointType.MINIMUM]


def test_a_perturbation_from_a_saddle_leads_downhill():
    """The gradient of the quadratic at that distance: curvature -2 along x, on the side where it already descends."""
    hessian = torch.tensor([[[-2.0, 0.0], [0.0, 3.0]]] * 3, dtype=torch.float64)
    gradient = torch.tensor([[0.1, 0.2], [-0.1, 0.2], [0.1, 0.2]], dtype=torch.float64)
    free = torch.tensor([[True, True], [True, True], [False, True]])
    perturbed = perturb_gradient(hessian, gradient, free, 0.5)
    expected = [[0.1 + 2 * 0.5, 0.2], [-0.1 - 2 * 0.5, 0.2]]
    np.testing.assert_allclose(perturbed[:2], expected)
    np.testing.assert_allclose(perturbed[2], [0.1 - 0.5, 0.2])  # x is fixed, so its curvature is 1


def test_iterates_are_assigned_and_read_by_rows():
    points = Iterates(torch.zeros(3, 2), torch.tensor([0.5, 2.0, 8.0]), torch.zeros(3, 2), torch.zeros(3))
    assert points.speed.tolist() == [1, 2, 4]
    rows = torch.tensor([2, 0])
    some = points.at(rows)
    assert some.objective.tolist() == [8, 0.5]
    points.assign(rows, Iterates(torch.ones(2, 2), torch.tensor([0.0, 1.0]), torch.ones(2, 2), torch.ones(2)))
    assert points.objective.tolist() == [1, 2, 0]
    assert points.state.tolist() == [[1, 1], [0, 0], [1, 1]]


def test_the_search_stops_at_its_last_iteration_and_relaxes_within_bounds():
    def drift(states):
        return states + 0.3

    relaxed = find_slow_points(drift, torch.zeros(2, 2), -1, 0.5, relax=1, max_iterations=0)
    assert relaxed.state.unique().item() == pytest.approx(0.3)
    relaxed = find_slow_points(drift, torch.zeros(2, 2), -1, 0.5, relax=3, max_iterations=0)
    assert (relaxed.state == 0.5).all()
    relaxed = find_slow_points(lambda z: z - 0.3, torch.zeros(2, 2), -0.5, 1, relax=3, max_iterations=0)
    assert (relaxed.state == -0.5).all()
    with pytest.warns(UserWarning, match="1 of 1 starts lie beyond the bounds"):
        outside = find_slow_points(drift, torch.tensor([[3.0, -4.0]]), max_iterations=0)
    assert outside.state.tolist() == [[1, -1]]
    with pytest.raises(ValueError, match="a map or a residual is needed"):
        find_slow_points(None, torch.zeros(2, 2))


def test_rows_may_round_otherwise_alone_but_no_more():
    """1e-6 counts as rounding, 1e-3 as a row that depends on other rows."""

    def shared(size):
        return lambda z: z / 2 + size * len(z)

    find_slow_points(shared(1e-8), torch.ones(4, 2), max_iterations=1)
    with pytest.raises(ValueError, match="any number of rows"):
        find_slow_points(shared(1e-3), torch.ones(4, 2), max_iterations=1)
    with pytest.raises(ValueError, match="any number of rows"):
        find_slow_points(shared(1e-3), torch.ones(1, 2), max_iterations=1)  # it is asked for copies of it
    with pytest.raises(ValueError, match="any number of rows"):
        find_slow_points(shared(1e-3), torch.ones(2, 2), max_iterations=1)
    find_slow_points(shared(1e-8), torch.zeros(4, 2), max_iterations=1)  # of what is nothing else
    with pytest.raises(ValueError, match="any number of rows"):
        find_slow_points(shared(1e-7), torch.zeros(4, 2), max_iterations=1)
    find_slow_points(lambda z: z * (1 + 2e-8 * len(z)) / 2, torch.ones(4, 2), max_iterations=1)


@pytest.mark.parametrize("row", [0, -1])
def test_the_first_and_the_last_row_are_asked_alone(row):
    def tied(z):
        moved = z / 2
        moved[row] += 1e-3 * (len(z) > 1)
        return moved

    with pytest.raises(ValueError, match="any number of rows"):
        find_slow_points(tied, torch.ones(4, 2), max_iterations=1)


def test_a_map_without_finite_values_is_not_taken_for_one_that_ties_rows_together():
    with pytest.raises(ValueError, match="not finite at the start"):
        find_slow_points(lambda z: z * torch.nan, torch.ones(3, 2))


def test_every_other_iteration_begins_with_newton_s_method_and_every_tenth_is_logged(monkeypatch, caplog):
    """Uses a map whose speed falls without a minimum, so that iterations do not end early."""
    tried, try_fixed_points = [], DampedNewton.try_fixed_points

    def spied(search, iterations, region):
        tried.append((search.iterations.max().item(), iterations))
        try_fixed_points(search, iterations, region)

    monkeypatch.setattr(DampedNewton, "try_fixed_points", spied)
    with caplog.at_level(logging.INFO):
        points = find_slow_points(
            lambda z: z + torch.exp(-z), torch.zeros(1, 1), -torch.inf, torch.inf, newton=1, max_iterations=12
        )
    assert points.iterations.item() == 12
    assert points.kind == ["sliding"]
    assert tried == [(taken, 1) for taken in range(0, 12, 2)]
    assert [record.args[0] for record in caplog.records if "deep search" in record.message] == [0, 10]


def test_newton_s_method_comes_first_where_it_is_asked_for(caplog):
    """A rotation about a repelling fixed point, which Newton's method reaches at once, without a Hessian."""
    turn = 1.05 * torch.tensor([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    begin = torch.tensor([[0.5, 0.5], [-0.4, 0.3]], dtype=torch.float64)
    with caplog.at_level(logging.INFO):
        points = find_slow_points(lambda z: z @ turn, begin, newton=5)
    assert (points.kind == "fixed point").all()
    assert (points.iterations == 0).all()
    assert (points.state.norm(dim=1) < 1e-12).all()
    assert points.converged.all()
    assert len([record for record in caplog.records if "iteration 0" in record.message]) == 1
