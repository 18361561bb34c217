"""Every public function refuses invalid arguments by name, with an error raised by the library itself."""

import contextlib
import re
import traceback
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from places import ROOT
from torch import nn

import slowpoints as sp
from slowpoints.core.presets.search import Search
from slowpoints.core.schemas.memory import EXTRAPOLATION

LIBRARY = ROOT / "src/slowpoints"
SEARCH = Search(adam_steps=2, max_iterations=1, tolerance=1e-8, images_per_class=5, noise_scale=0.5)


def memory(g, **changes):
    settings = {"delays": [4, 19], "n_images": 6, "noise": "fresh", "bank": 32, **changes}
    return sp.measure_memory(settings.pop("networks", g.networks), settings.pop("images", g.images), **settings)


def slow_points(g, settings=None, longest_delay=30, **changes):
    images = changes.pop("images", g.images)
    settings = SEARCH if settings is None else settings
    return sp.measure_slow_points(g.networks, images, settings, longest_delay=longest_delay)


def halved(states):
    return states / 2


def tables(names):
    return dict.fromkeys(names.split(), pd.DataFrame({"seed": [0]}))


REFUSED = {
    "Dynamics": [
        (lambda g: sp.Dynamics.of("gru"), "networks is a str"),
        (lambda g: g.dynamics.step(torch.zeros(4, 5, dtype=torch.float64)), "states have the shape"),
        (lambda g: g.dynamics.step(torch.zeros(4, 6)), "states are torch.float32"),
        (lambda g: g.dynamics.step(torch.zeros(3, 6, dtype=torch.float64)), r"states have the shape"),
        (lambda g: g.dynamics.speed([[0.0] * 6] * 2), "states is a list"),
    ],
    "ImageSet": [
        (lambda g: replace(g.images, images=g.images.images / 255), "images are float64"),
        (lambda g: replace(g.images, images=g.images.images[0, 0]), "images are uint8 of shape"),
        (lambda g: replace(g.images, images=g.images.images.tolist()), "images are of type list"),
        (lambda g: replace(g.images, labels=g.images.labels[:5]), "60 images but 5 labels"),
        (lambda g: replace(g.images, labels=g.images.labels + 0.5), "labels are float64"),
        (lambda g: replace(g.images, labels=g.images.labels + 1), "label 3 is outside the classes 0 to 2"),
        (lambda g: replace(g.images, classes="3"), "classes is '3'"),
        (lambda g: replace(g.images, mean=float("nan")), "mean is nan"),
        (lambda g: replace(g.images, std=130.0), "std is 130"),
    ],
    "Networks": [
        (lambda g: replace(g.networks, seeds=(0, 0)), r"seeds is \[0, 0\]"),
        (lambda g: replace(g.networks, seeds=(0,)), "weights are"),
        (lambda g: replace(g.networks, weights={}), "weights are {}"),
        (lambda g: replace(g.networks, spec="gru"), "spec is a str"),
        (lambda g: replace(g.networks, seeds=("a", "b")), "each of seeds is 'a'"),
        (lambda g: replace(g.networks, weights=g.arrays), r"weights\['input'\] is an ndarray"),
        (lambda g: g.networks.to("meta"), "device is meta"),
        (lambda g: g.networks.select([7]), r"seeds \[7\] are not among"),
        (lambda g: g.networks.select(0), "seeds is 0"),
        (lambda g: g.networks.to("abacus"), "device is 'abacus'"),
    ],
    "RelaxationPenalty": [
        (lambda g: sp.RelaxationPenalty("gru"), "module is a str"),
        (lambda g: sp.RelaxationPenalty(g.gru, torch.zeros(2)), "inputs have 2 values each; the module takes 3"),
        (lambda g: sp.RelaxationPenalty(g.gru, frames=[-1]), "each of frames is -1"),
        (lambda g: sp.RelaxationPenalty(g.gru, every="x"), "every is 'x'"),
        (lambda g: sp.RelaxationPenalty(g.gru)(torch.zeros(4, 5)), "states have 5 values each"),
        (lambda g: sp.RelaxationPenalty(g.gru)("states"), "states must be an array of numbers"),
    ],
    "choose_weight": [
        (lambda g: sp.choose_weight("gru", print, len), "module is a str"),
        (lambda g: sp.choose_weight(g.gru, None, len), "fine_tune is a NoneType"),
        (lambda g: sp.choose_weight(g.gru, print, len, weights=[]), r"weights is \[\]"),
        (lambda g: sp.choose_weight(g.gru, lambda *_: None, lambda _: "good"), "the value of validate is 'good'"),
    ],
    "collate": [
        (lambda g: sp.collate([g.folder / "none.parquet"], EXTRAPOLATION, {"small": 2}), "none.parquet"),
        (lambda g: sp.collate([], EXTRAPOLATION, {}), "paths"),
        (lambda g: sp.collate([g.folder], "extrapolation", {}), "schema is a str"),
    ],
    "correlations": [
        (lambda g: sp.correlations(**tables("networks extrapolation points")), "networks lacks the column"),
        (lambda g: sp.correlations([], [], []), "networks is a list"),
    ],
    "find_slow_points": [
        (lambda g: sp.find_slow_points(halved, [[0.5, 0.5]], tolerance=-1), "tolerance is -1"),
        (lambda g: sp.find_slow_points(halved, torch.zeros(3)), "start"),
        (lambda g: sp.find_slow_points(halved, torch.full((2, 3), torch.nan)), "start"),
        (lambda g: sp.find_slow_points(halved, torch.zeros(2, 3), 1.0, -1.0), "lower|upper|bounds"),
        (lambda g: sp.find_slow_points("halved", torch.zeros(2, 3)), "map must take .* not callable"),
        (lambda g: sp.find_slow_points(halved, torch.zeros(2, 3), max_iterations="many"), "max_iterations"),
    ],
    "flip_flop_trials": [
        (lambda g: sp.flip_flop_trials(0, 5, seed=0), "trials is 0"),
        (lambda g: sp.flip_flop_trials(2, 2.5, seed=0), "frames is 2.5"),
        (lambda g: sp.flip_flop_trials(2, 5, bits=-1, seed=0), "bits is -1"),
        (lambda g: sp.flip_flop_trials(2, 5, rate=2, seed=0), "rate is 2"),
        (lambda g: sp.flip_flop_trials(2, 5, seed=None), "seed is None"),
        (lambda g: sp.flip_flop_trials(2, 5, seed=2**70), "seed is 1180591620717411303424"),
    ],
    "from_torch": [
        (lambda g: sp.from_torch(nn.Linear(2, 2)), "a Linear is none of"),
        (lambda g: sp.from_torch("gru"), "a str is none of"),
        (lambda g: sp.from_torch(nn.GRU(2, 3), nn.Linear(4, 2)), "readout"),
        (lambda g: sp.from_torch(nn.GRU(2, 3), "readout"), "readout is a str"),
    ],
    "half_life": [
        (lambda g: sp.half_life("table"), "table is a str"),
        (lambda g: sp.half_life(pd.DataFrame({"delay": [1]})), "table lacks the column label"),
        (lambda g: sp.half_life(g.retention, trained=7), "delay 7 is not among the delays"),
        (lambda g: sp.half_life(g.retention, chance="x"), "chance is 'x'"),
    ],
    "judge": [
        (lambda g: sp.judge(**tables("networks correlations formation regularisation")), "networks lacks the column"),
        (lambda g: sp.judge({}, {}, {}, {}), "networks is a dict"),
    ],
    "load_images": [
        (lambda g: sp.load_images(g.folder / "none.parquet"), "none.parquet"),
        (lambda g: sp.load_images(g.folder), str),
        (lambda g: sp.load_images(None), "path is None|path is a NoneType"),
    ],
    "load_networks": [
        (lambda g: sp.load_networks(g.folder / "none"), "holds no weights.safetensors"),
        (lambda g: sp.load_networks(g.saved, device="abacus"), "device is 'abacus'"),
        (lambda g: sp.load_networks(None), "path is a NoneType"),
    ],
    "make_dataset": [
        (lambda g: sp.make_dataset({"kind": "abacus"}, g.folder, g.outputs), "abacus"),
        (lambda g: sp.make_dataset({"kind": "png", "colour": 1}, g.folder, g.outputs), "colour"),
        (lambda g: sp.make_dataset("digits", None, g.outputs), "source"),
        (lambda g: sp.make_dataset({"kind": "png"}, None, g.outputs), "folder"),
    ],
    "measure_accuracy": [
        (lambda g: sp.measure_accuracy(g.networks, g.images, n_images=0), "n_images is 0"),
        (lambda g: sp.measure_accuracy(g.networks, g.other_images, n_images=6), "images are"),
        (lambda g: sp.measure_accuracy("networks", g.images, n_images=6), "networks is a str"),
        (lambda g: sp.measure_accuracy(g.networks, g.images.images, n_images=6), "images is an ndarray"),
    ],
    "measure_memory": [
        (lambda g: memory(g, delays=[4, 4]), r"delays is \[4, 4\]"),
        (lambda g: memory(g, delays=[]), r"delays is \[\]"),
        (lambda g: memory(g, delays=19), "delays is 19"),
        (lambda g: memory(g, delays=[0, 4]), "each of delays is 0"),
        (lambda g: memory(g, delays=[4.5]), "each of delays is 4.5"),
        (lambda g: memory(g, n_images=7), "n_images is 7; it must be a multiple of 3"),
        (lambda g: memory(g, n_images=True), "n_images is True"),
        (lambda g: memory(g, noise="pink"), "noise is 'pink'; it must be one of fresh, bank"),
        (lambda g: memory(g, noise="bank", bank=19), "bank is 19; it must be more than the longest delay, 19"),
        (lambda g: memory(g, noise_scale=-1), "noise_scale is -1"),
        (lambda g: memory(g, noise_scale=float("nan")), "noise_scale is nan"),
        (lambda g: memory(g, images=g.other_images), r"images are \(4, 4, 1\) in 4 classes; the networks take"),
        (lambda g: memory(g, delays=torch.tensor(19)), r"delays is tensor\(19\)"),
        (lambda g: memory(g, networks=g.double), "of the networks is torch.float64"),
        (lambda g: memory(g, networks=g.broken), "of the networks is not finite"),
        (lambda g: memory(g, networks=None), "networks is a NoneType"),
        (lambda g: memory(g, images=g.without_a_class), "there are no images of class 2"),
    ],
    "measure_slow_points": [
        (lambda g: slow_points(g, longest_delay=0), "longest_delay is 0"),
        (lambda g: slow_points(g, {"adam_steps": 1}), "settings is a dict"),
        (lambda g: slow_points(g, images=g.other_images), "images are"),
    ],
    "memory_score": [
        (lambda g: sp.memory_score("table"), "table is a str"),
        (lambda g: sp.memory_score(g.retention, first=7), "delay 7 is not among the delays"),
        (lambda g: sp.memory_score(g.retention, first=5), "do not reach beyond 5"),
    ],
    "plot_retention": [
        (lambda g: sp.plot_retention({}), "tables is empty"),
        (lambda g: sp.plot_retention("tables"), "tables is a str"),
        (lambda g: sp.plot_retention({"before": g.retention, "after": None}), r"tables\['after'\] is a NoneType"),
    ],
    "retention": [
        (lambda g: sp.retention(g.gru, "readout", torch.zeros(4, 6), [0] * 4, [1]), "readout is a str"),
        (lambda g: sp.retention(g.gru, nn.Linear(6, 2), "states", [0] * 4, [1]), "states must be an array"),
        (lambda g: sp.retention(g.gru, nn.Linear(6, 2), torch.zeros(4, 6), "labels", [1]), "labels must be an array"),
        (lambda g: sp.retention(g.gru, nn.Linear(6, 2), torch.zeros(4, 6), [0] * 4, 1), "delays is 1"),
        (lambda g: sp.retention(g.gru, nn.Linear(5, 2), torch.zeros(4, 6), [0] * 4, [1]), "readout takes 5 features"),
    ],
    "save_networks": [
        (lambda g: sp.save_networks("networks", g.folder / "weights.safetensors"), "networks is a str"),
        (lambda g: sp.save_networks(g.networks, g.folder / "w.safetensors", lambda_=float("inf")), "lambda_ is inf"),
        (lambda g: sp.save_networks(g.networks, g.folder / "w.safetensors", mode=3), "mode is an int"),
        (
            lambda g: sp.save_networks(g.networks, g.folder / "w.safetensors", mode="slow"),
            "mode is 'slow'; it must be one of trained, control, slow_points, ",
        ),
        (lambda g: sp.save_networks(g.networks, g.folder), str),
        (lambda g: sp.save_networks(g.networks, 3), "path is an int"),
    ],
    "slow_points_of": [
        (lambda g: sp.slow_points_of(g.gru, torch.zeros(4, 6), starts=0), "starts is 0"),
        (lambda g: sp.slow_points_of(g.gru, torch.zeros(4, 5)), "states have 5 values"),
        (lambda g: sp.slow_points_of(g.gru, "states"), "states"),
        (lambda g: sp.slow_points_of(None, torch.zeros(4, 6)), "NoneType|network"),
        (lambda g: sp.slow_points_of(g.gru, torch.zeros(4, 6), seed="x"), "seed"),
    ],
    "spectra": [
        (lambda g: sp.spectra(halved, torch.zeros(3)), "states"),
        (lambda g: sp.spectra(halved, [["one", "two"]]), "states"),
        (lambda g: sp.spectra("halved", torch.zeros(2, 3)), "map must take .* not callable"),
    ],
    "states_of": [
        (lambda g: sp.states_of(g.gru, torch.zeros(4)), "inputs"),
        (lambda g: sp.states_of(nn.Linear(3, 3), torch.zeros(4, 3)), "Linear"),
        (lambda g: sp.states_of(g.gru, torch.zeros(4, 3), torch.zeros(2, 5)), "states"),
    ],
    "to_torch": [
        (lambda g: sp.to_torch(g.networks), "torch.nn has no unit 'gru'"),
        (lambda g: sp.to_torch(g.lstm, 2), "row is 2"),
        (lambda g: sp.to_torch(g.lstm, "0"), "row is '0'"),
        (lambda g: sp.to_torch("networks"), "networks is a str"),
    ],
}
"""Calls with what a public name can't use, and what the error says; `str` stands for the file it was given."""


@pytest.fixture
def given(make_networks, images, tmp_path):
    """Values for the arguments of the calls above."""
    networks = make_networks(double=False)
    sp.save_networks(networks, tmp_path / "saved/weights.safetensors")
    return SimpleNamespace(
        networks=networks,
        lstm=make_networks("lstm", double=False),
        double=make_networks(),
        broken=replace(networks, weights={name: w * torch.nan for name, w in networks.weights.items()}),
        arrays={name: weight.numpy() for name, weight in networks.weights.items()},
        dynamics=sp.Dynamics.of(networks),
        gru=nn.GRU(3, 6),
        retention=sp.retention(nn.GRU(3, 6), nn.Linear(6, 2), torch.zeros(4, 6), [0, 0, 1, 1], [1, 5]),
        images=images,
        other_images=replace(images, classes=4, labels=(np.arange(60) % 4).astype(np.int16)),
        without_a_class=replace(images, images=images.images[:40], labels=images.labels[:40]),
        folder=tmp_path,
        saved=tmp_path / "saved",
        outputs={part: tmp_path / f"{part}.parquet" for part in ("train", "valid", "test")},
    )


def test_every_public_name_is_tried():
    assert sorted(REFUSED) == sp.__all__


@pytest.mark.parametrize(("name", "number"), [(name, k) for name, calls in REFUSED.items() for k in range(len(calls))])
def test_what_it_cannot_use_is_refused_by_name(given, name, number):
    call, said = REFUSED[name][number]
    with pytest.raises((TypeError, ValueError, OSError)) as caught:
        call(given)
    assert re.search(re.escape(str(given.folder)) if said is str else said, str(caught.value))
    last = traceback.extract_tb(caught.tb)[-1]
    assert last.filename.startswith(str(LIBRARY)), f"raised within {last.filename}, line {last.lineno}"


def test_whole_numbers_of_any_type_are_taken(given):
    wanted = memory(given, noise="bank")
    pd.testing.assert_frame_equal(memory(given, noise="bank", bank=32.0, delays=np.array([19.0, 4.0])), wanted)
    floats = replace(SEARCH, adam_steps=2.0, images_per_class=5.0, max_iterations=np.int64(1))
    pd.testing.assert_frame_equal(slow_points(given, floats).slow_points, slow_points(given).slow_points)
    seeds = replace(given.networks, seeds=np.array(given.networks.seeds))
    sp.save_networks(seeds, given.folder / "seeds/weights.safetensors")
    assert sp.load_networks(given.folder / "seeds").seeds == given.networks.seeds


@pytest.mark.parametrize(
    "mode",
    [
        lambda: torch.device("meta"),
        lambda: torch.autocast("cpu", torch.bfloat16),
        torch.inference_mode,
        lambda: default_type(torch.float64),
        lambda: default_type(torch.float16),
    ],
)
def test_modes_and_defaults_of_pytorch_change_no_measure(given, mode):
    def measured():
        points = slow_points(given)
        return [
            memory(given),
            memory(given, noise="bank"),
            sp.measure_accuracy(given.networks, given.images, n_images=6),
            points.slow_points,
            points.spectrum,
        ]

    wanted = measured()
    with mode():
        found = measured()
    for table, other in zip(found, wanted, strict=True):
        pd.testing.assert_frame_equal(table, other, check_exact=True)


@contextlib.contextmanager
def default_type(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def test_nothing_that_was_refused_is_left_behind(given):
    before = sorted(given.folder.rglob("*"))
    for name in ("make_dataset", "save_networks"):
        for call, _ in REFUSED[name]:
            with pytest.raises((TypeError, ValueError, OSError)):
                call(given)
    assert sorted(given.folder.rglob("*")) == before
