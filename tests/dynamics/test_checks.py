"""Checks of a user's function: deterministic, row by row, in float64, with the right derivatives."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from slowpoints import find_slow_points, slow_points_of, spectra

WEIGHTS = torch.randn(5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
STARTS = 0.3 * torch.rand(20, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, states):
        return torch.tanh(states)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class OnceDifferentiable(torch.autograd.Function):
    @staticmethod
    def forward(ctx, states):
        after = torch.tanh(states)
        ctx.save_for_backward(after)
        return after

    @staticmethod
    def backward(ctx, gradient):
        (after,) = ctx.saved_tensors
        return gradient * torch.from_numpy(1 - after.detach().numpy() ** 2)


class Adapting:
    """A map that changes from call to call."""

    calls = 0

    def __call__(self, states):
        self.calls += 1
        return torch.tanh(states @ WEIGHTS) + 1e-3 * self.calls


def autocast(states):
    with torch.autocast("cpu", torch.bfloat16):
        return torch.tanh(states.float() @ WEIGHTS.float()).double()


REFUSED = {
    "gives different values": [
        lambda z: torch.tanh(z @ WEIGHTS) + 1e-5 * torch.randn_like(z),
        lambda z: torch.tanh(nn.functional.dropout(z @ WEIGHTS, 0.1)),
        lambda z: torch.tanh((z - STARTS[0]) * (1 + 0.1 * torch.randn_like(z))),  # not random at a start
        Adapting(),
    ],
    "returned float32": [lambda z: torch.tanh(z.float() @ WEIGHTS.float())],
    "less than the digits of float64": [
        lambda z: torch.tanh(z.float() @ WEIGHTS.float()).double(),
        lambda z: 0.9 * z + 0.1 * torch.tanh(z.float()).double(),
        lambda z: 0.5 * z + 1e-3 * torch.tanh(z.float() @ WEIGHTS.float()).double(),
        lambda z: torch.tanh(z.half() @ WEIGHTS.half()).double(),
        autocast,
    ],
    "lets no gradient through": [
        lambda z: torch.tanh(z @ WEIGHTS + 0.5 * z.detach()),
        lambda z: torch.tanh(z @ WEIGHTS + 0.01 * z.detach()),  # a hundredth of it
        lambda z: 0.5 * z + torch.from_numpy(np.tanh(z.detach().numpy())),
        lambda z: torch.tanh(z + (z.round() - z).detach()),
        lambda z: WrongBackward.apply(2 * z @ WEIGHTS),
        torch.no_grad()(torch.tanh),
    ],
    "any number of rows": [lambda z: z - z.mean(0), nn.BatchNorm1d(5).double()],
}


@pytest.mark.parametrize(("message", "step"), [(message, step) for message in REFUSED for step in REFUSED[message]])
@pytest.mark.parametrize("points", [2, 20])
def test_what_is_no_map_that_can_be_searched_is_refused(message, step, points):
    starts = STARTS[:points]
    with pytest.raises((TypeError, ValueError), match=message):
        find_slow_points(step, starts)
    with pytest.raises((TypeError, ValueError), match=message):
        find_slow_points(None, starts, residual=step)
    if not isinstance(step, nn.Module):  # of which a copy in evaluation mode is used
        with pytest.raises((TypeError, ValueError), match=message):
            slow_points_of(step, starts, starts=None)


def test_a_map_that_becomes_another_during_the_search_is_refused():
    calls = []

    def step(states):
        calls.append(1)
        return torch.tanh(states @ WEIGHTS) + 0.1 * (len(calls) > 8)

    with pytest.raises(TypeError, match="different values at the end of the search"):
        find_slow_points(step, STARTS)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda z: torch.tanh(z + 0.1 * torch.randn_like(z)), "gives different values"),
        (torch.no_grad()(torch.tanh), "lets no gradient through"),
        (lambda z: z - z.mean(0), "any number of rows"),
    ],
)
def test_maps_in_float32_are_checked_before_their_spectra(step, message):
    with pytest.raises((TypeError, ValueError), match=message):
        spectra(step, STARTS.float())


@pytest.mark.parametrize("step", [lambda z: torch.relu(0.5 * z), lambda z: z.abs().sqrt(), torch.tanh])
def test_kinks_are_not_taken_for_rounding_in_float32(step):
    values = spectra(step, torch.tensor([[0.5, 0.3], [0.0, 1e-4]]))
    assert values.dtype == torch.complex64


def test_a_second_derivative_is_looked_at_where_it_is_needed():
    def step(states):
        return OnceDifferentiable.apply(0.5 * states @ WEIGHTS)

    assert (slow_points_of(step, STARTS).kind == "fixed point").all()  # by Newton's method, without second ones
    with pytest.raises(TypeError, match="twice differentiable"):
        slow_points_of(lambda z: z + 0.3 + 0.1 * step(z) ** 2, STARTS)


@pytest.mark.parametrize(
    "step",
    [
        lambda z: torch.relu(z @ WEIGHTS * 0.3 + 0.1),
        lambda z: torch.tanh(torch.round(z) @ WEIGHTS),
        lambda z: 0.5 * z + nn.functional.one_hot(z.argmax(1), 5).double() / 4,
        lambda z: torch.zeros_like(z),
        lambda z: z.mul_(0.5).add_(0.1),  # in place
    ],
)
def test_kinks_steps_and_constants_are_searched_as_they_are(step):
    points = find_slow_points(step, STARTS, newton=20)
    assert (points.kind != "sliding").all()
    torch.testing.assert_close((step(points.state.clone()) - points.state).norm(dim=1), points.speed)


def root(states):
    """Not differentiable at 0: the branch that `where` does not select has an infinite slope."""
    return torch.where(states > 0, states.sqrt(), torch.zeros_like(states))


def test_fixed_points_without_a_derivative_have_no_stability():
    with pytest.warns(UserWarning, match="2 of 3 points met a derivative that is not finite"):
        points = slow_points_of(root, torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), starts=None)
    assert (points.kind == "fixed point").all()
    assert points.stability.tolist() == ["unknown", "attracting", "unknown"]
    assert np.isnan(points.n_unstable).tolist() == [True, False, True]
    assert points.projected_gradient.isnan().tolist() == [True, False, True]
    assert points.to_frame()["leading"].isna().tolist() == [True, False, True]
    points.plot()


def test_no_derivative_at_any_start_is_an_error():
    with pytest.raises(ValueError, match="derivative of the residual is not finite at any of 20 starts"):
        find_slow_points(lambda z: 0.5 * z + torch.sqrt(0 * z), STARTS)


def test_points_stop_where_derivatives_end_with_a_warning():
    """At 0.1, below which there is no derivative; the speed is least at 0."""

    def step(states):
        return states + 0.1 + states**2 + 0 * torch.sqrt((states - 0.1).abs() + states - 0.1)

    with pytest.warns(UserWarning, match="met a derivative that is not finite"):
        points = find_slow_points(step, STARTS + 0.2)
    assert (points.kind == "sliding").all()
    assert (points.state > 0.1).any(1).all()
    assert points.projected_gradient.isfinite().all()


def test_eigenvalues_of_derivatives_that_are_not_finite_are_nan():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = spectra(root, torch.tensor([[0.0, 1.0], [1.0, 1.0]], dtype=torch.float64))
    assert values[0].isnan().all()
    torch.testing.assert_close(values[1].real, torch.full((2,), 0.5, dtype=torch.float64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": torch.zeros(3)}, r"start has the shape \(3,\)"),
        ({"start": torch.full((2, 3), torch.nan)}, "start must be finite"),
        ({"tolerance": "small"}, "tolerance is 'small'"),
        ({"max_iterations": 1.5}, "max_iterations is 1.5"),
        ({"relax": -1}, "relax is -1"),
        ({"newton": None}, "newton is None"),
        ({"lower": "low"}, "lower must be an array of numbers"),
        ({"lower": torch.nan}, "lower is NaN"),
        ({"upper": [1, 2]}, r"upper has the shape \(2,\)"),
        ({"residual": 3}, "the residual must take states"),
        ({"residual": lambda z: z[:, :2], "newton": 3}, "residual of 3 values"),
    ],
)
def test_impossible_settings_are_named(settings, message):
    arguments = {"step": lambda z: z / 2, "start": torch.zeros(2, 3), **settings}
    with pytest.raises((ValueError, TypeError), match=message):
        find_slow_points(**arguments)


def test_starts_beyond_the_default_bounds_are_clamped_with_a_warning():
    with pytest.warns(UserWarning, match="2 of 3 starts lie beyond the bounds"):
        find_slow_points(lambda z: 3 + 0.5 * (z - 3), torch.tensor([[2.9], [0.5], [-4.0]]))
