"""What stands in the head of tensor files, read without PyTorch: planning must not wait for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LONGEST = 100_000_000  # bytes, as safetensors itself allows


def safetensors_facts(path: Path) -> dict[str, Any]:
    """The facts that were written with tensors (`core.tensors`); none where it is damaged, or not ours."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head = json.loads(file.read(length) if length <= LONGEST else "")
        return dict(json.loads(head["__metadata__"]["slowpoints"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
