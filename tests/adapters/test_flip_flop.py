"""Slow points of networks trained on the flip-flop, whose fixed points are known from theory."""

import itertools

import pytest
import torch
from _flip_flop import trained

from slowpoints import find_slow_points, flip_flop_trials, slow_points_of, states_of

STEPS = {"RNN": 2500, "GRU": 1500, "LSTM": 1500}
LOW_ERROR = 0.01  # squared error of a network that has learned the task; that of a guess is 1
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("flip-flop")]  # trained once


@pytest.fixture(scope="module")
def networks():
    return {kind: trained(kind, 64, steps) for kind, steps in STEPS.items()}


@pytest.fixture(scope="module", params=STEPS)
def network(request, networks):
    module, error = networks[request.param]
    assert error < LOW_ERROR
    return module


def visited(module, seed=5):
    return states_of(module, flip_flop_trials(32, 60, seed=seed)[0])


def test_every_start_leads_to_a_point_with_a_name(network):
    """Nearly all lead to fixed points, the others to minima of non-zero speed."""
    points = slow_points_of(network, visited(network), noise=0.2)
    assert len(points) == 300
    assert points.converged.all()
    fixed = points.kind == "fixed point"
    assert fixed.mean() > 0.97
    assert (points.speed[fixed] < 1e-11).all()
    assert (points.speed[~fixed] > 1e-9).all()


def test_the_memories_are_eight_attracting_points(network):
    """One for each combination of three signs, reached by trials that hold it."""
    states = visited(network)
    different = slow_points_of(network, states, noise=0.2).unique(1e-3)
    memories = different[different.stability == "attracting"]
    assert len(memories) == 8
    inputs, targets = flip_flop_trials(64, 60, seed=6)
    inputs[-20:] = 0  # the last 20 frames are quiet, and the memory is that of frame 40
    settled = states_of(network, inputs)[-1]
    row, distance = memories.nearest(settled)
    assert (distance < 0.05).all()
    memory = [tuple(signs.tolist()) for signs in targets[39]]
    assert len(dict.fromkeys(zip(memory, row.tolist(), strict=True))) == 8  # one point for each


def test_between_memories_that_differ_in_one_bit_lies_a_saddle(network):
    """From the middle of most edges of the cube the search leads to a saddle of order 1, a different one for each.

    This does not hold for all edges, since the course of the valleys depends on the network.
    """
    states = visited(network)
    different = slow_points_of(network, states, noise=0.2).unique(1e-3)
    memories = different[different.stability == "attracting"]
    distances = sorted(
        (float((a - b).norm()), i, j) for (i, a), (j, b) in itertools.combinations(enumerate(memories.state), 2)
    )
    middles = torch.stack([(memories.state[i] + memories.state[j]) / 2 for _, i, j in distances[:12]])
    between = slow_points_of(network, middles, starts=None).unique(1e-3)
    saddles = between[between.stability == "saddle of order 1"]
    assert len(saddles) >= 9
    leave = saddles.state + 1e-3 * torch.randn(saddles.state.shape, generator=torch.Generator().manual_seed(0))
    ends = find_slow_points(saddles.network.step, leave, saddles.network.lower, saddles.network.upper, relax=300)
    _, distance = memories.nearest(ends.state)
    assert (distance < 1e-3).all()  # states near a saddle end in a memory


def test_the_search_without_newtons_method_finds_the_same_kinds(networks):
    module, _ = networks["GRU"]
    points = slow_points_of(module, visited(module), starts=20)
    slower = find_slow_points(None, points.start, -1, 1, residual=points.network.residual)
    assert (slower.kind == "fixed point").all()
    assert points.nearest(slower.state)[1].median() < 1e-6
