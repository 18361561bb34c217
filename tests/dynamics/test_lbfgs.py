"""L-BFGS within bounds, against SciPy and known minima."""

import numpy as np
import torch
from scipy.optimize import lsq_linear

from slowpoints.dynamics.lbfgs import LBFGS
from slowpoints.dynamics.residual import Residual

DOUBLE = torch.float64


def rosenbrock(states):
    x, y = states.unbind(1)
    return torch.stack([10 * (y - x**2), 1 - x], dim=1)


def descent(function, state, low, high):
    bounds = (torch.full_like(state, bound) for bound in (low, high))
    return LBFGS(Residual(function), state, torch.arange(len(state)), *bounds)


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE) * 2 - 1


def test_the_minimum_of_a_bounded_linear_problem():
    matrix, target = random(8, 5, seed=1), 2 * random(8, seed=2)
    search = descent(lambda z: z @ matrix.T - target, 0.5 * random(6, 5), -0.5, 0.5)
    search.descend(200)
    expected = lsq_linear(matrix.numpy(), target.numpy(), (-0.5, 0.5), tol=1e-14).x
    assert (np.abs(expected) > 0.499).any()
    assert (np.abs(expected) < 0.49).any()
    torch.testing.assert_close(search.state, torch.tensor(expected).expand(6, 5), atol=1e-6, rtol=0)
    assert (search.projected_gradient < 1e-6).all()


def test_a_curved_valley_is_followed_to_its_end_and_never_up():
    search = descent(rosenbrock, 2 * random(10, 2), -2, 2)
    last = search.objective
    for _ in range(150):
        search.descend(1)
        assert (search.objective <= last).all()
        last = search.objective
    torch.testing.assert_close(search.state, torch.ones(10, 2, dtype=DOUBLE), atol=1e-5, rtol=0)
    torch.testing.assert_close(search.objective, search.residual.objective(search.state))


def test_points_are_independent_of_those_that_are_dropped():
    start = 2 * random(4, 2)
    search, alone = descent(rosenbrock, start, -2, 2), descent(rosenbrock, start[1:2], -2, 2)
    search.descend(7)
    search.keep(torch.tensor([False, True, False, True]))
    search.descend(8)
    alone.descend(15)
    assert search.rows.tolist() == [1, 3]
    torch.testing.assert_close(search.state[:1], alone.state, rtol=1e-9, atol=1e-9)


def test_points_stay_where_the_derivative_is_finite():
    """The derivative of sqrt is infinite at 0, to which the first step is clamped."""
    search = descent(lambda z: z.sqrt(), torch.full((1, 1), 0.1, dtype=DOUBLE), 0.0, 1.0)
    search.descend(30)
    assert search.state.isfinite().all()
    assert search.gradient.isfinite().all()
    assert 0 <= search.objective < 0.05
