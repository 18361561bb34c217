"""Slow-point search on maps whose answer is known."""

from math import cos, sin

import numpy as np
import pytest
import torch
from scipy.optimize import lsq_linear

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.descent import descend
from slowpoints.dynamics.search import find_slow_points
from slowpoints.dynamics.speed import SpeedResidual

SADDLE_GAP = 0.01


def ghost(states):
    """z' = z + z^2 + gap in each coordinate: no fixed point, slowest at 0, where it moves by the gap."""
    return states + states**2 + SADDLE_GAP


def start(points, n, seed=0):
    return torch.rand(points, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 1.6 - 0.8


def test_a_contracting_affine_map_has_one_fixed_point():
    generator = torch.Generator().manual_seed(1)
    matrix = 0.5 * torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64)).Q
    shift = 0.1 * torch.randn(5, generator=generator, dtype=torch.float64)
    fixed = torch.linalg.solve(torch.eye(5, dtype=torch.float64) - matrix, shift)
    points = find_slow_points(lambda z: z @ matrix.T + shift, start(8, 5))
    assert points.converged.all()
    torch.testing.assert_close(points.state, fixed.expand(8, 5), atol=1e-7, rtol=0)
    assert (points.speed < 1e-12).all()
    assert (points.kind == "fixed point").all()
    assert (points.iterations < 20).all()


def test_the_ghost_of_a_saddle_node_has_its_known_least_speed():
    points = find_slow_points(ghost, start(6, 3), tolerance=1e-10)
    torch.testing.assert_close(points.state, torch.zeros(6, 3, dtype=torch.float64), atol=1e-6, rtol=0)
    torch.testing.assert_close(points.speed, torch.full((6,), SADDLE_GAP * 3**0.5, dtype=torch.float64))
    assert points.converged.all()
    assert (points.kind == "minimum").all()


def test_a_minimum_on_the_bound_is_found_there():
    """z' = z + (z - 2): the zero of the residual lies at 2, so within [-1, 1] the slowest state is 1."""
    points = find_slow_points(lambda z: z + (z - 2), start(4, 2))
    assert (points.state == 1).all()
    torch.testing.assert_close(points.speed, torch.full((4,), 2**0.5, dtype=torch.float64))
    assert points.converged.all()  # though the gradient itself is not zero


def test_bounds_may_be_tensors_and_infinite():
    lower = torch.tensor([-torch.inf, -1.0])
    upper = torch.tensor([torch.inf, 0.5])
    points = find_slow_points(lambda z: z + (z - 2), start(4, 2).clamp(max=0.5), lower, upper)
    torch.testing.assert_close(points.state, torch.tensor([[2.0, 0.5]] * 4, dtype=torch.float64))


def test_another_residual_may_be_minimised():
    points = find_slow_points(None, start(4, 2), residual=lambda z: z.tanh() - 0.3)
    torch.testing.assert_close(points.state, torch.full((4, 2), np.arctanh(0.3), dtype=torch.float64))


def test_points_do_not_depend_on_their_neighbours_and_keep_their_order():
    begin = start(7, 3)
    together = find_slow_points(ghost, begin)
    for row in range(7):
        alone = find_slow_points(ghost, begin[row : row + 1])
        torch.testing.assert_close(together.state[row], alone.state[0], atol=1e-12, rtol=0)
        assert together.iterations[row] == alone.iterations[0]


def test_everything_returned_belongs_to_one_iterate():
    """Also where the search is stopped half-way."""
    for iterations in (0, 1, 3):
        points = find_slow_points(ghost, start(5, 4), max_iterations=iterations)
        residual = ghost(points.state) - points.state
        torch.testing.assert_close(points.speed, residual.norm(dim=1))
        gradient = 2 * points.state * residual
        projected = (points.state - gradient).clamp(-1, 1) - points.state
        torch.testing.assert_close(points.projected_gradient, projected.norm(dim=1))
        assert (points.iterations <= iterations).all()


def rosenbrock(z):
    """A residual with a curved valley along b = a^2 and its zero at (1, 1)."""
    a, b = z.unbind(1)
    return torch.stack([0.05 * (1 - a), 10 * (b - a**2)], dim=1)


def test_a_curved_valley_is_followed_to_its_end_in_few_steps():
    begin = torch.tensor([[-1.2, 1.0], [0.0, 1.9], [1.9, -1.9]], dtype=torch.float64)
    points = find_slow_points(None, begin, -2, 2, residual=rosenbrock)
    torch.testing.assert_close(points.state, torch.ones(3, 2, dtype=torch.float64), atol=1e-9, rtol=0)
    assert (points.kind == "fixed point").all()
    assert (points.iterations <= 30).all()  # 131 where every step must lower the speed


def test_a_search_without_watchdog_steps_takes_longer_to_the_same_minimum():
    begin = torch.tensor([[-1.2, 1.0]], dtype=torch.float64)
    free, monotone = (
        find_slow_points(None, begin, -2, 2, residual=rosenbrock, max_iterations=400, excursion=steps)
        for steps in (5, 0)
    )
    torch.testing.assert_close(monotone.state, free.state, atol=1e-8, rtol=0)
    assert monotone.iterations > 2 * free.iterations
    short = find_slow_points(None, begin, -2, 2, residual=rosenbrock, max_iterations=20, excursion=0)
    a, b = short.state[0]
    assert abs(b - a**2) < 0.05  # on the floor of the valley, not far along it
    assert a < 0


def test_a_search_that_is_cut_short_says_so():
    begin = torch.tensor([[-1.2, 1.0], [1.0, 1.0]], dtype=torch.float64)
    points = find_slow_points(None, begin, -2, 2, residual=rosenbrock, max_iterations=3)
    assert points.kind.tolist() == ["sliding", "fixed point"]
    assert points.converged.tolist() == [False, True]
    assert points.projected_gradient[0] > 1e-8


def test_a_line_of_fixed_points_is_reached_where_it_is_near():
    """z' = (x, y + (x^2 - y) / 2): every state on the parabola is a fixed point."""
    begin = start(20, 2)
    points = find_slow_points(lambda z: torch.stack([z[:, 0], (z[:, 1] + z[:, 0] ** 2) / 2], dim=1), begin)
    assert (points.kind == "fixed point").all()
    torch.testing.assert_close(points.state[:, 1], points.state[:, 0] ** 2, atol=1e-11, rtol=0)
    assert ((points.state - begin).norm(dim=1) < 1.2).all()  # from (0, 0.8), the furthest, it is 0.72
    assert points.state[:, 0].unique().numel() == 20


def cycle(states, angle=0.3):
    """Rotates states by an angle and attracts them to the unit circle; the only fixed point is 0."""
    turn = torch.tensor([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]], dtype=torch.float64)
    return states @ turn * (1.1 - 0.1 * states.square().sum(1, keepdim=True))


def test_a_limit_cycle_is_no_fixed_point():
    begin = torch.stack([torch.linspace(0, 6, 12).cos(), torch.linspace(0, 6, 12).sin()], dim=1)
    points = find_slow_points(cycle, begin)
    at_rest = points.kind == "fixed point"
    assert (points.state[at_rest].norm(dim=1) < 1e-10).all()
    off_centre = find_slow_points(cycle, begin.abs().clamp(0.5, 1.0), 0.5, 1.0)
    assert (off_centre.kind == "minimum").all()
    assert (off_centre.speed > 0.1).all()


def approaching(states):
    """A fixed point at 100, ever slower on the way: from 0 a descent leads there."""
    return states + 1 - states / 100


@pytest.mark.parametrize("settings", [{"merge": 0.02}, {"newton": 40}, {"merge": 0.02, "newton": 40}, {"excursion": 0}])
def test_a_search_that_leaves_the_surroundings_of_its_start_slides(settings):
    """The distance counts from the original start, wherever a descent has taken the point before Newton's method."""
    begin = torch.tensor([[0.0, 0.0], [9.2, 9.2]], dtype=torch.float64)  # balls of radius 10 and 140
    points = find_slow_points(approaching, begin, -torch.inf, torch.inf, max_distance=10, **settings)
    assert points.kind.tolist() == ["sliding", "fixed point"]
    assert points.converged.tolist() == [False, True]
    assert points.state[0].norm() <= 10
    torch.testing.assert_close(points.speed[0], (approaching(points.state[0]) - points.state[0]).norm())
    assert points.speed[0] <= 2**0.5
    torch.testing.assert_close(points.state[1], torch.full((2,), 100.0, dtype=torch.float64))
    unbounded = find_slow_points(approaching, begin, -torch.inf, torch.inf, **settings)
    assert (unbounded.kind == "fixed point").all()  # by descent, if not by Newton's method
    with pytest.raises(ValueError, match="max_distance is -1"):
        find_slow_points(approaching, begin, max_distance=-1)


def test_newtons_speed_survives_the_bounds():
    """Linear residuals whose least squares lie on several bounds: as SciPy finds them, in a handful of Hessians."""
    rng = np.random.default_rng(3)
    matrix, target = rng.normal(size=(20, 20)), rng.normal(size=20)
    expected = lsq_linear(matrix, target, bounds=(-0.5, 0.5), tol=1e-14)
    on_bounds = np.abs(expected.x) > 0.5 - 1e-9
    assert 5 <= on_bounds.sum() <= 15
    weights = torch.as_tensor(matrix)
    begin = start(6, 20).clamp(-0.5, 0.5)
    points = find_slow_points(None, begin, -0.5, 0.5, residual=lambda z: z @ weights.T - torch.as_tensor(target))
    np.testing.assert_allclose(points.state, np.tile(expected.x, (6, 1)), atol=1e-6)
    assert (points.kind == "minimum").all()
    assert (points.state.abs() == 0.5)[:, on_bounds].all()
    assert (points.iterations <= 6).all()


def test_a_direction_without_curvature_is_left_alone():
    begin = start(5, 3)
    points = find_slow_points(None, begin, residual=lambda z: torch.stack([z[:, 0] - 0.5, 0 * z[:, 1] + 0.1], dim=1))
    assert (points.kind == "minimum").all()
    torch.testing.assert_close(points.speed, torch.full((5,), 0.1, dtype=torch.float64))
    torch.testing.assert_close(points.state[:, 1:], begin[:, 1:], atol=0, rtol=0)


def test_a_state_that_can_only_drift_is_a_minimum_of_the_speed():
    points = find_slow_points(lambda z: z + 0.1, start(3, 2))
    assert (points.kind == "minimum").all()
    assert (points.iterations == 0).all()


def test_the_tolerance_gives_way_to_rounding():
    """In units of a millionth the gradient of this residual cannot come down to 1e-8, nor its speed."""
    points = find_slow_points(None, start(5, 2), residual=lambda z: 1e6 * ((z - 0.3) ** 2 + SADDLE_GAP))
    assert (points.kind == "minimum").all()
    large = find_slow_points(lambda z: 1e6 + z.cos() * 1e6, 1e6 * start(5, 2), -2e6, 2e6)
    assert large.converged[large.kind == "fixed point"].all()


def test_converged_points_cost_no_further_work():
    """The map is evaluated on fewer and fewer rows; points that have not converged are searched as if alone."""
    asked = []

    def counted(z):
        asked.append(len(z))
        return rosenbrock(z)

    begin = torch.tensor([[1.0, 1.0]] * 8 + [[0.9, 0.8], [-1.2, 1.0]], dtype=torch.float64)
    points = find_slow_points(None, begin, -2, 2, residual=counted)
    checked, searched = asked[:8], asked[8:-2]
    assert sum(checked) == 132  # once, twice on copies, first and last alone, and the derivative at four of them
    assert searched[:2] == [10, 10]  # objective and gradient of all; the Hessian is checked and taken of two
    assert max(searched[2:]) <= 8
    assert max(searched[6:]) <= 2
    assert searched[-1] == 1
    assert asked[-2:] == [10, 10]  # the check at the end, of the final states and of the starts
    alone = find_slow_points(None, begin[-1:], -2, 2, residual=rosenbrock)
    torch.testing.assert_close(points.state[-1:], alone.state, atol=1e-12, rtol=0)
    assert points.iterations[-1] == alone.iterations[0]


def test_the_map_may_run_before_the_search():
    def halve(z):
        return z / 2

    points = find_slow_points(halve, start(4, 2), relax=200)
    assert (points.kind == "fixed point").all()
    assert (points.iterations == 0).all()
    with pytest.raises(ValueError, match="a map is needed to relax"):
        find_slow_points(None, start(4, 2), residual=halve, relax=5)


def test_a_saddle_of_the_speed_is_left():
    """Residual (x^2 - 1/4, y): x = 0 is a maximum of the speed along x, where a plain Newton search would stay."""
    begin = torch.tensor([[1e-3, 0.5], [-1e-3, -0.5], [0.0, 0.5]], dtype=torch.float64)
    points = find_slow_points(None, begin, residual=lambda z: torch.stack([z[:, 0] ** 2 - 0.25, z[:, 1]], dim=1))
    expected = torch.tensor([[0.5, 0.0], [-0.5, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(points.state[:2], expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(points.state[2].abs(), expected[0], atol=1e-6, rtol=0)  # from the saddle itself
    assert (points.kind == "fixed point").all()


def test_a_saddle_without_room_to_leave_is_a_minimum_within_its_bounds():
    lower, upper = torch.tensor([0.0, -1.0]), torch.tensor([0.0, 1.0])
    points = find_slow_points(None, start(3, 2) * upper, lower, upper, residual=lambda z: z**2 - 0.25)
    torch.testing.assert_close(points.speed, torch.full((3,), 0.25, dtype=torch.float64))
    assert (points.kind == "minimum").all()


def test_the_search_does_not_change_its_arguments():
    begin = start(3, 2)
    before = begin.clone()
    model = torch.nn.Linear(2, 2).double()
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    find_slow_points(model, begin, max_iterations=3)
    descend(lambda z: model(z) - z, begin, -1, 1, steps=3)
    assert torch.equal(begin, before)
    assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


def test_a_search_from_no_starts_returns_no_points():
    points = find_slow_points(ghost, start(0, 2))
    assert points.state.shape == (0, 2)
    assert len(points.kind) == len(points.converged) == 0


def test_invalid_bounds_and_values_are_refused():
    with pytest.raises(ValueError, match="lower bound must not exceed"):
        find_slow_points(ghost, start(2, 2), 1.0, -1.0)
    with pytest.raises(ValueError, match="not finite at the start"):
        find_slow_points(lambda z: z / 0, start(2, 2))


def test_a_map_whose_rows_depend_on_each_other_is_refused():
    """A search evaluates subsets of rows, which would have other values."""
    with pytest.raises(ValueError, match="any number of rows"):
        find_slow_points(lambda z: z / 2 + z.mean(0), start(4, 2))
    with pytest.raises(ValueError, match="any number of rows"):
        find_slow_points(lambda z: z.view(2, 2, 2).flip(1).view(4, 2), start(4, 2))


def test_the_map_of_an_ensemble_may_be_given(make_networks):
    dynamics = Dynamics.of(make_networks("gru", (0, 1, 2)))
    begin = start(9, dynamics.coordinates)
    points = find_slow_points(dynamics.step, begin)
    torch.testing.assert_close(dynamics.speed(points.state), points.speed)
    closed = find_slow_points(None, begin, residual=SpeedResidual(dynamics))
    torch.testing.assert_close(points.state, closed.state, atol=1e-8, rtol=0)
    with pytest.raises(ValueError, match="any number of rows"):
        find_slow_points(lambda z: dynamics.step(z), begin)


def test_descent_is_adam_on_the_squared_speed():
    """Against the update rule written out, clipping and drop of the rate included."""
    begin, steps, rate = start(2, 2), 50, 0.05
    state, noted = descend(lambda z: ghost(z) - z, begin, -0.5, 0.5, steps=steps, rate=rate, note_at=(10, 50))
    z, m, v = begin.numpy().copy(), np.zeros((2, 2)), np.zeros((2, 2))
    for step in range(1, steps + 1):
        if step == 11:
            early = np.linalg.norm(z**2 + SADDLE_GAP, axis=1)
        gradient = 4 * z * (z**2 + SADDLE_GAP)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        own = rate if step <= 0.4 * steps else rate / 10
        z -= own * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        z = z.clip(-0.5, 0.5)
    np.testing.assert_allclose(state, z, atol=1e-12)
    np.testing.assert_allclose(noted[10], early, atol=1e-12)
    np.testing.assert_allclose(noted[50], np.linalg.norm(z**2 + SADDLE_GAP, axis=1), atol=1e-12)
