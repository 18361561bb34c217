"""Unrolling an ensemble over the frames of its trials, with a hand-written backward pass.

Nineteen of a trial's twenty frames are noise frames from a shared bank. Drives are therefore passed as a table of rows,
with an index of the row that each trial meets at each frame: they are gathered frame by frame while in cache, never
laid out for all frames at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from slowpoints.networks.recurrence.numba_unroll import KernelUnroll, kernels_of
from slowpoints.networks.recurrence.torch_compiled import fused
from slowpoints.networks.units.unit import Unit


def unroll(unit: Unit, tables: list[Tensor], index: Tensor, recurrent: Tensor) -> Tensor:
    """Hidden states of every trial at every frame, from the zero state.

    Args:
        unit: the recurrent unit.
        tables: drives of each gate group, `[S, R, g * H]` for g gates, R rows per network.
        index: row that a trial meets at a frame, `[T, S, B]` in [0, R).
        recurrent: `[S, H, columns]`.

    Returns:
        `[T, S, B, H]`, differentiable in `tables` and `recurrent`.
    """
    if recurrent.device.type == "cpu" and recurrent.dtype == torch.float32 and (kernels := kernels_of(unit)):
        return KernelUnroll.apply(kernels, unit.parts, index, *tables, *unit.split_recurrent(recurrent))
    networks, rows = tables[0].shape[:2]
    offset = torch.arange(networks, device=index.device).mul_(rows)[:, None]
    flat = [table.reshape(networks * rows, -1) for table in tables]
    run = _Recurrence.apply if unit.has_adjoint else _unroll_automatically
    if recurrent.is_cuda and unit.has_adjoint:
        unit = fused(unit)
    return run(unit, index + offset, recurrent, *flat)


def gathered(tables: Sequence[Tensor], rows: Tensor) -> list[Tensor]:
    """Rows `[S, B]` of tables `[S * R, columns]`, in which networks follow each other: `[S, B, columns]` of each."""
    networks, trials = rows.shape
    return [table.index_select(0, rows.reshape(-1)).view(networks, trials, -1) for table in tables]


def _unroll_automatically(unit: Unit, index: Tensor, recurrent: Tensor, *tables: Tensor) -> Tensor:
    """The same by automatic differentiation, for units without an adjoint and as a reference for tests."""
    _, networks, trials = index.shape
    weights = unit.split_recurrent(recurrent)
    state = unit.initial_state(networks, trials, recurrent.shape[1], like=recurrent)
    hidden = []
    for rows in index:
        state, _ = unit.step(gathered(tables, rows), state, weights)
        hidden.append(state[0])
    return torch.stack(hidden)


class _Recurrence(torch.autograd.Function):
    """Unrolled recurrence, its backward pass `Unit.adjoint` frame by frame."""

    @staticmethod
    def forward(ctx: Any, unit: Unit, index: Tensor, recurrent: Tensor, *tables: Tensor) -> Tensor:
        frames, networks, trials = index.shape
        weights = unit.split_recurrent(recurrent)
        state = unit.initial_state(networks, trials, recurrent.shape[1], like=recurrent)
        hidden = recurrent.new_empty(frames, networks, trials, recurrent.shape[1])
        ctx.states, ctx.saved = [], []
        for frame in range(frames):
            ctx.states.append(state)
            state, saved = unit.step(gathered(tables, index[frame]), state, weights)
            ctx.saved.append(saved)
            hidden[frame] = state[0]
        ctx.unit, ctx.tables = unit, [table.shape for table in tables]
        ctx.save_for_backward(index, recurrent)
        return hidden

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor) -> tuple[Tensor | None, ...]:
        index, recurrent = ctx.saved_tensors
        weights = ctx.unit.split_recurrent(recurrent)
        grad_weights = [torch.zeros_like(weight, memory_format=torch.contiguous_format) for weight in weights]
        grad_tables = [recurrent.new_zeros(shape) for shape in ctx.tables]
        grad = tuple(torch.zeros_like(part) for part in ctx.states[0])
        for frame in reversed(range(len(index))):
            grad = (grad[0] + grad_hidden[frame], *grad[1:])
            grad, terms = ctx.unit.adjoint(grad, ctx.states[frame], ctx.saved[frame], weights)
            rows = index[frame].reshape(-1)
            for (left, grad_drive), grad_weight, grad_table in zip(terms, grad_weights, grad_tables, strict=True):
                if left is not None:
                    grad_weight.baddbmm_(left.mT, grad_drive)
                grad_table.index_add_(0, rows, grad_drive.view(len(rows), -1))
        return None, None, torch.cat(grad_weights, dim=-1), *grad_tables
