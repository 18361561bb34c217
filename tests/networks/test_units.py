"""Equations of the recurrent units, against NumPy and the paper's parameter counts."""

from dataclasses import replace

import numpy as np
import pytest
import reference
import torch

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import spectra
from slowpoints.explorer.page import SYMBOLS
from slowpoints.networks.ensemble import initialise
from slowpoints.networks.recurrence.unroll import unroll
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
    with pytest.raises(KeyError, match=f"no recurrent unit 'elman'; there are {', '.join(units())}"):
        unit_named("elman")


def test_figures_tell_units_apart():
    looks = [unit.look for unit in units().values()]
    assert len({look.label for look in looks}) == len({look.marker for look in looks}) == len(looks)
    assert {look.marker for look in looks} <= set(SYMBOLS)  # the explorer draws a circle for any other


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
    shapes = {name: weight.shape[1:] for name, weight in make_networks("lru").weights.items()}
    assert (shapes["input"], shapes["recurrent"], shapes["bias"]) == ((17, 6), (6, 0), (12,))
    shapes = {name: weight.shape[1:] for name, weight in make_networks("rg-lru").weights.items()}
    assert (shapes["input"], shapes["recurrent"], shapes["bias"]) == ((17, 18), (6, 0), (24,))


def test_lstm_measures_speed_with_squashed_cell_state():
    state = torch.tensor([[0.3, -0.2, 5.0, -7.0]])
    torch.testing.assert_close(unit_named("lstm").speed_coordinates(state)[0, 2:], torch.tanh(state[0, 2:]))
    assert unit_named("gru").speed_coordinates(state) is state


@pytest.mark.parametrize("architecture", units())
def test_a_unit_says_whether_a_frame_is_affine_in_its_state(make_networks, architecture):
    """Then a frame from the mean of two states ends at the mean of where it ends from each."""
    networks = make_networks(architecture)
    dynamics = Dynamics.of(networks)
    first, second = torch.randn(2, 6, dynamics.coordinates, generator=torch.Generator().manual_seed(0)).double()
    midway = dynamics.step((first + second) / 2) - (dynamics.step(first) + dynamics.step(second)) / 2
    assert (midway.abs().max() < 1e-12) == unit_named(architecture).affine


def test_an_lru_is_a_complex_state_between_complex_matrices(make_networks):
    """Its outputs are Re(C q), q the sum of lambda^k gamma (B x + b) over the frames k ago."""
    networks = make_networks("lru", (0,))
    weights, modes, frames = reference.network(networks, 0), 3, 9
    nu, theta = np.split(weights["bias"][6:], 2)
    place = np.arange(modes) + 1
    radius = (((place - 0.5) / modes) ** 0.5) ** np.exp(nu)  # from evenly over the disc
    eigenvalue = radius * np.exp(1j * np.exp(theta) * (place * np.pi * (3 - 5**0.5) % (2 * np.pi)))
    x = np.random.default_rng(0).normal(size=(frames, 16))
    added = x @ weights["input"][:-1] + weights["bias"][:6]
    powers = eigenvalue ** np.arange(frames)[::-1, None]
    q = (powers * (1 - radius**2) ** 0.5 * (added[:, :modes] + 1j * added[:, modes:])).sum(0)
    expected = (q @ (weights["readout"][:modes] - 1j * weights["readout"][modes:])).real
    index = torch.arange(frames)[:, None, None]
    h = unroll(networks.spec.unit, networks.drive(torch.tensor(x)[None]), index, networks.weights["recurrent"])[
        -1, 0, 0
    ]
    np.testing.assert_allclose(h.numpy() @ weights["readout"], expected, atol=1e-13)
    spectrum = spectra(Dynamics.of(networks).step, torch.zeros(1, 6).double())[0].numpy()
    both = np.concatenate([eigenvalue, eigenvalue.conj()])
    np.testing.assert_allclose(np.sort_complex(spectrum), np.sort_complex(both), atol=1e-12)


def rg_lru_frame(r, logit=0.0, i=0.0, n=1.0, h=1.0, dtype=torch.float32):
    """h' of one RG-LRU for each input of its gate r, and the gradients of h' by r and Lambda; i = 1/2 and n = 1."""
    unit, r = unit_named("rg-lru"), torch.tensor(r, dtype=dtype)
    parts = [torch.full_like(r, value).view(1, -1, 1) for value in (i, n, logit, h)]
    drive, state = [torch.cat([r.view(1, -1, 1), *parts[:2]], dim=-1), parts[2]], (parts[3],)
    recurrent = [r.new_zeros(1, 1, 0), r.new_zeros(1, 1, 0)]
    after, saved = unit.step(drive, state, recurrent)
    _, ((_, grad_gates), (_, grad_logit)) = unit.adjoint((torch.ones_like(after[0]),), state, saved, recurrent)
    return after[0].flatten(), grad_gates[..., 0].flatten(), grad_logit.flatten()


def test_an_rg_lru_starts_with_time_constants_of_ten_to_a_thousand_frames():
    """a^c, its decay with an open gate r, is uniform between 0.9 and 0.999 (De et al. 2024)."""
    hidden = 2000
    drive = [torch.zeros(1, 1, 3 * hidden), torch.zeros(1, 1, hidden)]
    drive[0][..., :hidden] = 100.0  # r = 1; n = 0
    (decay,), _ = unit_named("rg-lru").step(drive, (torch.ones(1, 1, hidden),), [])
    assert decay.min() > 0.9
    assert decay.max() < 0.999
    quantiles = torch.quantile(decay.flatten(), torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))
    torch.testing.assert_close(quantiles, torch.tensor([0.9, 0.92475, 0.9495, 0.97425, 0.999]), atol=1e-4, rtol=0)


def test_an_rg_lru_with_a_closed_gate_keeps_its_state_exactly():
    """Also where 1 - a^2 would round to 0 or its square root has no derivative: r = exp(-30), exp(-200)."""
    r = [-10.0, -30.0, -200.0]
    after, of_r, of_logit = rg_lru_frame(r)
    exact = rg_lru_frame(r, dtype=torch.float64)
    for ours, expected in zip((after, of_r, of_logit), exact, strict=True):
        torch.testing.assert_close(ours.double(), expected, rtol=1e-5, atol=1e-30)
    assert after[2] == 1
    assert 0 < of_r[1] < 1e-6


def test_an_rg_lru_forgets_in_one_frame_where_lambda_allows():
    """Lambda = -100: a = exp(-8 * 100), h' = n / 2; and all gradients are finite, as for Lambda = 200, a = 1."""
    after, *_ = rg_lru_frame([100.0], logit=-100.0, h=7.0)
    torch.testing.assert_close(after, torch.tensor([0.5]))
    for logit in (-100.0, 200.0):
        assert all(value.isfinite().all() for value in rg_lru_frame([-200.0, 0.0, 200.0], logit=logit))


def test_an_slstm_is_the_one_of_the_paper(make_networks):
    """Its states are those of c and n without a stabiliser, which does not overflow in few frames."""
    networks = make_networks("slstm", (0,))
    weights, unit = reference.network(networks, 0), networks.spec.unit
    weights["input"][:, 12:18] *= 5  # strong input gates
    networks.weights["input"][..., 12:18] *= 5
    h, c, n = np.zeros(6), np.zeros(6), np.zeros(6)
    state = unit.initial_state(1, 1, 6, like=networks.weights["bias"])
    recurrent = unit.split_recurrent(networks.weights["recurrent"])
    for pixels in np.random.default_rng(0).normal(size=(30, 16)):
        pre = np.append(pixels, 0.0) @ weights["input"] + h @ weights["recurrent"] + weights["bias"]
        f, o, i, g = np.split(pre, 4)
        f, o, i = reference.sigmoid(f), reference.sigmoid(o), np.exp(i)
        c, n = f * c + i * np.tanh(g), f * n + i
        h = o * c / n
        state, _ = unit.step(networks.drive(torch.tensor(pixels)[None, None]), state, recurrent)
        for part, expected in zip(state, (h, c / n, np.log(n)), strict=True):
            np.testing.assert_allclose(part[0, 0], expected, atol=1e-12)
    assert n.max() > 100


def test_an_slstm_does_not_overflow(make_networks):
    networks = make_networks("slstm", (0,), double=False)
    unit, recurrent = networks.spec.unit, torch.zeros(1, 6, 24)
    drive = torch.tensor([-200.0, 0.0, 0.0, 1.0]).repeat_interleave(6)[None, None]  # f, o, i, g: forget all
    state = unit.initial_state(1, 1, 6, like=recurrent)
    for log_i, log_n in ((300.0, 300.0), (-300.0, 100.0), (300.0, 300.0), (0.0, 100.0)):
        drive[..., 12:18] = log_i
        state, saved = unit.step([drive], state, [recurrent])
        before, terms = unit.adjoint(state, state, saved, [recurrent])
        assert all(part.isfinite().all() for part in (*state, *before, terms[0][1]))
        torch.testing.assert_close(state[2], torch.full_like(state[2], log_n))


@pytest.mark.parametrize(("architecture", "stable"), [("brc", 2), ("nbrc", 2), ("gru", 1)])
def test_a_bistable_cell_has_two_stable_states_by_itself(make_networks, architecture, stable):
    """One unit without recurrent weights and with a = 1 + tanh(1): h = tanh(a h) has a root on either side of 0."""
    networks = make_networks(architecture, (0,), hidden=1)
    weights = {name: torch.zeros_like(weight) for name, weight in networks.weights.items()}
    weights["bias"][..., 0] = 1.0
    if architecture == "brc":
        weights["bias"][..., 3:] = -1.0  # w = 1 + bias
    dynamics = Dynamics.of(replace(networks, weights=weights))
    states = torch.linspace(-1, 1, 8, dtype=torch.float64)[:, None]
    for _ in range(400):
        states = dynamics.step(states)
    assert len(states.round(decimals=6).unique()) == stable
    if stable == 2:
        torch.testing.assert_close(states, torch.tanh((1 + np.tanh(1)) * states))
