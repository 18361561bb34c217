"""The hand-written backward pass, against finite differences and automatic differentiation."""

import pytest
import torch

from slowpoints.networks.recurrence.unroll import unroll
from slowpoints.networks.units import unit_named, units
from slowpoints.networks.units.gru import GRU
from slowpoints.networks.units.unit import Unit


class Plain(GRU):
    """A GRU without an adjoint of its own, so that `unroll` differentiates it automatically."""

    adjoint = Unit.adjoint


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(0)

    def make(unit, networks=2, rows=7, hidden=3, trials=4, frames=5):
        def draw(*shape):
            return torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)

        tables = [draw(networks, rows, gates * hidden) for gates in unit.gate_groups]
        index = torch.randint(rows, (frames, networks, trials), generator=generator)
        return tables, index, draw(networks, hidden, sum(unit.recurrent_gates) * hidden)

    return make


@pytest.mark.parametrize("architecture", units())
def test_gradients_equal_finite_differences(inputs, architecture):
    unit = unit_named(architecture)
    tables, index, recurrent = inputs(unit)

    def run(recurrent, *tables):
        return unroll(unit, list(tables), index, recurrent)

    assert torch.autograd.gradcheck(run, (recurrent, *tables))


def test_a_unit_without_adjoint_gives_the_same(inputs):
    tables, index, recurrent = inputs(unit_named("gru"))
    results = []
    for unit in (unit_named("gru"), Plain()):
        hidden = unroll(unit, tables, index, recurrent)
        results.append((hidden, *torch.autograd.grad(hidden.square().sum(), [recurrent, *tables])))
    for ours, automatic in zip(*results, strict=True):
        torch.testing.assert_close(ours, automatic)


def test_each_frame_meets_the_row_of_its_index(inputs):
    """A single frame of a GRU from the zero state is z * tanh(n), z = sigmoid of its own row."""
    unit = unit_named("gru")
    tables, index, recurrent = inputs(unit, frames=1)
    hidden = unroll(unit, tables, index, recurrent)
    for network in range(2):
        rows = index[0, network]
        z = tables[0][network, rows, :3].sigmoid()
        torch.testing.assert_close(hidden[0, network], z * tables[1][network, rows].tanh())
