"""Slow points of any network: modules of PyTorch and callables, and the points returned."""

import math
import pickle
import warnings

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn

from slowpoints import slow_points_of, states_of
from slowpoints.dynamics.residual import Residual

DOUBLE = torch.float64
LAYERS = {
    "RNN": nn.RNN,
    "GRU": nn.GRU,
    "LSTM": nn.LSTM,
    "relu": lambda n, h, **more: nn.RNN(n, h, nonlinearity="relu", **more),
    "projected": lambda n, h, **more: nn.LSTM(n, h, proj_size=3, **more),
}


def seeded(make, *sizes, **more):
    torch.manual_seed(3)
    return make(*sizes, **more)


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # by the module itself
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("more", [{}, {"bias": False}, {"batch_first": True}])
@pytest.mark.parametrize("kind", LAYERS)
def test_states_are_those_that_the_module_goes_through(kind, more, layers):
    module = seeded(LAYERS[kind], 3, 5, num_layers=layers, **more)
    inputs = random(7, 4, 3)
    states = states_of(module, inputs)
    outputs, last = module(inputs)
    outputs = outputs.transpose(0, 1) if module.batch_first else outputs
    h, *c = last if isinstance(last, tuple) else (last,)
    width = h.shape[-1]
    torch.testing.assert_close(
        states[..., (layers - 1) * width : layers * width], outputs.to(DOUBLE), rtol=1e-5, atol=1e-6
    )
    flat = torch.cat([part.transpose(0, 1).flatten(1) for part in (h, *c)], dim=1)
    torch.testing.assert_close(states[-1], flat.to(DOUBLE), rtol=1e-5, atol=1e-6)
    single = states_of(module, inputs[0] if module.batch_first else inputs[:, 0])
    torch.testing.assert_close(single, states[:, 0])


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_cell_is_as_its_layer(kind):
    layer, cell = LAYERS[kind](3, 5), getattr(nn, f"{kind}Cell")(3, 5)
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in layer.state_dict().items()})
    inputs = random(7, 4, 3)
    torch.testing.assert_close(states_of(cell, inputs), states_of(layer, inputs))
    of_layer, of_cell = (slow_points_of(module, states_of(layer, inputs), starts=5) for module in (layer, cell))
    torch.testing.assert_close(of_layer.state, of_cell.state)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", LAYERS)
def test_points_are_at_rest_for_the_module_itself(kind, layers):
    """A double-precision copy of the module leaves fixed points of a random network unchanged."""
    module = seeded(LAYERS[kind], 3, 5, num_layers=layers)
    weights = {name: weight.clone() for name, weight in module.state_dict().items()}
    states, constant = states_of(module, random(6, 4, 3)), random(3, seed=1)
    points = slow_points_of(module, states, constant)
    assert (points.kind == "fixed point").all()
    widths = [layers * (3 if kind == "projected" else 5)] + [layers * 5] * isinstance(module, nn.LSTM)
    parts = [part.unflatten(1, (layers, -1)).transpose(0, 1).contiguous() for part in points.state.split(widths, dim=1)]
    double = module.double()
    sequence = constant.to(DOUBLE).expand(1, len(points), 3)
    _, after = double(sequence, tuple(parts) if len(parts) == 2 else parts[0])
    for before, part in zip(parts, after if len(parts) == 2 else (after,), strict=True):
        torch.testing.assert_close(part, before, atol=1e-11, rtol=0)
    for name, weight in weights.items():
        assert torch.equal(double.state_dict()[name].float(), weight)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_closed_forms_are_those_of_the_module_itself(kind):
    """Residual and derivatives against PyTorch's own of the module's frame."""
    module = seeded(LAYERS[kind], 3, 5)
    points = slow_points_of(module, states_of(module, random(6, 4, 3)), random(3, seed=1), starts=4)
    states, automatic = (
        0.5 * random(4, points.state.shape[1]).to(DOUBLE),
        Residual(lambda states: points.network.step(states) - states),
    )
    assert type(points.network.residual) is not Residual
    torch.testing.assert_close(points.network.residual(states), automatic(states))
    for derivative in ("gradient", "jacobian", "hessian"):
        closed, other = (getattr(each, derivative)(states) for each in (points.network.residual, automatic))
        torch.testing.assert_close(closed, other, rtol=1e-10, atol=1e-12)


def test_an_input_is_constant_or_zero():
    module = seeded(nn.GRU, 3, 5)
    inputs = random(7, 4, 3)
    states = states_of(module, inputs)
    mean = inputs.mean((0, 1))
    zero = slow_points_of(module, states, torch.zeros(3)).state
    torch.testing.assert_close(slow_points_of(module, states).state, zero)
    assert not torch.allclose(zero, slow_points_of(module, states, mean).state)


def test_starts_are_drawn_with_a_seed_and_noise():
    states = random(50, 20, 2).to(DOUBLE)
    drawn = [slow_points_of(torch.tanh, states, starts=10, seed=seed).start for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    among = (drawn[0][:, None] == states.reshape(-1, 2)).all(2).any(1)
    assert among.all()
    noisy = slow_points_of(torch.tanh, states, starts=10, noise=0.1).start
    assert 0.05 < (noisy - drawn[0]).std() < 0.2
    assert torch.equal(slow_points_of(torch.tanh, states[0], starts=None).start, states[0])


def flow(states):
    """z' = z + 0.1 (z - z^3) in each coordinate: fixed where each is -1, 0 or 1; grows by 1.1 at 0, decays by 0.8."""
    return states + 0.1 * (states - states**3)


@pytest.fixture(scope="module")
def cube():
    return slow_points_of(flow, 2 * random(400, 2, seed=2).clamp(-1, 1), starts=None, lower=-2, upper=2).unique(1e-6)


def test_the_points_of_a_known_flow_are_found_with_their_stability(cube):
    stability = {
        tuple(np.round(state, 6) + 0.0): name for state, name in zip(cube.state.numpy(), cube.stability, strict=True)
    }
    expected = {
        (x, y): {0: "attracting", 1: "saddle of order 1", 2: "repelling"}[(x == 0) + (y == 0)]
        for x in (-1.0, 0.0, 1.0)
        for y in (-1.0, 0.0, 1.0)
    }
    assert stability == expected
    assert cube.n_unstable.tolist() == [int((state.abs() < 0.5).sum()) for state in cube.state]
    assert float(cube.share.sum()) == pytest.approx(1)
    assert (cube.share[:-1] >= cube.share[1:]).all()


def test_spectra_are_those_of_the_known_flow(cube):
    for state, values, frames, jacobian in zip(
        cube.state, cube.eigenvalues, cube.time_constants, cube.jacobian, strict=True
    ):
        rates = 1 + 0.1 * (1 - 3 * state**2)
        torch.testing.assert_close(jacobian, rates.diag())
        expected = rates.sort(descending=True).values
        torch.testing.assert_close(values.real, expected)
        torch.testing.assert_close(frames, 1 / expected.log().abs())


def test_a_line_of_fixed_points_is_marginal():
    def line(states):
        return states * torch.tensor([1.0, 0.5], dtype=DOUBLE)

    points = slow_points_of(line, random(30, 2).to(DOUBLE))
    assert (points.kind == "fixed point").all()
    assert (points.stability == "marginal").all()
    assert points.time_constants[:, 0].isinf().all()
    assert len(points.unique(1e-3)) > 20


def test_a_drift_has_no_fixed_point():
    points = slow_points_of(lambda z: z + 0.01 + 0.1 * z**2, random(30, 1).to(DOUBLE), lower=-3, upper=3)
    assert (points.kind == "minimum").all()
    assert (points.stability == "not at rest").all()
    torch.testing.assert_close(points.speed, torch.full((30,), 0.01, dtype=DOUBLE))
    assert points.time_constants.isinf().all()  # the speed is least where its derivative, F' - 1, vanishes
    assert points.to_frame()["time_constant"].isin([float("inf")]).all()


def test_a_map_that_slows_down_towards_infinity_has_no_fixed_point():
    points = slow_points_of(lambda z: z + 1 / (1 + z**2), random(30, 1).to(DOUBLE))
    assert (points.kind != "fixed point").all()


def test_no_point_is_further_from_its_start_than_ten_times_its_length():
    """A cell state that integrates: all descents and Newton steps lead towards a fixed point at 1000."""
    points = slow_points_of(lambda z: z + 1 - z / 1000, random(30, 2))
    assert (points.kind == "sliding").all()
    assert (points.stability == "not at rest").all()
    start = points.start[points.searched]
    assert ((points.state - start).norm(dim=1) <= 10 * (1 + start.norm(dim=1))).all()


class Leaky(nn.RNNCell):
    """A cell with its own equations, named like PyTorch's."""

    def forward(self, inputs, states):
        return 0.9 * states + 0.1 * super().forward(inputs, states)


def hooked():
    cell = seeded(nn.GRUCell, 3, 5)
    cell.register_forward_hook(lambda module, inputs, states: 0.3 * states)
    return cell


def parametrised():
    return nn.utils.parametrizations.orthogonal(seeded(nn.GRU, 3, 5), "weight_hh_l0")


@pytest.mark.parametrize("make", [lambda: seeded(Leaky, 3, 5), hooked, parametrised])
def test_a_module_that_is_not_quite_pytorchs_is_searched_as_it_is(make):
    module = make()
    points = slow_points_of(module, states_of(module, random(20, 6, 3)))
    assert (points.kind == "fixed point").all()
    torch.testing.assert_close(points.network.step(points.state), points.state, atol=1e-10, rtol=0)


def test_dropout_is_left_out():
    module = seeded(nn.GRU, 3, 5, num_layers=2, dropout=0.5)
    states = states_of(module, random(7, 4, 3))
    torch.testing.assert_close(states, states_of(module, random(7, 4, 3)))
    assert module.training
    own = nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 5), nn.Tanh())
    assert (slow_points_of(own, random(20, 5)).kind == "fixed point").all()


def test_arrays_lists_and_pairs_are_taken():
    module = seeded(nn.LSTM, 3, 5)
    inputs = random(7, 4, 3)
    states = states_of(module, inputs)
    points = slow_points_of(module, states, [0, 0, 1])
    for form in (states.numpy(), states.tolist(), states.float(), (states[..., :5], states[..., 5:])):
        torch.testing.assert_close(slow_points_of(module, form, np.array([0, 0, 1])).state, points.state)
    assert points.nearest(states.numpy())[0].shape == (7, 4)
    torch.testing.assert_close(states_of(module, inputs.numpy()), states)


def test_states_go_on_from_initial_ones():
    module = seeded(nn.LSTM, 3, 5)
    inputs = random(7, 4, 3)
    states = states_of(module, inputs)
    later = states_of(module, inputs[3:], states[2])
    torch.testing.assert_close(later, states[3:])
    torch.testing.assert_close(states_of(module, inputs[3:], states[2].split(5, dim=-1)), later)
    with pytest.raises(ValueError, match=r"initial states have the shape \(3, 10\); they must have \(4, 10\)"):
        states_of(module, inputs, torch.zeros(3, 10))


def test_starts_beyond_the_bounds_are_put_there_with_a_warning():
    with pytest.warns(UserWarning, match="2 of 2 starts lie beyond the bounds"):
        points = slow_points_of(seeded(nn.GRU, 3, 5), 3 * torch.ones(2, 5))
    assert (points.start == 1).all()


def test_bounds_are_those_of_the_kind_of_module():
    for kind, low, high in (("RNN", -1, 1), ("relu", 0, math.inf), ("projected", -math.inf, math.inf)):
        module = seeded(LAYERS[kind], 3, 5)
        network = slow_points_of(module, states_of(module, random(6, 4, 3)), starts=2).network
        width = 3 if kind == "projected" else 5
        assert (network.lower[:width] == low).all()
        assert (network.upper[:width] == high).all()


def slow(z):
    """Slowest at 0, without a fixed point."""
    return z + 0.01 + 0.1 * z**2


def test_settings_reach_the_search():
    states = random(30, 1).clamp(-1.5, 1.5)
    alone = {"merge": 0, "lower": -3, "upper": 3}  # since the descent comes so near the end that no setting matters
    assert (slow_points_of(slow, states, max_iterations=1, **alone).kind == "sliding").all()
    coarse = slow_points_of(slow, states, tolerance=0.1, **alone)
    assert coarse.iterations.sum() < slow_points_of(slow, states, **alone).iterations.sum()
    assert (slow_points_of(slow, states, lower=-3, upper=3).searched != torch.arange(30)).any()
    without = slow_points_of(flow, states, newton=0, lower=-2, upper=2)
    assert (without.iterations > 0).any()
    assert (slow_points_of(flow, states, lower=-2, upper=2).iterations == 0).all()


def compiled(network):
    with warnings.catch_warnings():  # PyTorch's own, of what it imports for it
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.compile(network, backend="aot_eager")


@pytest.mark.parametrize(
    "wraps", [(compiled,), (nn.DataParallel,), (compiled, nn.DataParallel), (nn.DataParallel, compiled)]
)
def test_what_trained_faster_is_searched_as_the_module_itself(wraps):
    module = wrapped = seeded(nn.GRU, 3, 5)
    for wrap in wraps:
        wrapped = wrap(wrapped)
    states = states_of(module, random(6, 4, 3))
    assert torch.equal(states_of(wrapped, random(6, 4, 3)), states)
    assert torch.equal(slow_points_of(wrapped, states).state, slow_points_of(module, states).state)


def test_a_module_compiled_in_place_is_searched_as_it_was():
    torch.manual_seed(0)
    module, sequences = nn.GRU(2, 4, num_layers=2, dropout=0.9), torch.randn(5, 3, 2)
    states = states_of(module, sequences)
    wanted = slow_points_of(module, states[-1])
    module.compile(backend="eager")
    assert torch.equal(states_of(module, sequences), states)
    assert torch.equal(slow_points_of(module, states[-1]).state, wanted.state)


def test_a_compiled_function_is_differentiated_twice():
    points = slow_points_of(compiled(slow), random(5, 1), lower=-3, upper=3)
    assert (points.kind == "minimum").all()
    torch.testing.assert_close(points.state, torch.zeros_like(points.state), atol=1e-5, rtol=0)


def test_results_can_be_kept(cube):
    module = seeded(nn.GRU, 3, 5)
    points = slow_points_of(module, states_of(module, random(6, 4, 3)))
    again = pickle.loads(pickle.dumps(points))
    assert torch.equal(again.state, points.state)
    torch.testing.assert_close(again.jacobian, points.jacobian)


def test_inference_mode_is_no_hindrance():
    module = seeded(nn.GRU, 3, 5, num_layers=2)
    with torch.inference_mode():
        states = states_of(module, random(6, 4, 3))
        points = slow_points_of(module, states)
    torch.testing.assert_close(points.state, slow_points_of(module, states.clone()).state)


def test_a_network_of_ones_own_takes_inputs_first():
    class Leaky(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.eye(2) * 0.5)

        def forward(self, inputs, states):
            return 0.5 * states + 0.5 * torch.tanh(states @ self.weight + inputs)

    network = Leaky()
    points = slow_points_of(network, random(9, 2), torch.tensor([0.3, -0.2]))
    torch.testing.assert_close(points.state, torch.tanh(0.5 * points.state + torch.tensor([0.3, -0.2])))
    assert network.weight.dtype == torch.float32
    assert network.weight.requires_grad
    assert network.weight.grad is None


def test_some_points_can_be_taken(cube):
    attracting = cube[cube.stability == "attracting"]
    assert len(attracting) == 4
    assert torch.equal(attracting.state[0], cube[int(np.argmax(cube.stability == "attracting"))].state[0])
    assert len(cube[:3]) == 3
    assert len(cube[[1, 0]]) == 2
    assert torch.equal(cube[[1, 0]].state[1], cube.state[0])
    assert len(cube[cube.kind == "sliding"]) == 0
    assert repr(attracting) == "4 slow points: 4 fixed point, attracting"
    assert len(cube[[]]) == len(cube[:0]) == 0
    assert cube[4].state.shape == (1, 2)
    with pytest.raises(IndexError, match="one axis"):
        cube[np.zeros((2, 2), dtype=int)]


def test_the_nearest_point_of_each_state(cube):
    row, distance = cube.nearest(torch.tensor([[[0.9, 0.1], [-1.0, -1.0]]]))
    assert row.shape == distance.shape == (1, 2)
    torch.testing.assert_close(cube.state[row[0]], torch.tensor([[1.0, 0.0], [-1.0, -1.0]], dtype=DOUBLE))
    assert distance[0, 0] == pytest.approx(math.hypot(0.1, 0.1))
    with pytest.raises(ValueError, match="no points"):
        cube[:0].nearest(torch.zeros(1, 2))


def test_points_become_a_table(cube, tmp_path):
    cube.to_parquet(tmp_path / "points.parquet")
    table = pd.read_parquet(tmp_path / "points.parquet")
    assert len(table) == 9
    assert table["stability"].tolist() == cube.stability.tolist()
    np.testing.assert_array_equal(np.stack(table["state"]), cube.state.numpy())
    assert b"packages" in (pq.read_schema(tmp_path / "points.parquet").metadata)
    assert list(cube[:0].to_frame().columns) == list(table.columns)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_points_are_drawn_among_states(dimensions):
    module = seeded(nn.GRU, 3, 5)
    states = states_of(module, random(6, 4, 3))
    points = slow_points_of(module, states)
    figure = points.plot(states, dimensions=dimensions)
    (axes,) = figure.axes
    assert axes.get_xlabel().startswith("PC 1")
    assert figure.legends[0].get_texts()[0].get_text() == f"attracting fixed point ({len(points)})"
    assert len(axes.lines) == 4 + 1  # a path each, and the points
    assert len(axes.lines[0].get_data_3d()[0] if dimensions == 3 else axes.lines[0].get_xdata()) == 6  # frames
    assert figure._repr_png_().startswith(b"\x89PNG")
    points[:1].plot(dimensions=dimensions)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("with_states", [False, True])
def test_points_far_outside_leave_the_others_visible(dimensions, with_states):
    states = random(40, 3)
    points = slow_points_of(torch.tanh, states, starts=None)
    points.state[:2] = 1e6
    axes = points.plot(states if with_states else None, dimensions=dimensions).axes[0]
    assert axes.get_title() == "2 of 40 points lie far outside, and are not drawn"
    assert max(map(abs, axes.get_xlim())) < 10
    labels = [line.get_label() for line in axes.lines if line.get_label()[0] != "_"]
    assert sum(int(label.rpartition("(")[2][:-1]) for label in labels) == 40
    assert points[2:].plot(dimensions=dimensions).axes[0].get_title() == ""
    assert points[:2].plot(dimensions=dimensions).axes[0].get_title() == ""  # nothing else to see


def test_points_that_are_no_fixed_points_are_not_at_rest():
    points = slow_points_of(lambda z: z + 5 + z**2, random(30, 2))
    assert points.speed.min() > 5
    assert [text.get_text() for text in points.plot().legends[0].get_texts()] == ["not at rest (30)"]


def test_unstable_directions_are_drawn(cube):
    """Along the axes at saddles, both axes at the repelling point; a plane where eigenvalues are complex."""
    (axes,) = cube.plot().axes
    centre = cube.state.mean(0).numpy()
    lines = [np.diff(np.stack(line.get_data()), axis=1) for line in axes.lines if len(line.get_xdata()) == 2]
    assert len(lines) == 4 * 1 + 2
    assert np.allclose(centre, 0, atol=1e-6)
    spiral = slow_points_of(lambda z: 1.1 * z @ torch.tensor([[0.8, 0.6], [-0.6, 0.8]], dtype=DOUBLE), torch.ones(4, 2))
    (axes,) = spiral[:1].plot(random(9, 2)).axes
    first, second = (
        np.diff(np.stack(line.get_data()), axis=1)[:, 0] for line in axes.lines if len(line.get_xdata()) == 2
    )
    assert abs(first[0] * second[1] - first[1] * second[0]) > 0.5 * np.linalg.norm(first) * np.linalg.norm(second)
