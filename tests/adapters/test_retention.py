"""Memory of any network: against the grid's own measure, trial by trial, and against known memories."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from slowpoints import half_life, measure_memory, memory_score, plot_retention, retention, states_of, to_torch
from slowpoints.adapters import retention as module_of_retention
from slowpoints.measures.retrieval import chosen_rows

DELAYS = [1, 3, 4, 19, 60]
LSTM, READOUT = nn.LSTM(2, 3), nn.Linear(3, 2)


@pytest.mark.parametrize("chunk", [4096, 7])
@pytest.mark.parametrize("architecture", ["rnn", "gru-after", "lstm"])
def test_it_is_the_memory_of_the_grid_to_the_trial(make_networks, images, monkeypatch, architecture, chunk):
    """Networks with strong weights, whose reports wander under noise."""
    monkeypatch.setattr(module_of_retention, "ROWS_AT_ONCE", chunk)
    networks = make_networks(architecture, seeds=(5,), double=False)
    weights = {name: 3 * weight for name, weight in networks.weights.items()}
    weights["readout_bias"][:, 0] -= 100  # or null is what most report
    networks = replace(networks, weights=weights)
    n_images, (spread,) = 60, networks.streams("memory noise")
    wanted = measure_memory(networks, images, delays=DELAYS, n_images=n_images, noise="fresh", bank=0)

    layer, readout = to_torch(networks)
    rows = chosen_rows(images, n_images)
    pixels = torch.from_numpy(images.images[rows].reshape(n_images, -1)).float() / 255
    untriggered = torch.zeros(n_images, 1)
    states = states_of(layer, torch.cat([pixels, untriggered], dim=1)[None])[0]
    mean = torch.full((pixels.shape[1],), images.mean)

    def noise(frame):
        pixels_of_frame = torch.empty_like(pixels).normal_(images.mean, images.std, generator=spread)
        return torch.cat([pixels_of_frame, untriggered], dim=1)

    table = retention(
        layer,
        readout,
        states,
        images.labels[rows] + 1,  # output 0 is null
        DELAYS,
        inputs=torch.cat([mean, torch.zeros(1)]),
        ask=torch.cat([mean, torch.ones(1)]),
        noise=noise,
    )
    pd.testing.assert_series_equal(table["n_correct"], wanted["n_correct"])
    assert wanted["n_correct"].nunique() > 5
    shared = ["delay", "accuracy", "low", "high"]
    pd.testing.assert_frame_equal(table[shared], wanted[shared])
    assert (table["n"] == wanted["n_trials"]).all()


class Fading(nn.Module):
    """States that fade by a half each frame, and move by the input; the class is the greatest."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.9)

    def forward(self, inputs, states):
        return self.dropout(states) / 2 + inputs


def test_a_memory_that_fades_is_gone_when_it_is_smaller_than_the_input():
    """From 2^k and 0 states come to 2^(k - d) and 1 - 2^-d: the first is the greater while d is at most k."""
    network, heights = Fading(), torch.arange(1.0, 8)
    states = torch.stack([2**heights, torch.zeros(7)], dim=1)
    inputs = torch.tensor([0.0, 0.5])
    table = retention(network, lambda h: h, states, torch.zeros(7), range(1, 9), inputs=inputs)
    assert table["n_correct"].tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert network.training


def test_who_asks_changes_one_frame_on_a_branch_of_its_own():
    states, zero = torch.tensor([[1.0, 0.0]]).repeat(3, 1), torch.zeros(2)
    quiet = retention(Fading(), lambda h: h, states, [0, 0, 0], range(1, 9), inputs=zero)
    assert (quiet["accuracy"] == 1).all()
    asked = retention(Fading(), lambda h: h, states, [0, 0, 0], range(1, 9), inputs=zero, ask=[0.0, 0.1])
    assert asked["accuracy"].tolist() == [float(2.0**-d > 0.1) for d in range(1, 9)]


def test_gaussian_noise_has_its_deviation_and_its_seed():
    """A walk of standard deviation 0.1 sqrt(d) in each of two states, 1 apart: erf gives the share on its side."""

    def walk(inputs, states):
        return states + inputs

    states, labels = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(2000, 1), torch.tensor([0, 1]).repeat(2000)
    settings = {"delays": [25, 100], "inputs": torch.zeros(2), "noise": 0.1}
    table = retention(walk, lambda h: h, states, labels, **settings)
    for delay, of_delay in table.groupby("delay"):
        wanted = 0.5 + 0.5 * torch.erf(torch.tensor(1 / (0.1 * (2 * delay) ** 0.5) / 2**0.5)).item()
        assert of_delay["n"].tolist() == [2000, 2000]
        assert of_delay["n_correct"].sum() / 4000 == pytest.approx(wanted, abs=0.02)
    random = torch.get_rng_state()
    pd.testing.assert_frame_equal(table, retention(walk, lambda h: h, states, labels, **settings))
    assert not table.equals(retention(walk, lambda h: h, states, labels, **settings, seed=1))
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("more", [{}, {"num_layers": 2, "dropout": 0.5}, {"batch_first": True}])
def test_the_readout_sees_what_the_module_gives(more):
    torch.manual_seed(0)
    module, readout = nn.LSTM(2, 5, **more), nn.Linear(5, 3)
    sequences = torch.randn(9, 40, 2)
    sequences = sequences.transpose(0, 1) if module.batch_first else sequences
    states = states_of(module, sequences)[-1]
    with torch.no_grad():
        outputs = module.eval()(torch.cat([sequences, 0 * sequences], dim=1 if module.batch_first else 0))[0]
        outputs = outputs.transpose(0, 1) if module.batch_first else outputs
        said = readout(outputs).argmax(-1)
    module.train()
    labels = said[8]
    table = retention(module, readout, states, labels, range(1, 10))
    for delay, of_delay in table.groupby("delay"):
        assert of_delay["n_correct"].sum() == (said[8 + delay] == labels).sum()
    assert module.training


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, of what it imports to compile
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("part", ["readout", "network", "submodule"])
def test_a_compiled_part_runs_in_evaluation_mode_and_is_not_changed(part, in_place):
    torch.manual_seed(0)
    network, readout = Fading(), nn.Sequential(nn.Dropout(0.9), nn.Linear(2, 2))
    original = {"readout": readout, "network": network, "submodule": network.dropout}[part]
    states, labels, inputs = torch.randn(50, 2), torch.arange(50) % 2, torch.tensor([0.1, 0.2])
    wanted = retention(network, readout, states, labels, DELAYS, inputs=inputs)
    if in_place:
        original.compile(backend="eager")
    elif part == "readout":
        readout = torch.compile(readout, backend="eager")
    elif part == "network":
        network = torch.compile(network, backend="eager")
    else:
        network.dropout = torch.compile(network.dropout, backend="eager")
    parts = [name for name, _ in original.named_modules()]
    pd.testing.assert_frame_equal(retention(network, readout, states, labels, DELAYS, inputs=inputs), wanted)
    assert [name for name, _ in original.named_modules()] == parts
    assert original.training


def with_accuracies(*accuracies, delays=(1, 10, 100), n=1000):
    rows = [(delay, label, n, round(n * a)) for delay, a in zip(delays, accuracies, strict=True) for label in range(2)]
    table = pd.DataFrame(rows, columns=["delay", "label", "n", "n_correct"])
    return table.assign(accuracy=table["n_correct"] / n, low=0.0, high=1.0)


def test_half_life_and_memory_score_of_a_known_curve():
    """From 1 to chance 1/2: accuracy is half-way, 3/4, midway between 10 and 100 frames in log delay."""
    table = with_accuracies(1, 1, 0.5)
    assert half_life(table) == pytest.approx(10 * 10**0.5)
    assert half_life(table, chance=0.9) == pytest.approx(10 * 10**0.1)
    assert half_life(table, trained=10) == pytest.approx(10 * 10**0.5)
    assert memory_score(table) == pytest.approx((1 + 0.75) / 2)
    assert memory_score(table, first=10) == pytest.approx(0.75)
    assert np.isnan(half_life(with_accuracies(1, 0.9, 0.8)))
    for chance in (25, 1, -0.1):
        with pytest.raises(ValueError, match=rf"chance is {chance}; it must be at least 0 and less than 1"):
            half_life(table, chance=chance)
    assert np.isnan(half_life(with_accuracies(0.5, 0.5, 0.5)))
    with pytest.raises(ValueError, match="no memory is read out correctly at delay 1: readout, labels"):
        half_life(with_accuracies(0, 0, 0.3))


def fading_by_label(labels):
    """One-hot states of three classes and a constant readout, which a bias overtakes after 1, 2 and 3 frames."""
    states = torch.eye(3)[labels] * torch.tensor([1.0, 2.0, 4.0])
    readout = lambda h: torch.cat([h, torch.full((len(h), 1), 0.4)], dim=1)  # noqa: E731 (four outputs)
    return retention(lambda z: z / 2, readout, states, labels, range(1, 7))


def test_chance_is_that_of_the_readout_however_few_labels_occur():
    table = fading_by_label(torch.tensor([0, 1, 2]))
    assert (table["chance"] == 0.25).all()
    alone = table[table["label"] == 2]  # right up to delay 3: half-way, at 5/8, between 3 and 4
    assert half_life(alone) == pytest.approx(3 * (4 / 3) ** ((1 - 5 / 8) / 1))
    assert half_life(alone) == half_life(alone, chance=0.25) == half_life(fading_by_label(torch.tensor([2, 2])))
    without = table.drop(columns="chance")
    assert half_life(without) == half_life(without, chance=1 / 3)
    (axes,) = plot_retention(alone).axes
    assert axes.lines[-1].get_ydata()[0] == 0.25
    (axes,) = plot_retention(alone.drop(columns="chance")).axes
    assert [line.get_label() for line in axes.lines] == ["0.00 at 6 frames"]


def test_a_table_from_which_chance_cannot_be_told_is_refused():
    table = fading_by_label(torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match="single label and no column chance; pass `chance`"):
        half_life(table[table["label"] == 2].drop(columns="chance"))
    with pytest.raises(ValueError, match="column chance of the table has 2 values; pass `chance`"):
        half_life(pd.concat([table, table.assign(chance=0.5)]))
    for measure in (half_life, memory_score, plot_retention):
        with pytest.raises(ValueError, match=r"tables? is empty; it must have a row for each delay and label"):
            measure(table[:0])


def test_the_picture_says_how_long_each_remembers():
    tables = {
        "before": with_accuracies(1, 1, 0.5),
        "after": with_accuracies(1, 1, 0.9),
        "none": with_accuracies(0, 0, 0),
    }
    figure = plot_retention(tables)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["before: half-life 32", "after: 0.90 at 100 frames", "none: 0.00 at 100 frames", "chance"]
    (axes,) = figure.axes
    assert axes.lines[1].get_ydata().tolist() == [1, 1, 0.9]
    assert plot_retention(tables["before"])._repr_png_().startswith(b"\x89PNG")


def measured(**changes):
    settings = {
        "module": LSTM,
        "readout": READOUT,
        "states": torch.zeros(4, 6),
        "labels": [0, 1, 1, 0],
        "delays": [1, 5],
    }
    return retention(**{**settings, **changes})


REFUSED = {
    "module is a str": {"module": "lstm"},
    "readout is a Tensor": {"readout": torch.zeros(3)},
    "readout takes 6 features; the hidden states have 3": {"readout": nn.Linear(6, 2)},
    "weights of readout are torch.float64, the hidden states torch.float32": {"readout": nn.Linear(3, 2).double()},
    r"readout must return logits \[B, C\] of 4 hidden states; it returned \(4,\)": {"readout": lambda h: h[:, 0]},
    r"it returned NoneType": {"readout": lambda h: None},
    "states must be finite": {"states": torch.full((4, 6), torch.nan)},
    "states have 3 values each": {"states": torch.zeros(4, 3)},
    r"states have the shape \(2, 4, 6\); .* such as one frame": {"states": torch.zeros(2, 4, 6)},
    r"labels have the shape \(3,\)": {"labels": [0, 1, 1]},
    "labels must be whole numbers": {"labels": [0, 1, 1, 0.5]},
    "labels must be whole numbers from 0": {"labels": [0, 1, 1, -1]},
    "labels go up to 2; the readout has 2 classes": {"labels": [0, 1, 1, 2]},
    "each of delays is 0": {"delays": [0, 1]},
    r"delays is \[1, 1\]": {"delays": [1, 1]},
    "inputs have 3 values each; the module takes 2": {"inputs": torch.zeros(3)},
    r"inputs have the shape \(5, 2\)": {"inputs": torch.zeros(5, 2)},
    r"inputs must be one constant input \[N\]; it is a single number": {"inputs": 0},
    r"ask must be one constant input \[N\]; it is a single number": {"ask": torch.tensor(1.0)},
    "ask has 3 values, inputs 2": {"ask": torch.zeros(3)},
    "noise is -1": {"noise": -1},
    "noise is 'loud'": {"noise": "loud"},
    r"noise has the shape \(4, 2\); it must be a number, or a callable": {"noise": torch.zeros(4, 2)},
    r"noise returned the shape \(2,\) for frame 1; it must return \(4, 2\)": {"noise": lambda frame: torch.zeros(2)},
    "noise returned a float for frame 1": {"noise": lambda frame: 0.5},
    "seed is 'x'": {"seed": "x"},
    r"inputs is None, which for a callable means no input: pass inputs=torch.zeros\(N\), or the recurrent layer": {
        "module": lambda z: z / 2,
        "noise": 0.1,
    },
    r"noise has the signature \(\); it is called as noise\(frame\)": {"noise": lambda: torch.zeros(4, 2)},
    r"readout fails on hidden states \(4, 3\) in torch.float32 on cpu, .*\(RuntimeError: mat1 and mat2": {
        "readout": nn.Sequential(nn.Linear(6, 2))
    },
    "states are not finite at delay 5": {"module": lambda z: 1e30 * z, "states": torch.ones(4, 3)},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused(message):
    with pytest.raises((TypeError, ValueError), match=message):
        measured(**REFUSED[message])


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([with_accuracies(1, 1, 0)], r"tables is a list; it must be a table, or several by name"),
        ({}, "tables is empty"),
        (
            with_accuracies(1, 1, 0).drop(columns="n"),
            "lacks the column n; it must be a table as `retention` returns it",
        ),
    ],
)
def test_tables_of_another_form_are_not_drawn(tables, message):
    with pytest.raises((TypeError, ValueError), match=message):
        plot_retention(tables)


@pytest.mark.parametrize("scale", [1, -1])
def test_states_that_the_module_cannot_reach_are_said(scale):
    """As hidden and cell states of an LSTM that have been swapped."""
    states = torch.zeros(4, 6)
    states[1:3, 0] = 1.5 * scale
    with pytest.warns(UserWarning, match="2 of 4 states have hidden states that this module cannot reach"):
        measured(states=states)
    states[:, 0], states[:, 5] = scale, 9
    measured(states=states)  # a cell state may be of any size
