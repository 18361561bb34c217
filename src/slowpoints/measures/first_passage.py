"""Lifetimes of memories in noise, predicted without fitted parameters from single noise frames along a path.

The state of a memory is taken to be Gaussian. Its mean z follows the noise-averaged map, its covariance P the
linearisation about the mean (the linear noise approximation; van Kampen 2007, chapter X):

    z' = E F(z, noise)        P' = J P Jᵀ + Q        J = E ∂F(z, noise) / ∂z        Q = Cov F(z, noise)

The probability that a triggered step reads out the class follows from the mean and covariance of the outputs. The
noise-averaged map is not the map under the mean input, since noise also moves states on average.

S networks, C classes, P = S * C points, B states, D delays, n state coordinates, g gates of a gate group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from slowpoints.core.progress import report_stage
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import jacobian
from slowpoints.dynamics.speed import StepResidual
from slowpoints.measures.centres import CENTRE_FRAMES
from slowpoints.measures.noise_at_points import noise_drives
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import next_states
from slowpoints.task.timing import FRAMES

TRAINED = FRAMES - 1
"""Longest delay seen in training, in frames."""
STEPS_PER_UPDATE = 1 / 16
"""The path is linearised anew after this share of the frames since the image."""
NOISE_PAIRS, JACOBIAN_PAIRS = 64, 4
"""Pairs of a noise frame and its mirror image: all of them for means, the first few for Jacobians."""
OUTPUT_DRAWS = 2048
"""Quasi-random draws of the outputs, among which correct reports are counted."""
EDGE = 1e-6
"""Distance of quasi-random numbers from 0 and 1, where the normal quantile is infinite."""

NoisyFunction = Callable[[list[Tensor], Tensor], Tensor]
"""From the drives of each gate group, `[S, B, g * H]`, and states `[S, B, n]` to values `[S, B, m]`."""


@torch.no_grad()
def predicted_lifetimes(networks: Networks, dynamics: Dynamics, centres: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """Delays at which predicted accuracy has fallen half-way from its trained level to chance.

    Defined as the measured half-life (`analysis.memory_score.half_life`), but for each class separately: the trained
    level is the accuracy at delay 19, chance is 1 / C.

    Args:
        networks: S networks.
        dynamics: their dynamics under the mean input.
        centres: class centres `[P, n]`, reached `CENTRE_FRAMES` frames after the image's onset.
        longest: longest delay at which memory is measured, in frames.

    Returns:
        `[P]` delays in frames, 0 where the trained level is not above chance, `longest` where accuracy does not fall
        half-way by then; and whether each is capped, `[P]`.
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
        dynamics: their dynamics under the mean input.
        centres: class centres, `[P, n]`.
        longest: longest delay, in frames; more than `CENTRE_FRAMES`.

    Returns:
        D delays in frames, from `CENTRE_FRAMES` to `longest`, and accuracies `[D, P]`.
    """
    noise = NoisyFrames(networks, dynamics)
    state = centres.double().view(len(networks), -1, dynamics.coordinates)
    spread = state.new_zeros(*state.shape, dynamics.coordinates)
    delay, delays, accuracies = CENTRE_FRAMES, [], []
    with report_stage("predicted lifetimes", longest - CENTRE_FRAMES, unit="frame") as progress:
        while True:
            delays.append(delay)
            mean, covariance = noise.moments(noise.outputs, state)
            slope = noise.output_jacobian(state)
            accuracies.append(right_reports(mean, slope @ spread @ slope.mT + covariance))
            frames = min(max(1, int(delay * STEPS_PER_UPDATE)), longest - delay)
            if not frames:
                return delays, torch.stack(accuracies).flatten(1)
            mean, covariance = noise.moments(noise.step, state)
            power, added = several_frames(noise.step_jacobian(state), covariance, frames)
            spread = power @ spread @ power.mT + added
            bias = mean.flatten(0, 1) - dynamics.step(state.flatten(0, 1))
            for _ in range(frames):
                state = (dynamics.step(state.flatten(0, 1)) + bias).view(state.shape)
            delay += frames
            progress.update(frames)


class NoisyFrames:
    """Effects of noise frames and their mirror images on states in one frame.

    Args:
        networks: S networks.
        dynamics: their dynamics under the mean input.
    """

    def __init__(self, networks: Networks, dynamics: Dynamics):
        self.networks, self.dynamics = networks, dynamics
        self.drives = noise_drives(networks, NOISE_PAIRS)
        first_pairs = [*range(JACOBIAN_PAIRS), *range(NOISE_PAIRS, NOISE_PAIRS + JACOBIAN_PAIRS)]
        self.jacobian_drives = [drive[:, first_pairs] for drive in self.drives]

    def step(self, drives: list[Tensor], states: Tensor) -> Tensor:
        """States `[S, B, n]` one frame later, under the drives of each gate group, `[S, B, g * H]`."""
        return next_states(self.networks, drives, states)

    def outputs(self, drives: list[Tensor], states: Tensor) -> Tensor:
        """Outputs after a triggered frame, `[S, B, C + 1]`, from the same arguments."""
        triggered = [drive + extra[:, None] for drive, extra in zip(drives, self.networks.trigger, strict=True)]
        return self.networks.logits(self.step(triggered, states)[..., : self.dynamics.hidden])

    def moments(self, function: NoisyFunction, states: Tensor) -> tuple[Tensor, Tensor]:
        """Mean `[S, C, m]` and covariance `[S, C, m, m]` over noise frames of `step` or `outputs` at `[S, C, n]`."""
        means, covariances = [], []
        for point in states.to(self.drives[0].dtype).split(1, dim=1):  # one class at a time, to bound memory use
            values = function(self.drives, point.expand(-1, 2 * NOISE_PAIRS, -1)).double()
            means.append(values.mean(1))
            deviation = values - values.mean(1, keepdim=True)
            covariances.append(deviation.mT @ deviation / values.shape[1])
        return torch.stack(means, dim=1), torch.stack(covariances, dim=1)

    def step_jacobian(self, states: Tensor) -> Tensor:
        """Jacobian of the mean state one frame later, at states `[S, C, n]`: `[S, C, n, n]`."""
        flat, drives = states.flatten(0, 1), torch.cat(self.jacobian_drives, dim=-1).double().unbind(1)
        moves = [StepResidual(replace(self.dynamics, drive=drive)).jacobian(flat) for drive in drives]
        mean = torch.stack(moves).mean(0)
        mean.diagonal(dim1=-2, dim2=-1).add_(1)
        return mean.view(*states.shape, states.shape[-1])

    def output_jacobian(self, states: Tensor) -> Tensor:
        """Jacobian of the mean outputs after a triggered frame, at states `[S, C, n]`: `[S, C, C + 1, n]`."""
        shape = (*states.shape[:2], 2 * JACOBIAN_PAIRS)
        drives = [drive[:, None].expand(-1, shape[1], -1, -1).flatten(1, 2) for drive in self.jacobian_drives]

        def mean(rows: Tensor) -> Tensor:
            repeated = rows.view(*shape[:2], 1, -1).expand(*shape, -1).flatten(1, 2)
            return self.outputs(drives, repeated).unflatten(1, shape[1:]).mean(2).flatten(0, 1)

        slope = jacobian(mean, states.to(self.drives[0].dtype).flatten(0, 1))
        return slope.double().unflatten(0, shape[:2])


def several_frames(jacobian: Tensor, covariance: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Several frames of z' = J z + noise combined into one, by repeated squaring.

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
    """Probability that the output of the correct class is the largest, `[S, C]`; 0 where the prediction has diverged.

    The same draws serve all networks and delays.

    Args:
        mean: mean of the Gaussian outputs, `[S, C, C + 1]`, null first.
        covariance: their covariance, `[S, C, C + 1, C + 1]`.
    """
    classes = mean.shape[1]
    finite = mean.isfinite().all(-1) & covariance.isfinite().all((-1, -2))
    covariance = torch.where(finite[..., None, None], covariance, 0)
    # Outputs may be linearly dependent; a billionth of their variance on the diagonal makes the factor exist.
    ridge = 1e-9 * covariance.diagonal(dim1=-2, dim2=-1).sum(-1) + torch.finfo(mean.dtype).tiny
    factor, _ = torch.linalg.cholesky_ex(covariance + ridge[..., None, None] * torch.eye(classes + 1).to(covariance))
    points = SobolEngine(classes + 1, scramble=True, seed=0).draw(OUTPUT_DRAWS, dtype=torch.float64)
    draws = torch.special.ndtri(points.clamp(EDGE, 1 - EDGE)).to(mean)
    reported = (mean[:, :, None] + draws @ factor.mT).argmax(-1) - 1
    correct = reported == torch.arange(classes, device=mean.device)[:, None]
    return correct.double().mean(-1) * finite


def half_way(delays: list[int], accuracy: Tensor, chance: float, longest: int) -> tuple[Tensor, Tensor]:
    """First delay at which accuracy has fallen half-way to chance, interpolated linearly in log delay.

    Args:
        delays: `[D]`, in frames, increasing, including `TRAINED`.
        accuracy: `[D, P]`.
        chance: accuracy of a guess.
        longest: delay at which the result is capped.

    Returns:
        `[P]` delays, and whether each is capped, as for `predicted_lifetimes`.
    """
    first = delays.index(TRAINED)
    log_delay, accuracy = torch.tensor(delays[first:]).to(accuracy).log(), accuracy[first:]
    level = (accuracy[0] + chance) / 2
    below = accuracy <= level
    after = below.int().argmax(0).clamp(min=1)
    high, low = (accuracy.gather(0, index[None])[0] for index in (after - 1, after))
    share = (high - level) / (high - low)
    crossing = (log_delay[after - 1] + share * (log_delay[after] - log_delay[after - 1])).exp()
    lifetime = torch.where(below.any(0), crossing, torch.inf)
    lifetime = torch.where(below[0], 0.0, lifetime)
    return lifetime.clamp(max=longest), lifetime >= longest
