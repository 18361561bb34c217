"""Files of weights: the networks of a block, or of all blocks of a cell and mode."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import torch

from slowpoints.core.arguments import finite, instance
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
        mode: `trained`, or how the networks were fine-tuned.
        lambda_: lambda of the fine-tuning.

    Raises:
        TypeError, ValueError: naming the argument that cannot be written.
        OSError: naming the file, where it cannot be written.
    """
    instance(networks, Networks, "networks")
    instance(path, (str, os.PathLike), "path")
    instance(mode, str, "mode")
    if lambda_ is not None:
        lambda_ = finite(lambda_, "lambda_", least=0)
    facts = {"specification": asdict(networks.spec), "seeds": list(networks.seeds), "mode": mode, "lambda": lambda_}
    write_tensors({name: weight.cpu() for name, weight in networks.weights.items()}, path, facts)


def load_networks(path: str | Path, device: torch.device | str = "cpu") -> Networks:
    """Networks of a cell and mode, on the CPU unless told.

    Args:
        path: a weights file, the folder of a block, or the folder of a mode with all its blocks of seeds.
        device: where to put them.

    Raises:
        FileNotFoundError: if no weights file is there.
        ValueError: if there is no such device, if a file is damaged or holds no networks, or weights of another shape
            than it says, or if blocks in the folder belong to different kinds of network, or overlap.
    """
    instance(path, (str, os.PathLike), "path")
    device, path = checked_device(device), Path(path)
    files = [path] if path.is_file() else sorted(path.glob(f"**/{WEIGHTS}"))
    if not files:
        raise FileNotFoundError(f"{path} holds no {WEIGHTS}; it should be the folder of a cell and mode")
    blocks = [read_block(file)[0] for file in files]
    if len({json.dumps(asdict(block.spec)) for block in blocks}) > 1:
        raise ValueError(f"{path} holds networks of different kinds: {', '.join(str(file.parent) for file in files)}")
    joined = {name: torch.cat([block.weights[name] for block in blocks]) for name in blocks[0].weights}
    seeds = tuple(seed for block in blocks for seed in block.seeds)
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{path} holds a seed twice: {', '.join(file.parent.name for file in files)} overlap")
    return replace(blocks[0], seeds=seeds, weights=joined).select(sorted(seeds)).to(device)


def read_block(file: str | Path) -> tuple[Networks, dict]:
    """Networks of one weights file, and what its metadata say of it.

    Raises:
        ValueError: as `load_networks`.
    """
    weights, facts = read_tensors(file)
    if "specification" not in facts:
        raise ValueError(f"{file}: holds no networks, which come with their specification")
    try:
        spec, seeds, device = _specification(facts), tuple(map(int, facts["seeds"])), str(facts["device"])
        shapes = {name: (len(seeds), *shape) for name, shape in spec.shapes().items()}
    except (AttributeError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: its specification is damaged ({type(error).__name__}: {error})") from None
    found = {name: tuple(weight.shape) for name, weight in weights.items() if weight.is_floating_point()}
    if found != shapes or len(weights) > len(shapes):
        raise ValueError(f"{file}: holds weights {found} where its specification says {shapes}; it is damaged")
    try:
        return Networks(spec, seeds, weights, device), facts
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _specification(facts: dict) -> Specification:
    spec = dict(facts["specification"])
    front_end = spec["front_end"] and Layers.of(spec["front_end"])
    return Specification(**{**spec, "image_shape": tuple(spec["image_shape"]), "front_end": front_end})
