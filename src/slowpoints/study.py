"""A study: a checked configuration, presets resolved, and the grid of cells that follows from it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from slowpoints.configuration import Configuration
from slowpoints.core.checks import checked
from slowpoints.core.config import ConfigError, read_yaml
from slowpoints.core.layout import NETWORKS, RESOURCES, Cell, finished_seed_blocks, seed_block_name
from slowpoints.core.modes import CONTROL, TRAINED, Tuning, lambdas, read_lambda, tunings
from slowpoints.core.presets.preset import Preset, WrittenPreset
from slowpoints.core.presets.section import plain
from slowpoints.core.presets.source import KINDS
from slowpoints.core.project import project_path
from slowpoints.datasets.fingerprints import fingerprint
from slowpoints.datasets.folders import needed_files, source_folder
from slowpoints.datasets.readers import EMBEDDED, kinds
from slowpoints.task.curricula import check_schedules
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.task.timing import FRAMES

T = TypeVar("T")
PRESETS = project_path("config/presets")
"""Shipped presets."""
NAMED = {"study": "default"}
"""For `read_study`: the study need not be named."""


class ByDataset(dict[str, T]):
    """A value for each data set of a study; for others, an error that lists them."""

    def __init__(self, study: str):
        self.study = study

    def __missing__(self, dataset: str) -> T:
        raise ConfigError(
            f"the study {self.study} has no data set {dataset}, but {', '.join(self)}; add it to datasets, or give "
            "the --configfile of the study that has it"
        )


@dataclass(frozen=True)
class Study:
    """A checked configuration.

    Attributes:
        config: every top-level key, defaults filled in.
        presets: of each data set of the study.
        folders: of the files of each data set; None if it is embedded or generated.
        files: that each data set is made from, including those to be downloaded.
    """

    config: dict[str, Any]
    presets: ByDataset[Preset]
    folders: ByDataset[Path | None]
    files: ByDataset[list[Path]]

    @property
    def name(self) -> str:
        return self.config["study"]

    def cells(self) -> Iterator[Cell]:
        """Every cell of the grid."""
        for dataset in self.config["datasets"]:
            for architecture in self.config["architectures"]:
                for protocol in self.config["protocols"]:
                    yield dataset, architecture, protocol

    def seeds(self, dataset: str) -> int:
        """Networks per cell."""
        return self.config["seeds"] or self.presets[dataset].seeds

    def tunings(self, cell: Cell, networks: Path = NETWORKS) -> list[Tuning]:
        """Modes of fine-tuning of a cell, each with its lambda and folder.

        Raises:
            ConfigError: if a folder's note of its lambda cannot be read.
        """
        modes, setting = self.config["modes"], self.presets[cell[0]].regularisation.lambda_
        try:
            noted = {mode: read_lambda(networks.joinpath(*cell, mode)) for mode in modes}
        except ValueError as error:
            raise ConfigError(str(error)) from None
        return tunings(modes, setting, {mode: value for mode, value in noted.items() if value is not None})

    def downloads(self, dataset: str) -> list[Path]:
        """Files of a data set that are downloaded into `resources/`."""
        return [file for file in self.files[dataset] if RESOURCES in file.parents]

    def source_settings(self, dataset: str) -> dict[str, Any]:
        """Settings that a data set depends on: all of its source but the folder of its files."""
        return {**plain(self.presets[dataset].source), "path": None}

    def files_digest(self, dataset: str, note: Path | None = None) -> str | None:
        """Digest of the contents of a data set's own files; None if it is embedded, generated or downloaded.

        Downloads are identified by their checksums, which are settings.

        Args:
            dataset: name of a preset.
            note: as for `fingerprint`.
        """
        folder, files = self.folders[dataset], self.files[dataset]
        return None if folder is None or self.downloads(dataset) else fingerprint(files, folder, note)

    def training_settings(self, dataset: str, protocol: str, seeds: list[int]) -> dict[str, Any]:
        """What the networks of a seed block depend on besides images and code: the params of `train_networks`."""
        preset = self.presets[dataset]
        return {
            "network": plain(preset.network),
            "training": plain(preset.training),
            "snapshots": preset.formation.snapshots,
            "protocol": PROTOCOLS[protocol].plain(),
            "seeds": seeds,
        }

    def settings(self) -> dict[str, Any]:
        """What the results depend on, code and contents of files aside; the study's tables keep it as metadata."""
        presets = {
            dataset: {**plain(preset), "seeds": self.seeds(dataset), "source": self.source_settings(dataset)}
            for dataset, preset in self.presets.items()
        }
        return {key: self.config[key] for key in ("architectures", "protocols", "modes")} | {"presets": presets}

    def seed_blocks(self, cell: Cell, networks: Path = NETWORKS) -> list[str]:
        """Seed blocks that hold the networks of a cell, such as "0-7".

        Trained seed blocks are reused, so that raising the number of seeds adds a block and retrains nothing; tables
        take from each the seeds that the study asks for.

        Args:
            cell: (dataset, architecture, protocol).
            networks: folder of all networks.
        """
        ends: dict[int, int] = {}
        for first, last in finished_seed_blocks(networks.joinpath(*cell, TRAINED)):
            ends[first] = max(last, ends.get(first, last))
        seeds = self.seeds(cell[0])
        size = self.config["seeds_per_job"] or seeds
        names, first = [], 0
        while first < seeds:
            later = [begin for begin in ends if begin > first]  # a new seed block ends before the next finished one
            last = ends.get(first, min([first + size, seeds, *later]) - 1)
            names.append(seed_block_name(first, last))
            first = last + 1
        return names


def read_study(
    config: dict[str, Any],
    *,
    named: Mapping[str, Any] = NAMED,
    shipped: Path = PRESETS,
    name: str = "config",
) -> Study:
    """Checks a configuration and resolves its presets.

    Args:
        config: as read from YAML and the command line.
        named: the part of the configuration that must name the study: the keys of the user's file, without those of
            config/config.yaml, whose name would mix its results with those of the default study.
        shipped: folder of the shipped presets, one YAML file each.
        name: of the configuration in messages: its file.

    Raises:
        ConfigError: naming the file, the key, the value and what is allowed.
    """
    settings = plain(checked(Configuration, config, name, {KINDS: kinds()}))
    if "study" not in named:
        raise ConfigError(
            f"{name}: study is missing; add `study: NAME`, since results go into results/NAME/, and without it into "
            "those of the default study"
        )
    settings["presets"] = copy.deepcopy(config.get("presets", {}))
    known = _Presets(shipped, settings["presets"], name)
    known.check(settings["datasets"])
    study = settings["study"]
    presets, folders = ByDataset[Preset](study), ByDataset[Path | None](study)
    files = ByDataset[list[Path]](study)
    for dataset in settings["datasets"]:
        place = f"{name}: presets.{dataset}"
        preset = _checked_preset(known.resolved(dataset), settings["modes"], place)
        presets[dataset] = preset
        folders[dataset] = source_folder(preset.source, settings["data_dir"], f"{place}.source")
        files[dataset] = needed_files(preset.source, folders[dataset], f"{place}.source")
    return Study(settings, presets, folders, files)


class _Presets:
    """Shipped presets, read when needed, and those of a configuration, called `name` in messages."""

    def __init__(self, shipped: Path, written: dict[str, dict], name: str):
        self.files = {path.stem: path for path in shipped.glob("*.yaml")}
        self.written = {preset: dict(settings) for preset, settings in written.items()}
        for preset, settings in self.written.items():
            if "base" not in settings and preset in self.files:
                settings["base"] = preset  # an override starts from the shipped preset of its name
        self.name = name

    def check(self, datasets: list[str]) -> None:
        """Refuses data sets without a preset, and presets that nothing uses and nothing could: typing errors."""
        for dataset in datasets:
            if dataset not in self.written and dataset not in self.files:
                names = ", ".join(sorted({*self.files, *self.written}))
                raise ConfigError(f"{self.name}: datasets: there is no preset {dataset!r}; there are {names}")
        used = {*datasets, *(settings.get("base") for settings in self.written.values())}
        for preset in self.written:
            resolved = self.resolved(preset)
            if preset not in used and "kind" not in resolved.get("source", {}):
                raise ConfigError(
                    f"{self.name}: presets.{preset} overrides no preset that ships: {', '.join(sorted(self.files))}; "
                    "for a preset of your own, name its base or its source.kind"
                )

    @functools.cache  # noqa: B019 (lives as long as `read_study`)
    def shipped(self, preset: str) -> dict:
        path = self.files[preset]
        settings = read_yaml(path)
        checked(WrittenPreset, settings, str(path), {KINDS: kinds()})
        return settings

    def resolved(self, dataset: str, *, above: tuple[str, ...] = ()) -> dict:
        """A preset with the settings of its bases where it has none."""
        # A preset above itself is an override, based on the shipped preset of its own name.
        written = dataset in self.written and dataset not in above
        if not written and (dataset not in self.files or above.count(dataset) > 1):
            others = ", ".join(sorted({*self.files, *self.written} - {dataset}))
            raise ConfigError(
                f"{self.name}: presets.{above[-1]}.base is {dataset!r}; it must be another preset: {others}"
            )
        settings = dict(self.written[dataset] if written else self.shipped(dataset))
        base = settings.pop("base", None)
        return _merged(self.resolved(base, above=(*above, dataset)), settings) if base else settings


def _merged(base: dict, settings: dict) -> dict:
    """Merges section by section; a source that names its kind replaces the base's."""
    merged = copy.deepcopy(base)
    for key, value in settings.items():
        replaced = key == "source" and "kind" in value
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and not replaced and key != "front_end":
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _checked_preset(settings: dict, modes: list[str], name: str) -> Preset:
    """The preset of resolved settings, with checks across its fields."""
    if not settings.get("source", {}).get("kind"):
        raise ConfigError(f"{name}.source.kind is missing; name a kind of source, or a base that has one")
    preset = checked(Preset, settings, name)
    training, memory, classes = preset.training, preset.memory, preset.source.classes
    _check_images(preset, name)
    try:
        check_schedules(training.schedules, classes)
    except ValueError as error:
        raise ConfigError(f"{name}.training.{error}") from None
    delays, lambda_ = list(memory.delays), preset.regularisation.lambda_

    def require(holds: bool, key: str, value: Any, rule: str) -> None:
        if not holds:
            raise ConfigError(f"{name}.{key} is {value}; it must {rule}")

    trial = f"be at least {FRAMES}, the frames of a trial, since a trial never meets a noise frame twice"
    require(training.bank >= FRAMES, "training.bank", training.bank, trial)
    drop = training.rate_drop
    require(drop is None or 0 < drop <= 1, "training.rate_drop", drop, "be more than 0 and at most 1, or null")
    rising = delays == sorted({*delays, FRAMES - 1, FRAMES}) and delays[-1] > FRAMES
    require(rising, "memory.delays", delays, f"increase, hold {FRAMES - 1} and {FRAMES}, and reach beyond")
    longest = f"be more than the longest delay, {delays[-1]}"
    require(memory.noise != "bank" or memory.bank > delays[-1], "memory.bank", memory.bank, longest)
    n_images = memory.n_images
    require(n_images % classes == 0, "memory.n_images", n_images, f"be a multiple of {classes}, the number of classes")
    for mode in modes:
        complete = mode == CONTROL or not isinstance(lambda_, dict) or mode in lambda_
        require(complete, "regularisation.lambda", lambda_, f"name mode {mode} as well")
    for frames in lambdas("long_delays", lambda_) if "long_delays" in modes else []:
        whole_trial = frames % 1 == 0 and frames >= FRAMES
        rule = f"be a whole number of frames of a trial, at least {FRAMES}"
        require(whole_trial, "regularisation.lambda", f"{frames:g} for long_delays", rule)
    return preset


def _check_images(preset: Preset, name: str) -> None:
    """Refuses classes and poolings that do not fit the images of a preset, if their size is known beforehand."""
    source, front_end = preset.source, preset.network.front_end
    if source.kind in EMBEDDED and source.classes != 10:
        raise ConfigError(f"{name}.source.classes is {source.classes}; {source.kind} are of 10 classes")
    if front_end and source.image_shape:
        height, width, _ = source.image_shape
        most = min(height, width).bit_length() - 1
        if len(front_end.filters) > most:
            raise ConfigError(
                f"{name}.network.front_end.filters is {list(front_end.filters)}; images of {height}x{width} can be "
                f"halved {most} times at most, once for each"
            )
