"""How long memories last in noise, predicted without a fit from what single noisy frames do along a path.

The state of a memory is taken to be Gaussian. Its mean z follows the noise-averaged map, its covariance P the
linearisation about the mean (the linear noise approximation; van Kampen 2007, chapter X):

    z' = E F(z, noise)        P' = J P Jᵀ + Q        J = E ∂F(z, noise) / ∂z        Q = Cov F(z, noise)

The probability that a triggered step reads out the class follows from the mean and covariance of the outputs. The
noise-averaged map is not the map under the mean input: noise moves states on average too.

S networks, C classes, P = S * C points, K noise frames, n state coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from slowpoints.core.progress import report_stage
from slowpoints.core.streams import generator
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import jacobian
from slowpoints.measures.centres import CENTRE_FRAMES
from slowpoints.measures.noise_at_points import PAIRS, noise_drives
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import advance
from slowpoints.task.timing import FRAMES

TRAINED = FRAMES - 1
"""Longest delay seen in training, in frames."""
STEPS_PER_UPDATE = 1 / 16
"""The path is linearised anew after this share of the frames since the image."""
JACOBIAN_PAIRS = 4
"""Pairs of noise frames over which Jacobians are averaged."""
OUTPUT_DRAWS = 512
"""Draws of the outputs from which the probability of the right report is estimated."""

NoisyStep = Callable[[list[Tensor], Tensor], Tensor]
"""From the drive of each block, `[S, K, width * H]`, and states `[S, K, n]` to values `[S, K, m]`."""


class Moments(NamedTuple):
    """A noisy step at C states of each network.

    Attributes:
        mean: over noise frames, `[S, C, m]`.
        covariance: over noise frames, `[S, C, m, m]`.
        jacobian: of the mean in the state, `[S, C, m, n]`.
    """

    mean: Tensor
    covariance: Tensor
    jacobian: Tensor


@torch.no_grad()
def predicted_lifetimes(
    networks: Networks, dynamics: Dynamics, centres: Tensor, longest: int
) -> tuple[Tensor, Tensor]:
    """Delays at which predicted accuracy has fallen half-way from its trained level to chance.

    Defined as the measured half-life (`analysis.memory_score.half_life`), of each class by itself: the trained level is
    the accuracy at delay 19, chance is 1 / C.

    Args:
        networks: S networks.
        dynamics: theirs under the mean input.
        centres: class centres `[P, n]`, reached `CENTRE_FRAMES` frames after the image's onset.
        longest: longest delay at which memory is measured, in frames.

    Returns:
        `[P]` delays in frames, 0 where the trained level is not above chance, `longest` where accuracy does not fall
        half-way by then; and whether it does not, `[P]`.
    """
    delays, accuracy = predicted_accuracy(networks, dynamics, centres, max(longest, FRAMES))
    return half_way(delays, accuracy, 1 / networks.spec.classes, longest)


@torch.no_grad()
def predicted_accuracy(
    networks: Networks, dynamics: Dynamics, centres: Tensor, longest: int
) -> tuple[list[int], Tensor]:
    """Predicted retrieval accuracy of each memory against delay.

    Args:
        networks: S networks.
        dynamics: theirs under the mean input.
        centres: class centres, `[P, n]`.
        longest: longest delay, in frames, above `CENTRE_FRAMES`.

    Returns:
        D delays in frames, from `CENTRE_FRAMES` to `longest`, and accuracies `[D, P]`.
    """
    step, outputs = noisy_steps(networks)
    drives = noise_drives(networks)
    state = centres.double().view(len(networks), -1, dynamics.coordinates)
    spread = state.new_zeros(*state.shape, dynamics.coordinates)
    delay, delays, accuracies = CENTRE_FRAMES, [], []
    with report_stage("predicted lifetimes", longest - CENTRE_FRAMES, unit="frame") as progress:
        while True:
            reported = moments(outputs, drives, state)
            seen = reported.jacobian @ spread @ reported.jacobian.mT + reported.covariance
            delays.append(delay)
            accuracies.append(right_reports(reported.mean, seen))
            frames = min(max(1, int(delay * STEPS_PER_UPDATE)), longest - delay)
            if not frames:
                return delays, torch.stack(accuracies).flatten(1)
            one = moments(step, drives, state)
            bias = one.mean.flatten(0, 1) - dynamics.step(state.flatten(0, 1))
            for _ in range(frames):
                state = (dynamics.step(state.flatten(0, 1)) + bias).view(state.shape)
            power, added = several_frames(one.jacobian, one.covariance, frames)
            spread = power @ spread @ power.mT + added
            delay += frames
            progress.update(frames)


def noisy_steps(networks: Networks) -> tuple[NoisyStep, NoisyStep]:
    """One frame of the state, and the outputs after a triggered frame."""

    def outputs(drives: list[Tensor], states: Tensor) -> Tensor:
        triggered = [drive + extra[:, None] for drive, extra in zip(drives, networks.trigger, strict=True)]
        return networks.logits(advance(networks, triggered, states)[..., : networks.spec.hidden])

    return lambda drives, states: advance(networks, drives, states), outputs


def moments(step: NoisyStep, drives: list[Tensor], states: Tensor) -> Moments:
    """Mean, covariance and Jacobian of a noisy step at states `[S, C, n]`.

    Args:
        step: `[S, K, n]` to `[S, K, m]`.
        drives: of each block under K noise frames, as of `noise_drives`.
        states: `[S, C, n]`.
    """
    some = [*range(JACOBIAN_PAIRS), *range(PAIRS, PAIRS + JACOBIAN_PAIRS)]
    few = [drive[:, some] for drive in drives]

    def averaged(rows: Tensor) -> Tensor:
        return step(few, rows[:, None].expand(-1, len(some), -1)).mean(1)

    parts = []
    for point in states.to(drives[0].dtype).unbind(1):  # one class at a time: bounds the memory taken
        values = step(drives, point[:, None].expand(-1, drives[0].shape[1], -1)).double()
        mean = values.mean(1)
        deviation = values - mean[:, None]
        parts.append((mean, deviation.mT @ deviation / values.shape[1], jacobian(averaged, point).double()))
    return Moments(*(torch.stack(each, dim=1) for each in zip(*parts, strict=True)))


def several_frames(jacobian: Tensor, covariance: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Several frames of z' = J z + noise as one, by repeated squaring.

    Args:
        jacobian: J, `[..., n, n]`.
        covariance: Q of the noise of one frame, `[..., n, n]`.
        frames: T, at least 1.

    Returns:
        J^T, and the noise's covariance after T frames, the sum over t < T of J^t Q (J^t)ᵀ.
    """
    if frames == 1:
        return jacobian, covariance
    half, noise = several_frames(jacobian, covariance, frames // 2)
    power, added = half @ half, half @ noise @ half.mT + noise
    if frames % 2:
        power, added = jacobian @ power, jacobian @ added @ jacobian.mT + covariance
    return power, added


def right_reports(mean: Tensor, covariance: Tensor) -> Tensor:
    """Probability that the class's own output is the largest, `[S, C]`; 0 where the prediction has diverged.

    The same draws serve all networks and delays, so that differences between these are not due to the draws.

    Args:
        mean: of Gaussian outputs, `[S, C, C + 1]`, null first.
        covariance: of outputs, `[S, C, C + 1, C + 1]`.
    """
    classes = mean.shape[1]
    finite = mean.isfinite().all(-1) & covariance.isfinite().all((-1, -2))
    covariance = torch.where(finite[..., None, None], covariance, 0)
    # Outputs may depend on each other linearly: a billionth of their variance makes the factor exist.
    ridge = 1e-9 * covariance.diagonal(dim1=-2, dim2=-1).sum(-1) + torch.finfo(mean.dtype).tiny
    factor, _ = torch.linalg.cholesky_ex(covariance + ridge[..., None, None] * torch.eye(classes + 1).to(covariance))
    stream = generator("predicted lifetimes")
    draws = torch.randn(OUTPUT_DRAWS, classes + 1, generator=stream, dtype=torch.float64).to(mean)
    reported = (mean[:, :, None] + draws @ factor.mT).argmax(-1) - 1
    right = reported == torch.arange(classes, device=mean.device)[:, None]
    return right.double().mean(-1) * finite


def half_way(delays: list[int], accuracy: Tensor, chance: float, longest: int) -> tuple[Tensor, Tensor]:
    """First delay at which accuracy has fallen half-way to chance, interpolated linearly in log delay.

    Args:
        delays: D delays in frames, increasing, `TRAINED` among them.
        accuracy: `[D, P]`.
        chance: accuracy of a guess.
        longest: delay at which the result is capped.

    Returns:
        `[P]` delays and whether each is capped, as of `predicted_lifetimes`.
    """
    first = delays.index(TRAINED)
    log_delay, accuracy = accuracy.new_tensor(delays[first:]).log(), accuracy[first:]
    level = (accuracy[0] + chance) / 2
    below = accuracy <= level
    after = below.int().argmax(0).clamp(min=1)
    high, low = (accuracy.gather(0, place[None])[0] for place in (after - 1, after))
    share = (high - level) / (high - low)
    crossing = (log_delay[after - 1] + share * (log_delay[after] - log_delay[after - 1])).exp()
    lifetime = torch.where(below.any(0), crossing, torch.inf)
    lifetime = torch.where(below[0], 0.0, lifetime)
    return lifetime.clamp(max=longest), lifetime >= longest
