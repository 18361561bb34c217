"""Weights files: the networks of a seed block, or of all seed blocks of a cell and mode."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

import torch

from slowpoints.core.arguments import finite, instance, one_of
from slowpoints.core.devices import checked_device
from slowpoints.core.files import WEIGHTS
from slowpoints.core.presets.network import Layers
from slowpoints.core.tensors import read_tensors, write_tensors
from slowpoints.networks.ensemble import Networks, Specification


def save_networks(networks: Networks, path: str | Path, mode: str = "trained", lambda_: float | None = None) -> None:
    """Writes weights to a safetensors file, with the specification in its metadata.

    Args:
        networks: of one cell and mode.
        path: the file.
        mode: `trained`, or the mode of fine-tuning, one of `core.modes.MODES`.
        lambda_: lambda of the fine-tuning.

    Raises:
        TypeError, ValueError: naming the argument that cannot be written.
        OSError: naming the file, where it cannot be written.
    """
    instance(networks, Networks, "networks")
    instance(path, (str, os.PathLike), "path")
    instance(mode, str, "mode")
    # Not by an import statement, which a digest of code follows: another mode must not retrain networks.
    modes = import_module("slowpoints.core.modes")
    one_of(mode, (modes.TRAINED, *modes.MODES), "mode")
    if lambda_ is not None:
        lambda_ = finite(lambda_, "lambda_", least=0)
    facts = {"specification": asdict(networks.spec), "seeds": list(networks.seeds), "mode": mode, "lambda": lambda_}
    write_tensors({name: weight.cpu() for name, weight in networks.weights.items()}, path, facts)


def load_networks(path: str | Path, device: torch.device | str = "cpu") -> Networks:
    """Networks of a cell and mode, on the CPU by default.

    Args:
        path: a weights file, the folder of a seed block, or the folder of a mode with all its seed blocks.
        device: where to put them.

    Raises:
        FileNotFoundError: if there is no weights file.
        ValueError: if there is no such device, if a file is damaged, holds no networks, or weights of other shapes than
            its specification, or if seed blocks in the folder overlap or belong to different kinds of network.
    """
    instance(path, (str, os.PathLike), "path")
    device, path = checked_device(device), Path(path)
    files = [path] if path.is_file() else sorted(path.glob(f"**/{WEIGHTS}"))
    if not files:
        raise FileNotFoundError(f"{path} holds no {WEIGHTS}; it should be the folder of a cell and mode")
    parts = [read_weights(file)[0] for file in files]
    if len({json.dumps(asdict(part.spec)) for part in parts}) > 1:
        raise ValueError(f"{path} holds networks of different kinds: {', '.join(str(file.parent) for file in files)}")
    joined = {name: torch.cat([part.weights[name] for part in parts]) for name in parts[0].weights}
    seeds = tuple(seed for part in parts for seed in part.seeds)
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{path} holds a seed twice: {', '.join(file.parent.name for file in files)} overlap")
    return replace(parts[0], seeds=seeds, weights=joined).select(sorted(seeds)).to(device)


def read_weights(file: str | Path) -> tuple[Networks, dict]:
    """Networks of one weights file, and its metadata.

    Raises:
        ValueError: as `load_networks`.
    """
    weights, facts = read_tensors(file)
    if "specification" not in facts:
        raise ValueError(f"{file}: holds no networks: its metadata have no specification")
    try:
        spec, seeds, device = _specification(facts), tuple(map(int, facts["seeds"])), str(facts["device"])
        shapes = {name: (len(seeds), *shape) for name, shape in spec.shapes().items()}
    except (AttributeError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: its specification is damaged ({type(error).__name__}: {error})") from None
    actual = {name: tuple(weight.shape) for name, weight in weights.items() if weight.is_floating_point()}
    if actual != shapes or len(weights) > len(shapes):
        raise ValueError(f"{file}: holds weights {actual} where its specification says {shapes}; it is damaged")
    try:
        return Networks(spec, seeds, weights, device), facts
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _specification(facts: dict) -> Specification:
    spec = dict(facts["specification"])
    front_end = spec["front_end"] and Layers.of(spec["front_end"])
    return Specification(**{**spec, "image_shape": tuple(spec["image_shape"]), "front_end": front_end})
