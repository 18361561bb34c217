"""What makes a training step fast on a GPU: matrix precision, fused elementwise work, the step as a CUDA graph.

One small network leaves a GPU idle between some hundred launches a step. Each part can be left out: products in
float32, units as they are written, steps launched operation by operation, which is what runs on a CPU.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import logging
from collections.abc import Callable, Iterator, Sequence

import torch

from slowpoints.cells import Cell

log = logging.getLogger(__name__)

WARM_UP = 3  # runs before a capture, in which PyTorch sets up its libraries (its notes on CUDA graphs)
PRECISIONS = ("float32", "tf32")


@contextlib.contextmanager
def precision(name: str) -> Iterator[None]:
    """Matrix products and convolutions in that precision inside; weights and all else stay float32.

    Args:
        name: `float32`, or `tf32` for tensor cores, which round factors to 10 bits; the same on a CPU.
    """
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = matmul.fp32_precision, conv.fp32_precision
    matmul.fp32_precision = conv.fp32_precision = {"float32": "ieee", "tf32": "tf32"}[name]
    try:
        yield
    finally:
        matmul.fp32_precision, conv.fp32_precision = before


@functools.cache
def fused(cell: Cell) -> Cell:
    """The unit with the elementwise work of its step and adjoint compiled into few kernels."""
    compiled = copy.copy(cell)
    compiled.step = _Compiled(cell.step)
    compiled.adjoint = _Compiled(cell.adjoint)
    return compiled


class _Compiled:
    """A function compiled by PyTorch; as it was where that fails."""

    def __init__(self, plain: Callable):
        self.plain, self.run = plain, torch.compile(plain, dynamic=False)

    def __call__(self, *arguments):
        try:
            return self.run(*arguments)
        except Exception as error:  # a missing compiler, an unknown device: of many kinds
            if self.run is self.plain or isinstance(error, torch.OutOfMemoryError):
                raise
            log.warning("%s is not compiled (%s): it runs as it is", self.plain.__qualname__, error)
            self.run = self.plain
            return self.plain(*arguments)


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
        self.runs, self.graph, self.outputs = 0, None, None
        self.aside = torch.cuda.Stream()

    def __call__(self):
        if self.runs == WARM_UP:
            self._capture()
        self.runs += 1
        if self.graph is None:
            return self._warm_up()
        self.graph.replay()
        return self.outputs

    def _warm_up(self):
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
