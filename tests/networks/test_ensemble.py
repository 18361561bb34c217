"""Ensembles against single networks in NumPy, their files, and their independence from one another."""

from dataclasses import replace

import numpy as np
import pytest
import reference
import torch

from slowpoints.core.presets.network import Layers
from slowpoints.core.tensors import write_tensors
from slowpoints.networks.ensemble import initialise
from slowpoints.networks.units import units
from slowpoints.networks.weights import load_networks, save_networks
from slowpoints.task.timing import FRAMES
from slowpoints.task.trials import Batch, Trials

FRONT_END = Layers((3, 2), (7, 5))


@pytest.mark.parametrize("architecture", units())
@pytest.mark.parametrize("front_end", [None, FRONT_END])
def test_trials_equal_a_frame_by_frame_run(make_networks, architecture, front_end):
    shape = (4, 4, 1) if front_end is None else (9, 8, 3)  # an odd size loses a row to pooling
    networks = make_networks(architecture, image_shape=shape, front_end=front_end)
    generator = torch.Generator().manual_seed(2)
    noise, batch = 25, 3
    shown = Batch(2, batch, noise, networks.spec.pixels, "cpu")
    shown.frames = torch.rand(2, noise + batch, networks.spec.pixels, generator=generator, dtype=torch.float64)
    rows = torch.randint(noise, (FRAMES, 2, batch), generator=generator)
    stimulus, report = torch.tensor([[0, 3, 15], [1, 2, 9]]), torch.tensor([[4, 12, 19], [19, 7, 13]])
    label = torch.zeros(2, batch, dtype=torch.long)
    frames = shown.frames.clone()
    shown.show(Trials(label, label, stimulus, report), frames[:, noise:], rows)
    outputs = networks.run_trials(shown)
    for network in range(2):
        weights = reference.network(networks, network)
        for trial in range(batch):
            seen = frames[network, rows[:, network, trial]].numpy().copy()
            seen[stimulus[network, trial]] = frames[network, noise + trial]
            expected = reference.run_trial(seen, int(report[network, trial]), weights, architecture, shape)
            np.testing.assert_allclose(outputs[:, network, trial].detach(), expected, atol=1e-12)


def test_initial_weights_have_the_authors_variance(spec):
    """1 / fan-in for small fans, where an error of one shows, over enough networks to exclude chance."""
    layers = Layers((2, 4), (3, 5))
    small = replace(spec, hidden=3, image_shape=(4, 4, 1), front_end=layers)
    weights = initialise(small, range(3000)).weights
    fans = {
        "input": 5 + 1,  # features and the trigger
        "recurrent": 3,
        "readout": 3,
        "front_end.conv0.weight": 9,
        "front_end.conv1.weight": 2 * 9,
        "front_end.dense0.weight": 4,  # maps of one pixel
        "front_end.dense1.weight": 3,
    }
    for name, weight in weights.items():
        expected, n = fans[name] ** -0.5 if name in fans else 0.01, weight.numel()
        assert weight.mean().item() == pytest.approx(0, abs=4 * expected / n**0.5), name
        assert weight.std().item() == pytest.approx(expected, rel=4 / (2 * n) ** 0.5), name
        if name in fans:
            assert 4 / (2 * n) ** 0.5 < 1 - (fans[name] / (fans[name] + 1)) ** 0.5
    assert initialise(replace(spec, front_end=None, image_shape=(2, 1, 1)), [0]).weights["input"].shape == (1, 3, 18)


def test_a_seed_names_the_same_network_whatever_stands_beside_it(make_networks):
    together, alone = make_networks(seeds=(0, 1, 2)), make_networks(seeds=(1,))
    for name, weight in alone.weights.items():
        assert torch.equal(together.weights[name][1], weight[0])
    assert not torch.equal(together.weights["recurrent"][0], together.weights["recurrent"][1])


def test_mean_input_is_the_mean_of_noise(make_networks):
    networks = make_networks(image_shape=(8, 8, 3), front_end=FRONT_END, double=False)
    frames = torch.empty(2, 20_000, networks.spec.pixels)
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    features = networks.features(networks.noise(generators, frames))
    error = features.std(1) / 1000**0.5
    assert ((networks.mean_features() - features.mean(1)).abs() < 5 * error).all()


def test_noise_has_the_data_set_mean_and_deviation_and_is_not_clipped(make_networks):
    networks = make_networks(double=False)
    frames = networks.noise(networks.streams("noise"), torch.empty(2, 50_000, 16))
    n = frames.numel()
    assert frames.mean().item() == pytest.approx(networks.spec.noise_mean, abs=4 * networks.spec.noise_std / n**0.5)
    assert frames.std().item() == pytest.approx(networks.spec.noise_std, rel=5 / n**0.5)
    assert frames.min() < 0


def test_files_give_back_the_same_networks(make_networks, tmp_path):
    networks = make_networks("lstm", seeds=(0, 1), double=False)
    more = make_networks("lstm", seeds=(2, 3), double=False)
    save_networks(networks, tmp_path / "trained" / "0-1" / "weights.safetensors")
    save_networks(more, tmp_path / "trained" / "2-3" / "weights.safetensors")
    one = load_networks(tmp_path / "trained" / "0-1" / "weights.safetensors")
    assert (one.spec, one.seeds) == (networks.spec, (0, 1))
    assert all(torch.equal(weight, one.weights[name]) for name, weight in networks.weights.items())
    cell = load_networks(tmp_path / "trained")
    assert cell.seeds == (0, 1, 2, 3)
    assert torch.equal(cell.weights["bias"][3], more.weights["bias"][1])


def test_loading_says_what_is_wrong(make_networks, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no weights\.safetensors"):
        load_networks(tmp_path)
    save_networks(make_networks("gru", double=False), tmp_path / "0-1" / "weights.safetensors")
    save_networks(make_networks("lstm", double=False), tmp_path / "2-3" / "weights.safetensors")
    with pytest.raises(ValueError, match="different kinds"):
        load_networks(tmp_path)
    other = tmp_path / "other.safetensors"
    write_tensors({"recurrent": torch.eye(2)}, other, {})
    with pytest.raises(ValueError, match=f"{other}: holds no networks"):
        load_networks(other)


def test_images_of_another_size_are_refused(make_networks, images):
    networks = make_networks(image_shape=(5, 5, 1))
    with pytest.raises(ValueError, match=r"images are \(4, 4, 1\)"):
        networks.image_table(images)


def test_images_too_small_for_the_front_end_are_refused(spec):
    with pytest.raises(ValueError, match="too small for 3 poolings"):
        replace(spec, front_end=Layers((2, 2, 2), (4,))).shapes()
