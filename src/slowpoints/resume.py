"""Resume files: a training run, put down every so many minutes, to be taken up where it was left."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import NamedTuple, Protocol

import safetensors
from torch import Tensor

from slowpoints.provenance import library_digest, settings_digest
from slowpoints.storage import read_tensors, write_tensors

log = logging.getLogger(__name__)

NAME = "resume.safetensors"


class Resumable(Protocol):
    """What can be put down and taken up."""

    def state(self) -> tuple[dict[str, Tensor], dict]:
        """Tensors and facts that say all of where it stands."""

    def restore(self, tensors: dict[str, Tensor], facts: dict) -> None:
        """Takes up what `state` put down."""


class ResumeFile:
    """A file that holds a run between one start and the next.

    Args:
        path: the file; it need not exist.
        settings: all that the run depends on, code aside: a file of other settings, or of other code, is not taken up.
        minutes: time between two writes.
    """

    def __init__(self, path: str | Path, settings: object, minutes: float):
        self.path, self.minutes = Path(path), minutes
        self.digest = settings_digest(settings)
        # Of all that can take part in a run: fine-tuning reaches training.
        self.code = library_digest(Path(__file__).with_name("regularisation.py"))
        self.written = time.monotonic()

    def take_up(self, run: Resumable) -> bool:
        """Restores the run from the file; False, with the reason in the log, where there is none to go on from."""
        if not self.path.is_file():
            return False
        try:
            tensors, facts = read_tensors(self.path)
        except (safetensors.SafetensorError, OSError, ValueError) as error:
            log.warning("%s cannot be read (%s): starting anew", self.path, error)
            return False
        for what, own in (("settings", self.digest), ("code", self.code)):
            if facts.get(what) != own:
                log.warning("%s was written with other %s: starting anew", self.path, what)
                return False
        run.restore(tensors, facts["run"])
        return True

    def put_down(self, run: Resumable) -> None:
        """Writes the run to the file if it is time."""
        if time.monotonic() - self.written >= 60 * self.minutes:
            tensors, facts = run.state()
            write_tensors(tensors, self.path, {"settings": self.digest, "code": self.code, "run": facts})
            self.written = time.monotonic()


class ResumeAt(NamedTuple):
    """Where a run is put down, and how often."""

    path: Path
    minutes: float

    @classmethod
    def beside(cls, output: str | Path, minutes: float) -> ResumeAt:
        """In the folder of an output, by its own name: no declared output, so that a killed job keeps it."""
        return cls(Path(output).with_name(NAME), minutes)

    def done(self) -> None:
        """Removes the file: to be called once the results are written."""
        self.path.unlink(missing_ok=True)
