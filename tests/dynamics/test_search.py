"""Slow-point search on maps whose answer is known."""

import numpy as np
import pytest
import torch

from slowpoints.dynamics.descent import descend
from slowpoints.dynamics.search import find_slow_points

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
    assert (points.speed < 1e-7).all()
    assert (points.iterations < 20).all()


def test_the_ghost_of_a_saddle_node_has_its_known_least_speed():
    points = find_slow_points(ghost, start(6, 3), tolerance=1e-10)
    torch.testing.assert_close(points.state, torch.zeros(6, 3, dtype=torch.float64), atol=1e-6, rtol=0)
    torch.testing.assert_close(points.speed, torch.full((6,), SADDLE_GAP * 3**0.5, dtype=torch.float64))
    assert points.converged.all()


def test_a_minimum_on_the_bound_is_found_there():
    """z' = z + (z - 2): the zero of the residual lies at 2, so within [-1, 1] the slowest state is 1."""
    points = find_slow_points(lambda z: z + (z - 2), start(4, 2))
    assert (points.state == 1).all()
    torch.testing.assert_close(points.speed, torch.full((4,), 2**0.5, dtype=torch.float64))
    assert points.converged.all()  # though the gradient itself is not zero


def test_bounds_may_be_tensors_and_infinite():
    lower = torch.tensor([-torch.inf, -1.0])
    upper = torch.tensor([torch.inf, 0.5])
    points = find_slow_points(lambda z: z + (z - 2), start(4, 2), lower, upper)
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


def test_a_saddle_of_the_speed_is_left():
    """Residual (x^2 - 1/4, y): x = 0 is a maximum of the speed along x, where a plain Newton search would stay."""
    begin = torch.tensor([[1e-3, 0.5], [-1e-3, -0.5]], dtype=torch.float64)
    points = find_slow_points(None, begin, residual=lambda z: torch.stack([z[:, 0] ** 2 - 0.25, z[:, 1]], dim=1))
    expected = torch.tensor([[0.5, 0.0], [-0.5, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(points.state, expected, atol=1e-6, rtol=0)


def test_the_search_changes_nothing_it_was_given():
    begin = start(3, 2)
    before = begin.clone()
    model = torch.nn.Linear(2, 2).double()
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    find_slow_points(model, begin, max_iterations=3)
    descend(lambda z: model(z) - z, begin, -1, 1, steps=3)
    assert torch.equal(begin, before)
    assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="lower bound lies above"):
        find_slow_points(ghost, start(2, 2), 1.0, -1.0)
    with pytest.raises(ValueError, match="not finite at the start"):
        find_slow_points(lambda z: z / 0, start(2, 2))


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
