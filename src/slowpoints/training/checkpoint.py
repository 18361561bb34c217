"""Resume files: a training run is saved every few minutes, and resumes after an interruption."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import NamedTuple, Protocol

from torch import Tensor

from slowpoints.core.files import RESUME, remove_leftovers
from slowpoints.core.provenance import settings_digest
from slowpoints.core.tensors import read_tensors, write_tensors

log = logging.getLogger(__name__)


class Resumable(Protocol):
    """What can be saved and resumed."""

    def state(self) -> tuple[dict[str, Tensor], dict]:
        """Tensors and facts that determine the rest of the run."""

    def restore(self, tensors: dict[str, Tensor], facts: dict) -> None:
        """Restores what `state` returned."""


class ResumeAt(NamedTuple):
    """Where a run is saved, how often, and by which code.

    Attributes:
        path: the file.
        minutes: time between two writes.
        code: digest of the code that runs (`core.digests`), known to the caller alone: a file of other code is ignored.
    """

    path: Path
    minutes: float
    code: str

    @classmethod
    def beside(cls, output: str | Path, minutes: float, code: str) -> ResumeAt:
        """In the folder of an output, by its own name: no declared output, so that a killed job keeps it."""
        return cls(Path(output).with_name(RESUME), minutes, code)

    def done(self) -> None:
        """Removes the file: to be called once the results are written."""
        self.path.unlink(missing_ok=True)
        remove_leftovers(self.path)


class ResumeFile:
    """A file that holds a run between one start and the next.

    Args:
        at: where, how often, and by which code; the file need not exist.
        settings: all that the run depends on, code aside: a file of other settings, or of other code, is ignored.
    """

    def __init__(self, at: ResumeAt, settings: object):
        self.at, self.settings = at, settings_digest(settings)
        self.written = time.monotonic()

    def restore(self, run: Resumable) -> bool:
        """Restores the run from the file; False, with the reason in the log, if it holds no such run."""
        if not self.at.path.is_file():
            return False
        try:
            tensors, facts = read_tensors(self.at.path)
        except (OSError, ValueError) as error:
            log.warning("%s: starting anew", error)
            return False
        for what, expected in (("settings", self.settings), ("code", self.at.code)):
            if facts.get(what) != expected:
                log.warning("%s was written with other %s: starting anew", self.at.path, what)
                return False
        run.restore(tensors, facts["run"])
        return True

    def save_if_due(self, run: Resumable) -> None:
        """Writes the run to the file if it is time."""
        if time.monotonic() - self.written >= 60 * self.at.minutes:
            tensors, facts = run.state()
            write_tensors(tensors, self.at.path, {"settings": self.settings, "code": self.at.code, "run": facts})
            self.written = time.monotonic()
