"""Tensors in safetensors files, written atomically, with their provenance."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import safetensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from slowpoints.core.files import atomic
from slowpoints.core.provenance import stamp

VERSION = "1"
"""Schema version of these files, raised when a tensor or a fact changes its name or meaning."""


def write_tensors(tensors: dict[str, Tensor], path: str | Path, facts: dict) -> None:
    """Writes tensors as safetensors, with `facts` and the stamp as sorted JSON in one metadata key.

    Several keys would be written in random order, but equal runs must give equal bytes.
    """
    metadata = {"slowpoints": json.dumps({**stamp(), "schema_version": VERSION, **facts}, sort_keys=True)}
    with atomic(path) as temporary:
        temporary.write_bytes(save_tensors({name: t.contiguous() for name, t in tensors.items()}, metadata))


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Tensors by name, and the facts written with them.

    Raises:
        ValueError: naming the file, if it is damaged or of another schema version.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            facts = dict(json.loads((file.metadata() or {}).get("slowpoints", "{}")))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged header, a type that PyTorch lacks, or facts that are no JSON object
        raise ValueError(f"{path}: not a whole safetensors file ({error})") from None
    version = facts.get("schema_version", VERSION)
    if version != VERSION:
        raise ValueError(f"{path}: tensors of schema version {version}, where {VERSION} is expected")
    return tensors, facts


def tensor_digest(tensor: Tensor) -> str:
    """SHA-256 of the values of a tensor, in hexadecimal digits."""
    return hashlib.sha256(tensor.detach().cpu().contiguous().numpy().data).hexdigest()
