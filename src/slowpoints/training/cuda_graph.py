"""A training step as a CUDA graph: one small network leaves a GPU idle between some hundred launches a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

WARM_UP = 3  # runs before a capture, in which PyTorch sets up its libraries (its notes on CUDA graphs)


class Captured:
    """Work on a GPU that is captured as a CUDA graph after a few runs, and replayed from then on.

    The work must read and write the same memory each time, never wait for the device, and draw random numbers only
    from the given streams.

    Args:
        work: what to run; what it returns is overwritten by each replay.
        streams: random streams on the device that the work draws from.

    Raises:
        RuntimeError: if the work cannot be captured, which leaves the random streams unusable.
    """

    def __init__(self, work: Callable, streams: Sequence[torch.Generator]):
        self.work, self.streams = work, streams
        self.runs = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.outputs: Any = None
        self.aside = torch.cuda.Stream()

    def __call__(self) -> Any:
        if self.runs == WARM_UP:
            self._capture()
        self.runs += 1
        if self.graph is None:
            return self._warm_up()
        self.graph.replay()
        return self.outputs

    def _warm_up(self) -> Any:
        """One run on a stream of its own, as runs before a capture must be."""
        self.aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.aside):
            outputs = self.work()
        torch.cuda.current_stream().wait_stream(self.aside)
        return outputs

    def _capture(self) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            for stream in self.streams:
                graph.register_generator_state(stream)
            with torch.cuda.graph(graph):
                self.outputs = self.work()
        except RuntimeError as error:
            raise RuntimeError(
                f"a training step could not be captured as a CUDA graph ({error}); set training.cuda_graph to false"
            ) from error
        self.graph = graph
