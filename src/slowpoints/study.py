"""A study: a configuration checked against its schema, presets resolved, and the grid of cells that follows from it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slowpoints.core.config import ConfigError, check, read_yaml, with_defaults, with_numbers
from slowpoints.core.layout import NETWORKS, RESOURCES, Cell, block_name, finished_blocks
from slowpoints.core.modes import CONTROL, MODES, TRAINED, Tuning, kept_lambda, tunings
from slowpoints.core.presets.preset import Preset
from slowpoints.core.presets.section import plain
from slowpoints.datasets.fingerprints import fingerprint
from slowpoints.datasets.folders import needed_files, source_folder
from slowpoints.datasets.readers import EMBEDDED, kinds
from slowpoints.networks.units import units
from slowpoints.task.curricula import check_schedules
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.task.timing import FRAMES


@dataclass(frozen=True)
class Study:
    """A checked configuration.

    Attributes:
        config: every top-level key, defaults filled in.
        presets: for each data set of the study its preset.
        folders: for each data set the folder of its files, None where it is embedded or generated.
        files: for each data set the files that it is made from, those to be downloaded included.
    """

    config: dict[str, Any]
    presets: dict[str, Preset]
    folders: dict[str, Path | None]
    files: dict[str, list[Path]]

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
        """Networks a cell."""
        return self.config["seeds"] or self.presets[dataset].seeds

    def tunings(self, cell: Cell, networks: Path = NETWORKS) -> list[Tuning]:
        """Modes of fine-tuning of a cell, each with its lambda and folder.

        Raises:
            ConfigError: if what a folder notes of its lambda cannot be read.
        """
        lambda_ = self.presets[cell[0]].regularisation.lambda_
        modes = self.config["modes"]
        try:
            kept = {mode: kept_lambda(networks.joinpath(*cell, mode)) for mode in modes}
        except ValueError as error:
            raise ConfigError(str(error)) from None
        return tunings(modes, lambda_, {mode: value for mode, value in kept.items() if value is not None})

    def downloads(self, dataset: str) -> list[Path]:
        """Files of a data set that come from their public addresses, into `resources/`."""
        return [file for file in self.files[dataset] if RESOURCES in file.parents]

    def source_settings(self, dataset: str) -> dict[str, Any]:
        """What a data set depends on, contents of its files aside: not on where these lie."""
        return {**plain(self.presets[dataset].source), "path": None}

    def files_digest(self, dataset: str, note: Path | None = None) -> str | None:
        """Digest of the contents of a data set's own files; None where it has none, as of embedded kinds and downloads.

        Downloads are told by their checksums, which are settings.

        Args:
            dataset: name of a preset.
            note: as for `fingerprint`.
        """
        folder, files = self.folders[dataset], self.files[dataset]
        return None if folder is None or self.downloads(dataset) else fingerprint(files, folder, note)

    def training_settings(self, dataset: str, protocol: str, seeds: list[int]) -> dict[str, Any]:
        """What the networks of a block depend on, images and code aside: the params of the rule `train_networks`."""
        preset = self.presets[dataset]
        return {
            "network": plain(preset.network),
            "training": plain(preset.training),
            "snapshots": preset.formation.snapshots,
            "protocol": PROTOCOLS[protocol].plain(),
            "seeds": seeds,
        }

    def blocks(self, cell: Cell, networks: Path = NETWORKS) -> list[str]:
        """Blocks of seeds that hold the networks of a cell, such as "0-7".

        A block that has been trained already is kept, so that raising the number of seeds adds a block and
        retrains nothing; a table takes from it the seeds that the study asks for.

        Args:
            cell: (dataset, architecture, protocol).
            networks: folder of all networks.
        """
        ends: dict[int, int] = {}
        for first, last in finished_blocks(networks.joinpath(*cell, TRAINED)):
            ends[first] = max(last, ends.get(first, last))
        seeds = self.seeds(cell[0])
        size = self.config["seeds_per_job"] or seeds
        blocks, first = [], 0
        while first < seeds:
            later = [begin for begin in ends if begin > first]  # a finished block is never trained into
            last = ends.get(first, min([first + size, seeds, *later]) - 1)
            blocks.append(block_name(first, last))
            first = last + 1
        return blocks


@functools.cache
def read_schema(path: Path) -> dict[str, Any]:
    """The JSON schema of configurations, with the names of units, protocols, modes and kinds of source there are."""
    schema = read_yaml(path)
    named = {"architectures": list(units()), "protocols": list(PROTOCOLS), "modes": list(MODES)}
    for key, names in named.items():
        schema["properties"][key]["items"] = {"enum": names}
    schema["$defs"]["preset"]["properties"]["source"]["properties"]["kind"]["enum"] = kinds()
    schema["$defs"]["lambda_by_mode"]["properties"] = {
        mode: schema["$defs"]["lambdas"] for mode in MODES if mode != CONTROL
    }
    return schema


def read_study(config: dict[str, Any], *, schema: Path, shipped: Path, name: str = "config") -> Study:
    """Checks a configuration and resolves its presets.

    Args:
        config: as read from YAML and the command line.
        schema: the JSON schema, as YAML.
        shipped: folder of the presets that ship, one YAML file each.
        name: what to call the configuration in messages: its file.

    Raises:
        ConfigError: naming the file, the key, the value and what is allowed.
    """
    full_schema = read_schema(schema)
    preset_schema = {"$defs": full_schema["$defs"], **full_schema["$defs"]["preset"]}
    try:
        config = with_numbers(copy.deepcopy(config), full_schema, full_schema)
        check(config, full_schema, name)
    except RecursionError:
        raise ConfigError(f"{name}: nested without end; no alias of YAML (*) may stand inside what it names") from None
    config = with_defaults(config, full_schema, full_schema)
    known = {path.stem: _read_preset(path, preset_schema) for path in sorted(shipped.glob("*.yaml"))}
    written = {preset: dict(settings) for preset, settings in config["presets"].items()}
    for preset, settings in written.items():
        if "base" not in settings and preset in known:
            settings["base"] = preset  # an override starts from the shipped preset of its name
    _check_written(written, known, config["datasets"], name)
    presets, folders, files = {}, {}, {}
    for dataset in config["datasets"]:
        if dataset not in known and dataset not in written:
            names = ", ".join(sorted({*known, *written}))
            raise ConfigError(f"{name}: datasets: there is no preset {dataset!r}; there are {names}")
        merged = _resolve(dataset, written, known, name)
        place = f"{name}: presets.{dataset}"
        preset = _typed_preset(with_defaults(merged, preset_schema, full_schema), config["modes"], place)
        presets[dataset] = preset
        folders[dataset] = source_folder(preset.source, config["data_dir"], f"{place}.source")
        files[dataset] = needed_files(preset.source, folders[dataset], f"{place}.source")
    return Study(config, presets, folders, files)


def _read_preset(path: Path, schema: dict) -> dict:
    preset = with_numbers(read_yaml(path), schema, schema)
    check(preset, schema, str(path))
    return preset


def _check_written(written: dict, known: dict, datasets: list[str], name: str) -> None:
    """Refuses a preset that nothing uses and nothing could, such as an override of a name that does not ship."""
    used = {*datasets, *(settings.get("base") for settings in written.values())}
    for preset in written:
        resolved = _resolve(preset, written, known, name)
        if preset not in used and "kind" not in resolved.get("source", {}):
            raise ConfigError(
                f"{name}: presets.{preset} overrides no preset that ships: {', '.join(sorted(known))}; "
                "for a preset of your own, name its base or its source.kind"
            )


def _resolve(dataset: str, written: dict, known: dict, name: str, *, above: tuple[str, ...] = ()) -> dict:
    """A preset with what its bases say where it is silent."""
    shadowed = dataset in above  # an override that starts from the shipped preset of its own name
    source = known if shadowed or dataset not in written else written
    if dataset not in source or above.count(dataset) > 1:
        others = ", ".join(sorted({*known, *written} - {dataset}))
        raise ConfigError(f"{name}: presets.{above[-1]}.base is {dataset!r}; it must be another preset: {others}")
    settings = dict(source[dataset])
    base = settings.pop("base", None)
    return _merged(_resolve(base, written, known, name, above=(*above, dataset)), settings) if base else settings


def _merged(base: dict, settings: dict) -> dict:
    """Section by section; a source that names its kind replaces the base's."""
    merged = copy.deepcopy(base)
    for key, value in settings.items():
        replaced = key == "source" and "kind" in value
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and not replaced and key != "front_end":
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _typed_preset(settings: dict, modes: list[str], name: str) -> Preset:
    """The preset of complete settings, checked for what a schema cannot say."""
    if "kind" not in settings["source"]:
        raise ConfigError(f"{name}.source.kind is missing; name a kind of source, or a base that has one")
    preset = Preset.of(settings)
    training, memory, classes = preset.training, preset.memory, preset.source.classes
    _check_images(preset, name)
    if training.bank < FRAMES:
        raise ConfigError(
            f"{name}.training.bank is {training.bank}; it must be at least {FRAMES}, the frames of a trial, "
            "since a trial never meets a noise frame twice"
        )
    try:
        check_schedules(training.schedules, classes)
    except ValueError as error:
        raise ConfigError(f"{name}.training.{error}") from None
    if training.rate_drop is not None and not 0 < training.rate_drop <= 1:
        raise ConfigError(
            f"{name}.training.rate_drop is {training.rate_drop}; it must be more than 0 and at most 1, or null"
        )
    delays = list(memory.delays)
    if delays != sorted(set(delays)) or not {FRAMES - 1, FRAMES} <= set(delays) or delays[-1] <= FRAMES:
        raise ConfigError(
            f"{name}.memory.delays is {delays}; it must increase, hold {FRAMES - 1} and {FRAMES}, and reach beyond"
        )
    if memory.noise == "bank" and memory.bank <= delays[-1]:
        raise ConfigError(f"{name}.memory.bank is {memory.bank}; it must be more than the longest delay, {delays[-1]}")
    if memory.n_images % classes:
        raise ConfigError(
            f"{name}.memory.n_images is {memory.n_images}; it must be a multiple of {classes}, the classes"
        )
    by_mode = preset.regularisation.lambda_
    missing = [mode for mode in modes if isinstance(by_mode, dict) and mode != CONTROL and mode not in by_mode]
    if missing:
        raise ConfigError(f"{name}.regularisation.lambda is {by_mode}; it must name mode {missing[0]} as well")
    return preset


def _check_images(preset: Preset, name: str) -> None:
    """Refuses classes and poolings that the images of a preset do not have, where these are known beforehand."""
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
