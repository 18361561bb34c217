"""The linear recurrent unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, join

if TYPE_CHECKING:
    from torch import Tensor

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
"""Between successive points of Vogel's spiral, which covers a disc evenly, in radians."""


class LRU(Unit):
    """Linear recurrent unit: a diagonal complex state that the input drives, and nothing else.

    q' = lambda q + gamma (B x + b) with lambda = exp(-exp(nu) + i exp(theta)), gamma = sqrt(1 - |lambda|^2), read out
    as Re(C q) (Orvieto et al. 2023). h holds Re q in its first half and Im q in its second, so that a real readout of h
    is Re(C q) with any complex C; with an odd H, the last mode is real. Under a constant input h' is affine in h.

    As in the paper, eigenvalues start evenly over the unit disc, though at the same places in every network, since all
    biases start near 0: nu and theta are deviations from them. gamma stays the function of lambda that it is at the
    start of the paper's training, where it is a parameter of its own; the rows of B scale it. The layers around the
    paper's unit are left out, and with them its direct path from input to output.
    """

    name = "lru"
    look = Look("LRU", marker="D")
    gate_groups = (1, 1)  # what the input adds, (nu, theta)
    groups_without_input = (1,)
    groups_without_recurrence = (0, 1)
    parts = 1
    bound = math.inf
    affine = True

    def step(self, drive, state, recurrent):
        (h,), modes = state, _modes(drive[1])
        turned = _turned(h, modes.cos, modes.sin)
        return (modes.both(modes.radius) * turned + modes.both(modes.gain) * drive[0],), (modes, turned, drive[0])

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (modes, turned, added) = grad, saved
        radius, gain = modes.both(modes.radius), modes.both(modes.gain)
        grad_turned = grad_h * radius
        grad_radius = modes.summed(grad_h * turned)
        grad_gain = modes.summed(grad_h * added)
        # By log radius; gain^2 = 1 - radius^2.
        grad_log = grad_radius * modes.radius - grad_gain * modes.radius**2 / modes.gain
        real, imaginary, _ = _split(turned)
        grad_real, grad_imaginary, _ = _split(grad_turned)
        grad_angle = grad_imaginary * real - grad_real * imaginary
        before = _turned(grad_turned, modes.cos, -modes.sin)
        return (before,), [(None, grad_h * gain), (None, join(grad_log * modes.log_radius, grad_angle * modes.angle))]

    def jacobian(self, drive, state, recurrent):
        (h,), modes = state, _modes(drive[1])
        identity = h.new_ones(h.shape).diag_embed()
        turned_back = _turned(identity, modes.cos[..., None, :], -modes.sin[..., None, :])
        return turned_back * modes.both(modes.radius)[..., None, :] - identity

    def hessian(self, drive, state, recurrent):
        slopes = self.jacobian(drive, state, recurrent)
        return slopes.mT @ slopes


class _Modes(NamedTuple):
    """Eigenvalues of a network's modes: H - H // 2 radii, and H // 2 angles, since the last mode of an odd H is real.

    Attributes:
        log_radius: log |lambda|, `[S, B, H - H // 2]`.
        radius: |lambda|, likewise.
        gain: gamma, likewise.
        angle: in radians per frame, `[S, B, H // 2]`.
        cos, sin: of the angle.
    """

    log_radius: Tensor
    radius: Tensor
    gain: Tensor
    angle: Tensor
    cos: Tensor
    sin: Tensor

    def both(self, of_modes: Tensor) -> Tensor:
        """A value of each mode for each coordinate of h, `[S, B, H]`."""
        return join(of_modes[..., : self.angle.shape[-1]], of_modes)

    def summed(self, of_coordinates: Tensor) -> Tensor:
        """The transpose of `both`: sums over the coordinates of each mode."""
        real, imaginary, alone = _split(of_coordinates)
        return join(real + imaginary, alone)


def _modes(deviations: Tensor) -> _Modes:
    """Modes from nu and theta `[S, B, H]`."""
    hidden = deviations.shape[-1]
    pairs = hidden // 2
    modes = hidden - pairs
    place = deviations.new_ones(modes).cumsum(0)  # 1, 2, ...
    start = ((place - 0.5) / modes).log() / 2  # log radius
    log_radius = start * deviations[..., :modes].exp()
    angle = (place[:pairs] * GOLDEN_ANGLE % math.tau) * deviations[..., modes:].exp()
    gain = (-(2 * log_radius).expm1()).sqrt()
    return _Modes(log_radius, log_radius.exp(), gain, angle, angle.cos(), angle.sin())


def _split(h: Tensor) -> tuple[Tensor, ...]:
    """Real parts, imaginary parts, and a last real mode, if there is one."""
    pairs = h.shape[-1] // 2
    return h.split([pairs, pairs, h.shape[-1] - 2 * pairs], dim=-1)


def _turned(h: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """States with each pair of coordinates turned by the angle of this cosine and sine."""
    real, imaginary, alone = _split(h)
    return join(real * cos - imaginary * sin, real * sin + imaginary * cos, alone)
