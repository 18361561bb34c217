"""An ensemble: all networks of a cell of the grid, weights stacked on a leading axis and products batched.

Shapes: S networks, R frames, N inputs (pixels), F features (N without a front end), H hidden units, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from slowpoints.core.arguments import instance, type_named, whole_numbers
from slowpoints.core.devices import checked_device
from slowpoints.core.presets.network import Layers
from slowpoints.core.streams import generator
from slowpoints.core.torch_modes import usual_defaults
from slowpoints.networks.front_end import front_end_features, front_end_shapes
from slowpoints.networks.recurrence.unroll import unroll
from slowpoints.networks.units import unit_named
from slowpoints.networks.units.unit import Unit
from slowpoints.task.trials import Batch, ImageTable, place_rows

if TYPE_CHECKING:
    from slowpoints.datasets.images import ImageSet

BIAS_SCALE = 0.01  # biases start at 0.01 Normal(0, 1) (authors' code)
FRONT_END_CHUNK = 1024  # images that pass through a front end at once without a gradient
MEAN_INPUT_FRAMES = 1000  # noise images whose mean feature is the mean input (authors' code)


@dataclass(frozen=True)
class Specification:
    """Everything that defines a network except its weights.

    Attributes:
        dataset: name of the preset.
        architecture: name of the recurrent unit, see `networks.units`.
        protocol: training protocol.
        hidden: hidden units H.
        classes: classes C; there are C + 1 outputs.
        image_shape: (height, width, channels).
        noise_mean: mean of noise pixels, the data set's.
        noise_std: their standard deviation.
        readout: one of `task.loss.READOUTS`.
        front_end: layers between image and recurrent units, or None.
        steps: training steps of the run.
    """

    dataset: str
    architecture: str
    protocol: str
    hidden: int
    classes: int
    image_shape: tuple[int, int, int]
    noise_mean: float
    noise_std: float
    readout: str
    front_end: Layers | None
    steps: int

    @property
    def unit(self) -> Unit:
        return unit_named(self.architecture)

    @property
    def pixels(self) -> int:
        height, width, channels = self.image_shape
        return height * width * channels

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each weight of one network; the last input is the trigger."""
        features = self.front_end.dense[-1] if self.front_end else self.pixels
        unit, hidden = self.unit, self.hidden
        return {
            "input": (features + 1, sum(unit.input_gates) * hidden),
            "recurrent": (hidden, sum(unit.recurrent_gates) * hidden),
            "bias": (unit.gates * hidden,),
            "readout": (hidden, self.classes + 1),
            "readout_bias": (self.classes + 1,),
            **(front_end_shapes(self.front_end, self.image_shape) if self.front_end else {}),
        }


@dataclass(frozen=True)
class Networks:
    """Networks of one cell of the grid.

    Attributes:
        spec: of all of them.
        seeds: seed of each.
        weights: `[S, ...]` each, by name as `Specification.shapes`.
        trained_on: name of the device that trained them, as stored with them.
    """

    spec: Specification
    seeds: tuple[int, ...]
    weights: dict[str, Tensor]
    trained_on: str = "cpu"

    def __post_init__(self) -> None:
        """Checks the fields.

        Raises:
            TypeError: if a field is of another type.
            ValueError: if a seed occurs twice, or names or shapes of weights do not match `spec`.
        """
        instance(self.spec, Specification, "spec")
        instance(self.weights, dict, "weights")
        object.__setattr__(self, "seeds", tuple(whole_numbers(self.seeds, "seeds")))
        for name, weight in self.weights.items():
            instance(weight, Tensor, f"weights[{name!r}]")
        shapes = {name: (len(self.seeds), *shape) for name, shape in self.spec.shapes().items()}
        actual = {name: tuple(weight.shape) for name, weight in self.weights.items()}
        if actual != shapes:
            raise ValueError(f"weights are {actual}; networks of this specification have {shapes}")

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def device(self) -> torch.device:
        return self.weights["bias"].device

    @property
    def n_parameters(self) -> int:
        """Number of trainable parameters of one network."""
        return sum(weight[0].numel() for weight in self.weights.values())

    def to(self, device: torch.device | str) -> Networks:
        """The same networks on a device.

        Raises:
            ValueError: if there is no such device.
        """
        device = checked_device(device)
        return replace(self, weights={name: weight.to(device) for name, weight in self.weights.items()})

    def detached(self) -> Networks:
        """A copy that shares no memory and requires no gradient."""
        return replace(self, weights={name: weight.detach().clone() for name, weight in self.weights.items()})

    def select(self, seeds: Sequence[int]) -> Networks:
        """The networks with these seeds, in this order.

        Raises:
            ValueError: if a seed occurs twice, or no network has it.
        """
        seeds = whole_numbers(seeds, "seeds")
        if absent := [seed for seed in seeds if seed not in self.seeds]:
            raise ValueError(f"seeds {absent} are not among those of these networks, {list(self.seeds)}")
        rows = [self.seeds.index(seed) for seed in seeds]
        return replace(self, seeds=tuple(seeds), weights={name: w[rows] for name, w in self.weights.items()})

    def streams(self, purpose: str, device: torch.device | str | None = None) -> list[torch.Generator]:
        """One stream of random numbers per network, named by its cell, its seed and the purpose."""
        cell = (self.spec.dataset, self.spec.architecture, self.spec.protocol)
        return [generator(*cell, seed, purpose, device=device or self.device) for seed in self.seeds]

    def noise(self, streams: Iterable[torch.Generator], out: Tensor, scale: float = 1.0) -> Tensor:
        """Fills `out`, `[S, ..., N]`, with noise pixels, each network from its own stream.

        Args:
            streams: one per network.
            out: to be filled.
            scale: factor on the standard deviation.
        """
        for pixels, stream in zip(out, streams, strict=True):
            pixels.normal_(self.spec.noise_mean, scale * self.spec.noise_std, generator=stream)
        return out

    def features(self, frames: Tensor) -> Tensor:
        """Input of the recurrent units for frames `[S, R, N]`: `[S, R, F]`."""
        layers = self.spec.front_end
        return front_end_features(layers, self.weights, frames, self.spec.image_shape) if layers else frames

    def drive(self, features: Tensor) -> list[Tensor]:
        """Input product plus bias of each gate group at features `[S, R, F]`: `[S, R, g * H]` for g gates."""
        return [
            torch.baddbmm(bias[:, None], features, weight[:, :-1])
            if weight.numel()
            else bias[:, None].expand(-1, features.shape[1], -1)
            for bias, weight in self._input_groups()
        ]

    @torch.no_grad()
    def image_drives(self, images: np.ndarray) -> list[Tensor]:
        """Drive of each gate group under images that all networks see, `[S, B, g * H]`.

        Args:
            images: `[B, height, width, channels]`, uint8.
        """
        pixels = torch.as_tensor(images.reshape(len(images), -1), device=self.device)
        # In chunks, since a front end holds maps many times the size of its images.
        chunks = [(chunk.float() / 255).expand(len(self), -1, -1) for chunk in pixels.split(FRONT_END_CHUNK)]
        return self.drive(torch.cat([self.features(chunk) for chunk in chunks], dim=1))

    @property
    def trigger(self) -> list[Tensor]:
        """What the trigger adds to the drive of each gate group, `[S, g * H]`."""
        return [weight[:, -1] if weight.numel() else torch.zeros_like(bias) for bias, weight in self._input_groups()]

    def _input_groups(self) -> zip[tuple[Tensor, Tensor]]:
        """Bias and input weights of each gate group; no weights where it has no input."""
        unit = self.spec.unit
        return zip(unit.split(self.weights["bias"]), unit.split_input(self.weights["input"]), strict=True)

    def logits(self, hidden: Tensor) -> Tensor:
        """Outputs `[S, B, C + 1]` of hidden states `[S, B, H]`."""
        return torch.baddbmm(self.weights["readout_bias"][:, None], hidden, self.weights["readout"])

    def run_trials(self, batch: Batch) -> Tensor:
        """Outputs at every frame of a batch of trials, `[T, S, B, C + 1]`; in memory `[S, C + 1, T, B]`."""
        return self.outputs(self.run_hidden(batch))

    def run_hidden(self, batch: Batch) -> Tensor:
        """Hidden states at every frame of a batch of trials, `[T, S, B, H]`."""
        trials = batch.trials
        # Each trial's report frame, noise plus trigger, becomes one more row of the table.
        report = batch.rows.gather(0, trials.report[None])[0]
        tables = []
        for table, trigger in zip(self.drive(self.features(batch.frames)), self.trigger, strict=True):
            at_report = table.gather(1, report[..., None].expand(-1, -1, table.shape[2]))
            tables.append(torch.cat([table, at_report + trigger[:, None]], dim=1))
        index = place_rows(batch.rows, trials.report, batch.frames.shape[1])
        return unroll(self.spec.unit, tables, index, self.weights["recurrent"])

    def outputs(self, hidden: Tensor) -> Tensor:
        """Outputs of hidden states `[T, S, B, H]` of trials, `[T, S, B, C + 1]`; in memory `[S, C + 1, T, B]`."""
        # All frames of a network in one product; sums over them, as in its gradient, then stay within a network.
        rows = hidden.transpose(0, 1).flatten(1, 2)
        logits = torch.baddbmm(self.weights["readout_bias"][:, :, None], self.weights["readout"].mT, rows.mT)
        return logits.unflatten(2, (len(hidden), hidden.shape[2])).permute(2, 0, 3, 1)

    @torch.no_grad()
    def mean_features(self) -> Tensor:
        """Mean input `[S, F]`: the mean noise frame, or with a front end the mean features of 1000 noise images."""
        bias = self.weights["bias"]
        if self.spec.front_end is None:
            return bias.new_full((len(self), self.spec.pixels), self.spec.noise_mean)
        frames = bias.new_empty(1, MEAN_INPUT_FRAMES, self.spec.pixels)
        means = []
        for row, stream in enumerate(self.streams("mean input")):  # holds one network's frames at a time
            one = self.select([self.seeds[row]])
            means.append(one.features(one.noise([stream], frames)).mean(1))
        return torch.cat(means)

    def image_table(self, images: ImageSet) -> ImageTable:
        """Images as a table to draw trials from, on the networks' device.

        Raises:
            TypeError, ValueError: as `check_fit`.
        """
        check_fit(self, images)
        return ImageTable(images.images, images.labels, images.classes, self.device)


def check_fit(networks: Networks, images: ImageSet) -> None:
    """Raises an error unless images fit the networks.

    Raises:
        TypeError: if these are not networks and images.
        ValueError: if the images have another size, or another number of classes.
    """
    instance(networks, Networks, "networks", " (load_networks)")
    if not hasattr(images, "rows_by_class"):  # an ImageSet, whose module is not imported here
        raise TypeError(f"images is {type_named(images)}; it must be an ImageSet (load_images)")
    spec = networks.spec
    if tuple(images.shape) != tuple(spec.image_shape) or images.classes != spec.classes:
        raise ValueError(
            f"images are {images.shape} in {images.classes} classes; the networks take "
            f"{spec.image_shape} in {spec.classes}"
        )


def check_measured(networks: Networks, images: ImageSet) -> None:
    """Raises an error unless networks can be measured with images.

    Raises:
        TypeError, ValueError: as `check_fit`, or if weights are not finite or not in float32.
    """
    check_fit(networks, images)
    for name, weight in networks.weights.items():
        if weight.dtype != torch.float32 or weight.is_meta:
            raise ValueError(f"{name} of the networks is {weight.dtype} on {weight.device}; weights must be float32")
        if not weight.isfinite().all():
            raise ValueError(f"{name} of the networks is not finite")


@usual_defaults()
def initialise(spec: Specification, seeds: Sequence[int], device: torch.device | str = "cpu") -> Networks:
    """Untrained networks: weights Normal(0, 1 / fan-in), biases 0.01 Normal(0, 1) (authors' code).

    They are drawn on the CPU, so that a seed gives the same network on every device.
    """
    shapes = spec.shapes()
    networks = Networks(spec, tuple(seeds), {name: torch.empty(len(seeds), *shape) for name, shape in shapes.items()})
    for row, stream in enumerate(networks.streams("initial weights", device="cpu")):
        for name, shape in shapes.items():
            if len(shape) == 1:
                scale = BIAS_SCALE
            else:
                fan_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
                scale = fan_in**-0.5
            networks.weights[name][row].normal_(0, scale, generator=stream)
    return networks.to(device)
