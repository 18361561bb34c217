"""Forms of states, inputs and settings: accepted, or refused with a clear error."""

import contextlib

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from slowpoints import (
    RelaxationPenalty,
    find_slow_points,
    flip_flop_trials,
    from_torch,
    retention,
    slow_points_of,
    states_of,
)

torch.manual_seed(0)
GRU, LSTM = nn.GRU(3, 6), nn.LSTM(3, 6)
INPUTS = torch.randn(7, 4, 3)
STATES, PAIRS = states_of(GRU, INPUTS), states_of(LSTM, INPUTS)
FLAT = STATES.transpose(0, 1).reshape(-1, 6)  # trial by trial


def objects(*trials):
    """As NumPy stores trials of different lengths."""
    array = np.empty(len(trials), dtype=object)
    array[:] = trials
    return array


TAKEN = {
    "list of trials": lambda: list(STATES.unbind(1)),
    "tuple of trials": lambda: STATES.unbind(1),
    "with gradients": lambda: [trial.clone().requires_grad_() for trial in STATES.unbind(1)],
    "arrays": lambda: [trial.numpy() for trial in STATES.unbind(1)],
    "lists of tensors": lambda: [list(trial) for trial in STATES.unbind(1)],
    "unequal trials": lambda: [STATES[:, :3].transpose(0, 1).reshape(-1, 6), STATES[:, 3]],
    "array of objects": lambda: objects(FLAT[:21].numpy(), FLAT[21:].numpy()),
    "reversed": lambda: FLAT.flip(0).numpy()[::-1],
    "big-endian": lambda: FLAT.numpy().astype(">f8"),
    "frame": lambda: pd.DataFrame(FLAT.numpy()),
    "frame of objects": lambda: pd.DataFrame(FLAT.numpy()).astype(object),
    "column of states": lambda: pd.Series(list(FLAT.numpy())),
}
REFUSED = {
    "masked": lambda: np.ma.masked_array(FLAT.numpy(), FLAT.numpy() > 0.3),
    "masked ": lambda: [np.ma.masked_array(FLAT.numpy()), FLAT],
    "generator": lambda: (state for state in FLAT),
    "dict": lambda: {"states": FLAT},
    r"the shape \(0,\)": lambda: [],
    r"the shape \(\)": lambda: np.float64(1),
    "it holds None": lambda: np.array([[None] * 6]),
    "not of <U1": lambda: [["1"] * 6],
    "must be a dense one": lambda: FLAT.to_sparse(),
    "device meta": lambda: FLAT.to("meta"),
    "their last axes must agree": lambda: [FLAT, FLAT[:, :3]],
}


@pytest.mark.parametrize("form", TAKEN)
def test_states_are_taken_in_the_order_of_their_trials(form):
    points = slow_points_of(GRU, TAKEN[form](), starts=None)
    assert torch.equal(points.start, FLAT)
    row, distance = points.nearest(TAKEN[form]())
    assert row.numel() == distance.numel() == len(FLAT)


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_no_array_is_refused(message):
    with pytest.raises(ValueError, match=message.strip()):
        slow_points_of(GRU, REFUSED[message]())
    with pytest.raises(ValueError, match=message.strip()):
        slow_points_of(GRU, FLAT).nearest(REFUSED[message]())


def test_two_arrays_are_two_trials_but_for_an_lstm_where_they_fit():
    two = [STATES[:, 0], STATES[:, 1]]
    assert slow_points_of(GRU, two, starts=None).start.shape == (14, 6)
    assert slow_points_of(torch.tanh, two, starts=None).start.shape == (14, 6)
    assert slow_points_of(LSTM, [PAIRS[:, 0], PAIRS[:, 1]], starts=None).start.shape == (14, 12)
    flat = PAIRS.reshape(-1, 12)
    points = slow_points_of(LSTM, (PAIRS[..., :6], PAIRS[..., 6:].numpy()), starts=None)
    assert torch.equal(points.start, flat)
    assert points.nearest((PAIRS[..., :6], PAIRS[..., 6:]))[0].shape == (7, 4)
    with pytest.warns(UserWarning, match="taken for the hidden and cell states"):
        slow_points_of(LSTM, [PAIRS[..., :6], PAIRS[..., 6:]])
    pairs = [(trial[:, :6], trial[:, 6:]) for trial in PAIRS.unbind(1)]
    assert torch.equal(slow_points_of(LSTM, pairs, starts=None).start, PAIRS.transpose(0, 1).reshape(-1, 12))
    with pytest.raises(ValueError, match="states have 6 values each; those of the module have 12"):
        slow_points_of(nn.GRU(3, 6, num_layers=2), two)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("more", [{}, {"proj_size": 4}])
@pytest.mark.parametrize("layers", [1, 2])
def test_the_final_state_of_an_lstm_is_taken_as_pytorch_returns_it(layers, more):
    torch.manual_seed(0)
    module = nn.LSTM(3, 6, num_layers=layers, **more)
    with torch.no_grad():
        outputs, final = module(INPUTS)
    states = states_of(module, INPUTS)[-1]
    readout, labels = nn.Linear(outputs.shape[-1], 2), [0, 1, 0, 1]
    points = slow_points_of(module, final, starts=None)
    torch.testing.assert_close(points.start, states, rtol=1e-5, atol=1e-6)
    assert points.nearest(final)[0].numel() == 4
    assert points.plot(final).axes
    wanted, table = (retention(module, readout, each, labels, [1, 5]) for each in (states, final))
    pd.testing.assert_frame_equal(table, wanted)
    torch.testing.assert_close(RelaxationPenalty(module)(final), RelaxationPenalty(module)(states))
    torch.testing.assert_close(
        states_of(module, INPUTS, final), states_of(module, INPUTS, states), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(ValueError, match=r"as `states_of` returns them; of PyTorch's final state pass the pair"):
        slow_points_of(module, final[0])


def test_the_final_state_of_one_layer_is_taken_and_that_of_several_not_guessed():
    """`[2, B, H]` of two layers could be outputs of two frames."""
    with torch.no_grad():
        final = GRU(INPUTS)[1]
    wanted = retention(GRU, nn.Linear(6, 2).requires_grad_(False), final[0], [0, 1, 0, 1], [1])
    assert len(retention(GRU, nn.Linear(6, 2), final, [0, 1, 0, 1], [1])) == len(wanted)
    assert torch.equal(RelaxationPenalty(GRU)(final), RelaxationPenalty(GRU)(final[0]))
    assert torch.equal(states_of(GRU, INPUTS, final), states_of(GRU, INPUTS, final[0]))
    deep = nn.GRU(3, 6, num_layers=2)
    with torch.no_grad():
        final = deep(INPUTS)[1]
    for use in (slow_points_of, lambda module, states: RelaxationPenalty(module)(states)):
        with pytest.raises(ValueError, match=r"of PyTorch's final state pass h_n.transpose\(0, 1\).flatten\(1\)"):
            use(deep, final)
    start = slow_points_of(deep, final.transpose(0, 1).flatten(1), starts=None).start
    torch.testing.assert_close(start, states_of(deep, INPUTS)[-1], rtol=1e-5, atol=1e-6)


def test_trials_of_other_lengths_are_read_and_drawn():
    trials = [INPUTS[:, 0], INPUTS[:3, 1]]
    states = states_of(GRU, trials)
    assert [len(each) for each in states] == [7, 3]
    torch.testing.assert_close(states[1], STATES[:3, 1])
    torch.testing.assert_close(states_of(GRU, list(INPUTS.unbind(1))), STATES)
    points = slow_points_of(GRU, states, starts=None)
    (axes,) = points.plot(states).axes
    assert [len(line.get_xdata()) for line in axes.lines[:2]] == [7, 3]
    (axes,) = points.plot(list(STATES.unbind(1))).axes
    assert [len(line.get_xdata()) for line in axes.lines[:4]] == [7] * 4
    with pytest.raises(ValueError, match="states have 4 values each"):
        points.plot(torch.zeros(3, 4))


@pytest.mark.parametrize(
    "settings",
    [{"seed": np.int64(3)}, {"starts": np.int64(5)}, {"starts": 1e1}, {"newton": 4e1}, {"noise": np.float32(0)}],
)
def test_numbers_of_numpy_are_numbers(settings):
    plain = {name: int(value) for name, value in settings.items()}
    points, expected = (slow_points_of(GRU, STATES, **{"starts": 5, **each}) for each in (settings, plain))
    assert torch.equal(points.state, expected.state)


@pytest.mark.parametrize(
    "settings", [{"starts": True}, {"starts": 2.5}, {"seed": None}, {"seed": 2**70}, {"noise": [0.1]}]
)
def test_what_is_no_such_number_is_named(settings):
    (name,) = settings
    with pytest.raises((TypeError, ValueError), match=f"{name} is"):
        slow_points_of(GRU, STATES, **settings)


@contextlib.contextmanager
def default(change, value, usual):
    change(value)
    try:
        yield
    finally:
        change(usual)


MODES = {
    "inference": torch.inference_mode,
    "no_grad": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "device": lambda: default(torch.set_default_device, "meta", None),
    "float64": lambda: default(torch.set_default_dtype, torch.float64, torch.float32),
    "float16": lambda: default(torch.set_default_dtype, torch.float16, torch.float32),
    "deterministic": lambda: default(torch.use_deterministic_algorithms, True, False),
}
WEIGHTS = torch.randn(6, 6, dtype=torch.float64)


def everything():
    """All results that may depend on a mode."""
    states = states_of(GRU, INPUTS)
    points = slow_points_of(GRU, states, starts=9, noise=0.1)
    own = slow_points_of(lambda z: torch.tanh(z @ WEIGHTS), STATES.numpy(), starts=9, newton=0)
    slow = find_slow_points(lambda z: z + 0.1 + 0.1 * torch.tanh(z @ WEIGHTS) ** 2, FLAT[:5])
    points.to_frame(), points.plot(states)
    for each in (points, own):
        yield from (each.state, each.jacobian, each.eigenvalues, each.unique(1e-3).share, *each.nearest(states))
    yield from (states, slow.state, slow.speed, *from_torch(GRU)[1].values(), *flip_flop_trials(3, 4, seed=1))


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.parametrize("mode", MODES)
def test_results_are_the_same_in_any_mode_of_pytorch(mode):
    expected = list(everything())
    with MODES[mode]():
        results = list(everything())
    for one, other in zip(expected, results, strict=True):
        assert torch.equal(one, other)
        assert one.dtype == other.dtype


def test_jacobians_take_little_more_than_their_own_memory(monkeypatch):
    points, asked = slow_points_of(torch.tanh, torch.randn(10, 512), starts=None, max_iterations=0, newton=0), []
    jacobian = type(points)._jacobian
    monkeypatch.setattr(type(points), "_jacobian", lambda self, rows: asked.append(len(rows)) or jacobian(self, rows))
    in_chunks = points.jacobian
    assert asked == [8, 2]
    assert torch.equal(in_chunks, jacobian(points, points.state))
