"""Autonomous dynamics: what a network does between the image and the trigger, under the mean input.

F is one step of the network with the mean noise frame as input and no trigger. States are flat vectors: h, or
h and c side by side. P = S * C states, those of the first network first, so that one batched product serves
all points of all networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from slowpoints.core.arguments import instance
from slowpoints.core.torch_modes import usual_modes
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.units import unit_named
from slowpoints.networks.units.unit import State, Unit


@dataclass(frozen=True)
class AutonomousMap:
    """The map F of each network of an ensemble: one frame under a constant input.

    Attributes:
        architecture: name of the recurrent unit.
        recurrent: `[S, H, columns]`.
        drive: input product plus bias under the constant input, `[S, gates * H]`.
    """

    architecture: str
    recurrent: Tensor
    drive: Tensor

    def __call__(self, states: Tensor) -> Tensor:
        """One frame, `[P, n]` to `[P, n]`."""
        return self._frame(states, self.drive)

    @property
    def step(self) -> AutonomousMap:
        """F as an argument of `find_slow_points` and `spectra`, which know the derivatives of this class."""
        return self

    @property
    def unit(self) -> Unit:
        return unit_named(self.architecture)

    @property
    def networks(self) -> int:
        return len(self.recurrent)

    @property
    def hidden(self) -> int:
        return self.recurrent.shape[1]

    @property
    def coordinates(self) -> int:
        """Length n of a flat state: H, or 2 H for an LSTM."""
        return self.unit.parts * self.hidden

    def move(self, states: Tensor) -> Tensor:
        """F(z) - z in the coordinates of speed, from `[P, n]` to `[P, n]`: h, and tanh c where there is a c."""
        return self.unit.displacement(states, self(states))

    def speed(self, states: Tensor) -> Tensor:
        """|F(z) - z| per frame, `[P]`."""
        return self.move(states).norm(dim=-1)

    def raw_speed(self, states: Tensor) -> Tensor:
        """|F(z) - z| in h and c themselves, `[P]`: large where a saturated cell state drifts unseen."""
        return self.unit.raw.displacement(states, self(states)).norm(dim=-1)

    def distance(self, states: Tensor, others: Tensor) -> Tensor:
        """Distance in the coordinates of speed, `[P]`."""
        return self.unit.displacement(others, states).norm(dim=-1)

    def parts(self, states: Tensor) -> State:
        """Flat states `[P, n]` split into the parts that the unit takes, `[S, C, H]` each.

        Raises:
            TypeError: if they are not a tensor of the weights' data type.
            ValueError: if they do not have n coordinates, or their number is not a multiple of S.
        """
        instance(states, Tensor, "states")
        if states.dtype != self.recurrent.dtype:
            raise TypeError(f"states are {states.dtype}; they must be {self.recurrent.dtype}, like the weights")
        if states.shape[-1] != self.coordinates or states.shape[:-1].numel() % self.networks:
            raise ValueError(
                f"states have the shape {tuple(states.shape)}; they must be [P, {self.coordinates}], with as many of "
                f"each of the {self.networks} networks"
            )
        return tuple(states.reshape(self.networks, -1, self.coordinates).split(self.hidden, dim=-1))

    def step_arguments(self, states: Tensor, drive: Tensor | None = None) -> tuple[list[Tensor], State, list[Tensor]]:
        """Arguments of `Unit.step` for flat states `[P, n]`, under the constant input's drive unless given another."""
        parts = self.parts(states)
        points = parts[0].shape[1]
        groups = self.unit.split(self.drive if drive is None else drive)
        drives = [group[:, None].expand(-1, points, -1) for group in groups]
        return drives, parts, self.unit.split_recurrent(self.recurrent)

    def _frame(self, states: Tensor, drive: Tensor) -> Tensor:
        after, _ = self.unit.step(*self.step_arguments(states, drive))
        return torch.cat(after, dim=-1).reshape(states.shape)


@dataclass(frozen=True)
class Dynamics(AutonomousMap):
    """The map F of each network of an ensemble under the mean input, with its trigger and readout.

    Attributes:
        architecture: name of the recurrent unit.
        recurrent: `[S, H, columns]`.
        drive: input product plus bias under the mean input, `[S, gates * H]`.
        trigger: what the trigger adds to the drive, `[S, gates * H]`.
        readout: `[S, H, C + 1]`.
        readout_bias: `[S, C + 1]`.
    """

    trigger: Tensor
    readout: Tensor
    readout_bias: Tensor

    @classmethod
    @usual_modes()
    @torch.no_grad()
    def of(cls, networks: Networks) -> Dynamics:
        """The dynamics of networks under the mean input, in float64.

        Raises:
            TypeError: if `networks` is not a `Networks`.
        """
        instance(networks, Networks, "networks", " (load_networks)")
        drive = torch.cat(networks.drive(networks.mean_features()[:, None]), dim=-1)[:, 0]
        return cls(
            architecture=networks.spec.architecture,
            recurrent=networks.weights["recurrent"].double(),
            drive=drive.double(),
            trigger=torch.cat(networks.trigger, dim=-1).double(),
            readout=networks.weights["readout"].double(),
            readout_bias=networks.weights["readout_bias"].double(),
        )

    def triggered(self, states: Tensor) -> Tensor:
        """One frame under the mean input with the trigger, `[P, n]` to `[P, n]`."""
        return self._frame(states, self.drive + self.trigger)

    def logits(self, states: Tensor) -> Tensor:
        """Outputs after a triggered step, `[P, C + 1]`."""
        hidden = self.triggered(states)[..., : self.hidden].reshape(self.networks, -1, self.hidden)
        return torch.baddbmm(self.readout_bias[:, None], hidden, self.readout).flatten(0, 1)

    def read_out(self, states: Tensor) -> Tensor:
        """Class that a triggered step reports, `[P]`; -1 where it reports null."""
        return self.logits(states).argmax(-1) - 1
