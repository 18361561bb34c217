"""Gradient flossing: Lyapunov exponents along noise frames are driven towards zero.

Engelken (2023), Gradient flossing: improving gradient descent through dynamic control of Jacobians, NeurIPS,
arXiv 2312.17306. S networks, C classes, n coordinates, K exponents.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from slowpoints.core.tensors import tensor_digest
from slowpoints.dynamics.relaxation import Step
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import next_states
from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Setup
from slowpoints.training.penalties import Penalty

EXPONENTS = 3
"""Leading exponents that are penalised."""


def changes(setup: Setup, lambda_: float) -> Changes:
    """A penalty along `noise_frames` frames from each class centre of the networks at the start."""
    points = setup.class_centres()
    return Changes(FlossingPenalty(setup.networks, *points, lambda_, setup.settings.noise_frames))


class FlossingPenalty(Penalty):
    """lambda times the sum, over points and exponents, of squared finite-time Lyapunov exponents per frame.

    Each point starts a path under noise frames of its own, drawn afresh at each call at full sigma. Tangent vectors
    go on from where they were after the last call, so that they stay along the leading directions.

    Args:
        networks: those that will be fine-tuned.
        points: `[S, C, n]`.
        exist: which of them exist, `[S, C]`; the others count for nothing.
        lambda_: weight of the sum.
        noise_frames: frames of a path.
    """

    capturable = False  # PyTorch's QR decomposition waits for the device

    def __init__(self, networks: Networks, points: Tensor, exist: Tensor, lambda_: float, noise_frames: int):
        self.points, self.lambda_, self.noise_frames = points, lambda_, noise_frames
        self.counts = exist.to(points.dtype)
        self.streams = networks.streams("fine-tuning penalty")
        drawn = points.new_empty(*points.shape, min(EXPONENTS, points.shape[-1]))
        for one, stream in zip(drawn, networks.streams("flossing tangents"), strict=True):
            one.normal_(generator=stream)
        self.tangents = torch.linalg.qr(drawn)[0]

    def __call__(self, networks: Networks) -> Tensor:
        n_networks, classes, _ = self.points.shape
        shape = (n_networks, classes * self.noise_frames, networks.spec.pixels)
        frames = networks.noise(self.streams, self.points.new_empty(shape))
        copies = self.tangents.shape[-1]  # of each state, one a tangent vector
        drives = [
            [part.repeat_interleave(copies, dim=1) for part in drive.chunk(self.noise_frames, dim=1)]
            for drive in networks.drive(networks.features(frames))
        ]
        steps = [partial(next_states, networks, list(of_frame)) for of_frame in zip(*drives, strict=True)]
        exponents, tangents = lyapunov_exponents(steps, self.points, self.tangents)
        self.tangents = tangents.detach()
        return self.lambda_ * (exponents.square().sum(-1) * self.counts).sum(1)

    def settings(self) -> list[Any]:
        tensors = (self.points, self.counts, self.tangents)
        return [type(self).__name__, self.lambda_, self.noise_frames, *map(tensor_digest, tensors)]

    def state(self) -> dict[str, Tensor]:
        return {"tangents": self.tangents}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.tangents = tensors["tangents"]


def lyapunov_exponents(steps: Iterable[Step], states: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
    """Leading finite-time Lyapunov exponents along a path, with a gradient.

    Tangent vectors are carried along by each step's Jacobian and made orthonormal again by a QR decomposition, whose
    diagonal says by how much each grew (Benettin et al. 1980).

    Args:
        steps: one map of states for each frame, which gets K copies of each state side by side, `[S, P * K, n]`.
        states: start of the path, `[S, P, n]`.
        tangents: orthonormal, `[S, P, n, K]`.

    Returns:
        Exponents per frame, `[S, P, K]`, and the tangent vectors at the end.
    """
    growth, frames = tangents.new_zeros(()), 0
    for step in steps:
        states, tangents = _carried(step, states, tangents)
        tangents, triangle = torch.linalg.qr(tangents)
        growth = growth + triangle.diagonal(dim1=-2, dim2=-1).abs().log()
        frames += 1
    return growth / frames, tangents


def _carried(step: Step, states: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
    """States one step on, and tangent vectors carried along by its Jacobian J.

    J v is the gradient of w -> (J^T w) . v, so that no Jacobian is ever laid out.
    """
    copies = states[..., None, :].expand(*tangents.mT.shape).flatten(-3, -2)  # one a tangent vector
    if not copies.requires_grad:
        copies.requires_grad_()
    after = step(copies)
    probe = torch.zeros_like(after, requires_grad=True)
    (pulled_back,) = torch.autograd.grad(after, copies, probe, create_graph=True)
    (carried,) = torch.autograd.grad(pulled_back, probe, tangents.mT.flatten(-3, -2), create_graph=True)
    shape = tangents.mT.shape
    return after.view(shape)[..., 0, :], carried.view(shape).mT
