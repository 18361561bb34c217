"""Settings and states of penalties, and the points that follow their network."""

import json

import pytest
import torch

from slowpoints.core.presets.network import Layers
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.descent import descend
from slowpoints.dynamics.speed import SpeedResidual, reachable
from slowpoints.training.modes.tracking import TrackedPenalty
from slowpoints.training.penalties import DriftPenalty, Penalty, SpeedPenalty


@pytest.fixture
def points():
    return torch.rand(2, 3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5


EXIST = torch.tensor([[True, True, True], [True, True, False]])


def test_a_resume_file_is_told_from_that_of_any_other_penalty(make_networks, points):
    networks = make_networks()
    settings = [
        penalty.settings()
        for exist in (EXIST, ~EXIST)
        for where in (points, points + 0.01)
        for lambda_ in (0.1, 0.2)
        for penalty in (
            *(SpeedPenalty(networks, where, exist, lambda_, frames) for frames in (10, 11)),
            *(TrackedPenalty(networks, where, exist, lambda_, 10, every) for every in (3, 4)),
            *(DriftPenalty(networks, where, exist, lambda_, every) for every in (3, 4)),
        )
    ]
    assert len({json.dumps(each) for each in settings}) == len(settings) == 48
    assert {each[0] for each in settings} == {"SpeedPenalty", "TrackedPenalty", "DriftPenalty"}
    assert SpeedPenalty(networks, points, EXIST, 0.1, 10).settings() == settings[0]


def test_a_plain_penalty_keeps_nothing_and_may_be_captured(make_networks, points):
    penalty = SpeedPenalty(make_networks(), points, EXIST, 0.1, 10)
    assert (penalty.capturable, penalty.state()) == (True, {})
    penalty.restore({})
    assert DriftPenalty(make_networks(), points, EXIST, 0.1, 3).capturable
    for call in (lambda: Penalty()(make_networks()), Penalty().settings):
        with pytest.raises(NotImplementedError):
            call()


def test_tracked_points_are_sought_anew_every_so_many_calls_from_where_they_were(make_networks, points):
    """By 100 steps of the authors' descent; before that call, the penalty is the plain one."""
    networks = make_networks()
    plain = SpeedPenalty(networks, points, EXIST, 0.3, 10)
    penalty = TrackedPenalty(networks, points, EXIST, 0.3, 10, 2)
    for _ in range(2):
        penalty.refresh(networks)
        assert torch.equal(penalty(networks), plain(networks))
    assert torch.equal(penalty.points, points)
    dynamics = Dynamics.of(networks)
    sought, _ = descend(SpeedResidual(dynamics), points.flatten(0, 1), *reachable(dynamics), steps=100)
    moved = SpeedPenalty(networks, sought.view(2, 3, 6), EXIST, 0.3, 10)
    moved.streams = plain.streams
    for _ in range(2):
        penalty.refresh(networks)
        torch.testing.assert_close(penalty(networks), moved(networks))
    assert (dynamics.speed(sought) < dynamics.speed(points.flatten(0, 1))).all()
    assert penalty.state()["calls"] == 4
    resumed = TrackedPenalty(networks, points, EXIST, 0.3, 10, 2)
    resumed.restore(penalty.state())
    resumed.streams = networks.streams("some")
    penalty.streams = networks.streams("some")
    for each in (resumed, penalty):
        each.refresh(networks)  # the fifth call, at which both seek again
    assert torch.equal(resumed(networks), penalty(networks))
    assert torch.equal(resumed.points, penalty.points)
    assert not torch.equal(resumed.points, sought.view(2, 3, 6))
    single = make_networks(double=False)
    narrow = TrackedPenalty(single, points.float(), EXIST, 0.3, 10, 1)
    for _ in range(2):
        narrow.refresh(single)
    assert narrow(single).dtype == torch.float32


def test_the_settled_penalty_draws_nothing_and_takes_no_gradient_of_the_mean_input(make_networks, points):
    networks = make_networks(front_end=Layers((2,), (5,)))
    for weight in networks.weights.values():
        weight.requires_grad_()
    penalty = DriftPenalty(networks, points, EXIST, 1.0, 2)
    assert penalty.streams == []
    assert penalty.state()["calls"] == 0
    penalty.refresh(networks)
    penalty(networks).sum().backward()
    assert penalty.state()["calls"] == 1
    assert networks.weights["front_end.dense0.weight"].grad is None
    assert networks.weights["input"].grad is not None
