"""The recurrence of an ensemble on a CPU by the compiled passes of its unit, `Unit.kernels`."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from slowpoints.networks.units.unit import Kernels, Unit

log = logging.getLogger(__name__)


@functools.cache
def kernels_of(unit: Unit) -> Kernels | None:
    """A unit's compiled passes; None if it has none, inherits them but overrides its equations, or Numba is missing."""
    methods = ("kernels", "step", "adjoint")
    if len({next(base for base in type(unit).__mro__ if method in vars(base)) for method in methods}) > 1:
        return None  # the passes are those of a base class with other equations
    try:
        return unit.kernels()
    except ImportError as error:
        log.warning("training is slower on this CPU, without compiled passes: %s", error)
        return None


class KernelUnroll(torch.autograd.Function):
    """All frames of all networks, in float32.

    Its passes take the indices of the first network and of the one after the last, and

    - index: row of the tables that a trial meets at a frame, `[T, S, B]`;
    - grad_hidden (backward): gradient with respect to the hidden states, `[S, T, B, H]`;
    - tables: drives of each gate group, `[S, R, g * H]` for g gates;
    - weights: recurrent weights of each gate group, `[S, H, g * H]`;
    - states: each part of the state before frames 0, 1, ... and after the last, `[S, T + 1, B, H]`;
    - saved: arrays that the forward pass keeps for the backward pass, `[S, T, B, width * H]` each;
    - grad_tables, grad_weights (backward): gradients, to be added to and to be filled.
    """

    @staticmethod
    def forward(ctx: Any, kernels: Kernels, parts: int, index: Tensor, *operands: Tensor) -> Tensor:
        tensors, groups = [operand.contiguous() for operand in operands], len(operands) // 2
        tables, weights = tensors[:groups], tensors[groups:]
        (frames, networks, trials), hidden = index.shape, weights[0].shape[1]
        states = [weights[0].new_empty(networks, frames + 1, trials, hidden) for _ in range(parts)]
        for part in states:
            part[:, 0] = 0
        saved = [weights[0].new_empty(networks, frames, trials, width * hidden) for width in kernels.saved]
        ctx.kernels, ctx.tables, ctx.saved = kernels, [table.shape for table in tables], (states, saved)
        index = index.contiguous()
        ctx.save_for_backward(index, *weights)
        _run(kernels.forward, networks, index, tables, weights, states, saved)
        return states[0][:, 1:].transpose(0, 1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor) -> tuple[Tensor | None, ...]:
        index, *weights = ctx.saved_tensors
        grad_hidden = grad_hidden.transpose(0, 1).contiguous()
        grad_tables = [grad_hidden.new_zeros(shape) for shape in ctx.tables]
        grad_weights = [torch.empty_like(weight) for weight in weights]
        _run(ctx.kernels.backward, len(grad_hidden), index, grad_hidden, weights, *ctx.saved, grad_tables, grad_weights)
        return None, None, None, *grad_tables, *grad_weights


def _run(kernel: Callable, networks: int, *arguments: Tensor | list[Tensor]) -> None:
    """Runs a pass on as many threads as PyTorch uses, each with networks of its own."""
    arrays = [a.numpy() if isinstance(a, Tensor) else tuple(tensor.numpy() for tensor in a) for a in arguments]
    available = torch.get_num_threads()
    threads = min(available, networks)
    bounds = [thread * networks // threads for thread in range(threads + 1)]
    torch.set_num_threads(1)  # products are too small to be split further
    try:
        if threads == 1:
            kernel(0, networks, *arrays)
        else:
            runs = [_pool().submit(kernel, *part, *arrays) for part in itertools.pairwise(bounds)]
            for run in runs:
                run.result()
    finally:
        torch.set_num_threads(available)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    # OpenMP's number of threads is set per thread: without this a product would be split, and rounded differently.
    return ThreadPoolExecutor(thread_name_prefix="recurrence", initializer=torch.set_num_threads, initargs=(1,))
