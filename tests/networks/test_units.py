"""Equations of the recurrent units, against NumPy and the paper's parameter counts."""

from dataclasses import replace

import numpy as np
import pytest
import reference
import torch

from slowpoints.networks.ensemble import initialise
from slowpoints.networks.units import unit_file, unit_named, units


@pytest.mark.parametrize(("architecture", "parameters"), [("gru", 593_811), ("lstm", 791_011)])
def test_parameters_at_the_paper_size(spec, architecture, parameters):
    mnist = replace(spec, architecture=architecture, hidden=200, classes=10, image_shape=(28, 28, 1))
    assert initialise(mnist, [0]).n_parameters == parameters


@pytest.mark.parametrize("architecture", units())
def test_step_equals_the_equations(make_networks, architecture):
    networks = make_networks(architecture)
    unit, hidden = unit_named(architecture), networks.spec.hidden
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 4, 16, generator=generator, dtype=torch.float64)
    state = tuple(torch.randn(2, 4, hidden, generator=generator, dtype=torch.float64) for _ in range(unit.parts))
    after, _ = unit.step(networks.drive(x), state, unit.split_recurrent(networks.weights["recurrent"]))
    for row in range(2):
        weights = reference.network(networks, row)
        for trial in range(4):
            pixels = np.append(x[row, trial], 0.0)
            before = [part[row, trial].numpy() for part in state]
            expected = reference.STEPS[architecture](pixels, *before, weights)
            actual = [part[row, trial].numpy() for part in after]
            np.testing.assert_allclose(actual, np.atleast_2d(expected), atol=1e-13)


def test_gru_resets_before_the_product(make_networks):
    """torch.nn.GRU resets after it, so with the same weights the two must differ."""
    networks = make_networks("gru", seeds=[0])
    hidden = networks.spec.hidden
    theirs = torch.nn.GRUCell(16, hidden, bias=False).double()
    z, r, n = networks.weights["input"][0, :-1].chunk(3, dim=1)
    theirs.weight_ih.data = torch.cat([r, 1 - z - 1, n], dim=1).T  # theirs is r, z, n, and keeps the share z
    z, r, n = networks.weights["recurrent"][0].chunk(3, dim=1)
    theirs.weight_hh.data = torch.cat([r, -z, n], dim=1).T
    networks.weights["bias"].zero_()
    x, h = torch.ones(1, 16, dtype=torch.float64), torch.full((1, hidden), 0.7, dtype=torch.float64)
    unit = unit_named("gru")
    ((ours,), _) = unit.step(networks.drive(x[None]), (h[None],), unit.split_recurrent(networks.weights["recurrent"]))
    difference = (ours[0] - theirs(x, h)).abs().max()
    assert difference > 1e-3
    # Where the reset gate is open the order does not matter, and everything else is the same.
    for weights in (networks.weights["recurrent"], networks.weights["input"]):
        weights[..., hidden : 2 * hidden] = 0
    networks.weights["bias"][:, hidden : 2 * hidden] = 50
    theirs.weight_ih.data[:hidden] = 50
    theirs.weight_hh.data[:hidden] = 0
    ((ours,), _) = unit.step(networks.drive(x[None]), (h[None],), unit.split_recurrent(networks.weights["recurrent"]))
    torch.testing.assert_close(ours[0], theirs(x, h))


@pytest.mark.parametrize("architecture", units())
def test_the_file_of_a_unit_holds_its_class(architecture):
    file = unit_file(architecture)
    assert f"class {type(unit_named(architecture)).__name__}(Unit)" in file.read_text()


def test_a_unit_that_is_not_there_is_refused_by_name():
    with pytest.raises(KeyError, match="no recurrent unit 'elman'; there are gru, gru-after, lstm,"):
        unit_named("elman")


def test_figures_tell_units_apart():
    looks = [unit.look for unit in units().values()]
    assert len({look.label for look in looks}) == len({look.marker for look in looks}) == len(looks)


@pytest.mark.parametrize("architecture", [name for name, unit in units().items() if unit.bound == 1])
def test_no_state_leaves_the_bound_of_its_unit(make_networks, architecture):
    networks = make_networks(architecture)
    for weight in networks.weights.values():
        weight.mul_(30)  # gates and new states saturate
    unit, hidden = unit_named(architecture), networks.spec.hidden
    recurrent = unit.split_recurrent(networks.weights["recurrent"])
    generator = torch.Generator().manual_seed(1)
    state = unit.initial_state(2, 4, hidden, like=networks.weights["bias"])
    largest = torch.zeros(())
    for _ in range(50):
        x = torch.randn(2, 4, 16, generator=generator, dtype=torch.float64)
        state, _ = unit.step(networks.drive(x), state, recurrent)
        largest = torch.maximum(largest, state[0].abs().max())
    assert 0.9 < largest <= unit.bound


def test_weights_have_no_columns_that_nothing_uses(make_networks):
    """A minGRU has no recurrent product; the reset gate of `gru-after` multiplies a product and a bias, no input."""
    shapes = {name: weight.shape[1:] for name, weight in make_networks("mingru").weights.items()}
    assert (shapes["input"], shapes["recurrent"], shapes["bias"]) == ((17, 12), (6, 0), (12,))
    shapes = {name: weight.shape[1:] for name, weight in make_networks("gru-after").weights.items()}
    assert (shapes["input"], shapes["recurrent"], shapes["bias"]) == ((17, 18), (6, 18), (24,))


def test_lstm_measures_speed_with_squashed_cell_state():
    state = torch.tensor([[0.3, -0.2, 5.0, -7.0]])
    torch.testing.assert_close(unit_named("lstm").speed_coordinates(state)[0, 2:], torch.tanh(state[0, 2:]))
    assert unit_named("gru").speed_coordinates(state) is state
