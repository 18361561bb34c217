"""Seconds of fine-tuning, over all interrupted and resumed runs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Stopwatch:
    """Counts the seconds of work, wherever it is interrupted.

    Attributes:
        before: seconds of earlier attempts, as a resume file has them.
    """

    def __init__(self) -> None:
        self.before = self._counted = 0.0
        self._started: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        running = 0.0 if self._started is None else time.monotonic() - self._started
        return self.before + self._counted + running

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Counts the seconds within."""
        self._started = time.monotonic()
        try:
            yield
        finally:
            self._counted += time.monotonic() - self._started
            self._started = None
