"""Fine-tuned copies of a module, one for each weight of a penalty, saved so that an interrupted choice resumes."""

from __future__ import annotations

import copy
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from slowpoints.core.arguments import instance
from slowpoints.core.tensors import read_tensors, tensor_digest, write_tensors

log = logging.getLogger(__name__)


class TunedCopies:
    """Fine-tuned copies of a module, from a folder if they already exist."""

    def __init__(
        self,
        module: nn.Module,
        fine_tune: Callable[[nn.Module, float], Any],
        folder: str | Path | None,
    ):
        if folder is not None:
            instance(folder, (str, os.PathLike), "folder")
        self.module, self.fine_tune = module, fine_tune
        self.folder = None if folder is None else Path(folder)
        if self.folder and self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"folder is {folder}, which is a file; it must be a folder, or not exist yet")
        self.start = _digests(module)
        self.control: dict[str, str] = {}  # of the copy with weight 0
        self.random_state: dict[str, list[str]] = {}

    @contextmanager
    def random_numbers(self) -> Iterator[None]:
        """Random numbers as the control was trained with, if it is in the folder; the caller's again afterwards."""
        with torch.random.fork_rng():
            if saved := self._saved(0):
                _restore_random_state(saved[1].get("random_state", {}))
            self.random_state = _random_state()
            yield

    def tuned(self, weight: float) -> tuple[nn.Module, float]:
        """The copy fine-tuned with a weight, and the seconds that this took."""
        tuned = copy.deepcopy(self.module)
        if saved := self._saved(weight):
            tensors, facts = saved
            log.warning("weight %g read from %s, not trained again", weight, self._path(weight))
            tuned.load_state_dict(tensors)
            self._compared(tuned, weight)
            return tuned, float(facts["seconds"])
        begun = time.perf_counter()
        with torch.random.fork_rng():
            self.fine_tune(tuned, weight)
        seconds = time.perf_counter() - begun
        if _digests(self.module) != self.start:
            raise ValueError(
                f"fine_tune(copy, {weight:g}) changed `module` itself; it must train the copy that it receives alone"
            )
        self._compared(tuned, weight)
        if path := self._path(weight):
            facts = {"start": self.start, "weight": weight, "seconds": seconds}
            if not weight:
                facts["random_state"] = self.random_state  # from which every copy is trained
            write_tensors(_tensors(tuned), path, facts)
        return tuned, seconds

    def _path(self, weight: float) -> Path | None:
        return None if self.folder is None else self.folder / f"weight-{weight:g}.safetensors"

    def _saved(self, weight: float) -> tuple[dict[str, Tensor], dict] | None:
        """Weights and facts of a copy in the folder; None if it is not there.

        Raises:
            ValueError: if it is a copy of another module, or damaged.
        """
        path = self._path(weight)
        if path is None or not path.is_file():
            return None
        try:
            tensors, facts = read_tensors(path)
        except ValueError as error:
            raise ValueError(f"{error}; remove it to train this copy again") from None
        if facts.get("start") != self.start:
            raise ValueError(f"{path} holds a copy of another module; name another folder, or remove this one")
        return tensors, facts

    def _compared(self, tuned: nn.Module, weight: float) -> None:
        """Raises ValueError if training had no effect on the copy, or its weight none."""
        if not weight:
            self.control = _digests(tuned)
            if self.control == self.start:
                raise ValueError(
                    "fine_tune(copy, 0) left the copy as it was; it must train the copy that it receives, with an "
                    "optimiser of its parameters"
                )
        elif _digests(tuned) == self.control:
            raise ValueError(
                f"fine_tune(copy, {weight:g}) left the same copy as fine_tune(copy, 0); it must train the copy that "
                "it receives, with a penalty built from that copy"
            )


def _random_state() -> dict[str, list[str]]:
    """State of PyTorch's random number generators, of the CPU and each GPU, in hexadecimal digits."""
    states = {"cpu": [torch.get_rng_state()], "cuda": torch.cuda.get_rng_state_all()}
    return {device: [state.numpy().tobytes().hex() for state in each] for device, each in states.items()}


def _restore_random_state(saved: dict[str, list[str]]) -> None:
    """Sets the generators to a state of `_random_state`; GPUs that were not there then are left as they are."""
    for state in saved.get("cpu", []):
        torch.set_rng_state(_of_digits(state))
    for device, state in zip(range(torch.cuda.device_count()), saved.get("cuda", []), strict=False):
        torch.cuda.set_rng_state(_of_digits(state), device)


def _of_digits(digits: str) -> Tensor:
    return torch.frombuffer(bytearray.fromhex(digits), dtype=torch.uint8)


def _digests(module: nn.Module) -> dict[str, str]:
    return {name: tensor_digest(tensor) for name, tensor in _tensors(module).items()}


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """State of a module as tensors that share no memory."""
    return {name: tensor.detach().clone().contiguous() for name, tensor in module.state_dict().items()}
