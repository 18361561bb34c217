"""Configuration: checked against its schema, presets resolved, and the grid of cells that follows from it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from slowpoints.datasets.files import DOWNLOADS
from slowpoints.modes import mode_names
from slowpoints.protocols import check_schedules
from slowpoints.task import FRAMES

BLOCK = re.compile(r"^(\d+)-(\d+)$")


class ConfigError(ValueError):
    """A setting that cannot be: the message names the file, the key, the value and what is allowed."""


@dataclass(frozen=True)
class Study:
    """A checked configuration.

    Attributes:
        config: every top-level key, defaults filled in.
        presets: for each data set of the study its complete preset.
        folders: for each data set the folder of its files, None where it is embedded or generated.
    """

    config: dict
    presets: dict[str, dict]
    folders: dict[str, Path | None]

    @property
    def name(self) -> str:
        return self.config["study"]

    def cells(self) -> Iterator[tuple[str, str, str]]:
        """(dataset, architecture, protocol) of each cell of the grid."""
        for dataset in self.config["datasets"]:
            for architecture in self.config["architectures"]:
                for protocol in self.config["protocols"]:
                    yield dataset, architecture, protocol

    def seeds(self, dataset: str) -> int:
        """Networks a cell."""
        return self.config["seeds"] or self.presets[dataset]["seeds"]

    def modes(self, dataset: str) -> list[str]:
        """Folders of the fine-tuned networks of a cell: a mode each, or one for each lambda of a list."""
        return mode_names(self.config["modes"], self.presets[dataset]["regularisation"]["lambda"])

    def blocks(self, cell: tuple[str, str, str], networks: Path) -> list[str]:
        """Blocks of seeds that hold the networks of a cell, such as "0-7".

        A block that has been trained already is kept, so that raising the number of seeds adds a block and
        retrains nothing; a table takes from it the seeds that the study asks for.

        Args:
            cell: (dataset, architecture, protocol).
            networks: folder of all networks, results/networks.
        """
        ends: dict[int, int] = {}
        for weights in networks.joinpath(*cell, "trained").glob("*/weights.safetensors"):
            if block := BLOCK.match(weights.parent.name):
                first, last = map(int, block.groups())
                ends[first] = max(last, ends.get(first, last))
        seeds = self.seeds(cell[0])
        size = self.config["seeds_per_job"] or seeds
        blocks, first = [], 0
        while first < seeds:
            last = ends.get(first, min(first + size, seeds) - 1)
            blocks.append(f"{first}-{last}")
            first = last + 1
        return blocks


def read_study(
    config: dict, *, schema: Path, shipped: Path, name: str = "config", resources: Path = Path("resources")
) -> Study:
    """Checks a configuration and resolves its presets.

    Args:
        config: as read from YAML and the command line.
        schema: the JSON schema, as YAML.
        shipped: folder of the presets that ship, one YAML file each.
        name: what to call the configuration in messages: its file.
        resources: folder into which data sets are downloaded.

    Raises:
        ConfigError: naming the file, the key, the value and what is allowed.
    """
    full_schema = yaml.safe_load(schema.read_text())
    preset_schema = {"$defs": full_schema["$defs"], **full_schema["$defs"]["preset"]}
    config = _numbers(copy.deepcopy(config), full_schema, full_schema)
    _check(config, full_schema, name)
    config = _filled(config, full_schema, full_schema)
    known = {path.stem: _read_preset(path, preset_schema) for path in sorted(shipped.glob("*.yaml"))}
    written = {preset: dict(own) for preset, own in config["presets"].items()}
    for preset, own in written.items():
        if "base" not in own and preset in known:
            own["base"] = preset  # an override starts from the shipped preset of its name
    presets, folders = {}, {}
    for dataset in config["datasets"]:
        if dataset not in known and dataset not in written:
            names = ", ".join(sorted({*known, *written}))
            raise ConfigError(f"{name}: datasets: there is no preset {dataset!r}; there are {names}")
        merged = _resolve(dataset, written, known, name)
        preset = _filled(merged, preset_schema, full_schema)
        _check_preset(preset, f"{name}: presets.{dataset}")
        presets[dataset] = preset
        folders[dataset] = _folder(preset["source"], config["data_dir"], resources, f"{name}: presets.{dataset}.source")
    return Study(config, presets, folders)


def _read_preset(path: Path, schema: dict) -> dict:
    preset = _numbers(yaml.safe_load(path.read_text()), schema, schema)
    _check(preset, schema, str(path))
    return preset


def _resolve(dataset: str, written: dict, known: dict, name: str, *, above: tuple[str, ...] = ()) -> dict:
    """A preset with what its bases say where it is silent."""
    shadowed = dataset in above  # an override that starts from the shipped preset of its own name
    source = known if shadowed or dataset not in written else written
    if dataset not in source or above.count(dataset) > 1:
        others = ", ".join(sorted({*known, *written} - {dataset}))
        raise ConfigError(f"{name}: presets.{above[-1]}.base is {dataset!r}; it must be another preset: {others}")
    own = dict(source[dataset])
    base = own.pop("base", None)
    return _merged(_resolve(base, written, known, name, above=(*above, dataset)), own) if base else own


def _merged(base: dict, own: dict) -> dict:
    """Section by section; a source that names its kind replaces the base's."""
    merged = copy.deepcopy(base)
    for key, value in own.items():
        replaced = key == "source" and "kind" in value
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and not replaced and key != "front_end":
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _check(value: dict, schema: dict, name: str) -> None:
    error = best_match(Draft202012Validator(schema).iter_errors(value))
    if error is not None:
        raise ConfigError(f"{name}: {_explain(error)}")


def _explain(error: ValidationError) -> str:
    key = ".".join(map(str, error.absolute_path)) or "the configuration"
    rule, wanted = error.validator, error.validator_value
    if rule == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {})
        unknown = [name for name in error.instance if name not in known]
        place = "" if key == "the configuration" else f"{key}."
        return f"unknown key {place}{unknown[0]}; allowed are {', '.join(sorted(known))}"
    allowed = {
        "enum": lambda: f"allowed are {', '.join(map(str, wanted))}",
        "type": lambda: f"it must be of type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}",
        "minimum": lambda: f"it must be at least {wanted}",
        "maximum": lambda: f"it must be at most {wanted}",
        "exclusiveMinimum": lambda: f"it must be more than {wanted}",
        "minItems": lambda: f"it must have at least {wanted} items",
        "uniqueItems": lambda: "its items must differ",
    }.get(rule, lambda: error.message)()
    return f"{key} is {error.instance!r}; {allowed}"


def _numbers(value, schema: dict, root: dict):
    """Text that reads as a number, where the schema wants a number: YAML takes 1e-5 for text."""
    schema = _followed(schema, root)
    for option in schema.get("oneOf", []):
        value = _numbers(value, option, root)
    kinds = schema.get("type", [])
    if isinstance(value, dict):
        other = schema.get("additionalProperties")
        for key, item in value.items():
            part = schema.get("properties", {}).get(key) or (other if isinstance(other, dict) else None)
            if part is not None:
                value[key] = _numbers(item, part, root)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_numbers(item, schema["items"], root) for item in value]
    elif (
        isinstance(value, str)
        and "string" not in kinds
        and {"number", "integer"} & {*([kinds] if isinstance(kinds, str) else kinds)}
    ):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() and "integer" in kinds else number
    return value


def _filled(value: dict, schema: dict, root: dict) -> dict:
    """A copy with the schema's defaults where keys are missing, sections and all."""
    full = copy.deepcopy(value)
    for key, part in schema.get("properties", {}).items():
        part = _followed(part, root)
        if key not in full and "default" in part:
            full[key] = copy.deepcopy(part["default"])
        if part.get("type") == "object" and part.get("properties"):
            full[key] = _filled(full.get(key) or {}, part, root)
    return full


def _followed(schema: dict, root: dict) -> dict:
    reference = schema.get("$ref", "").removeprefix("#/$defs/")
    return {**root["$defs"][reference], **schema} if reference else schema


def _check_preset(preset: dict, name: str) -> None:
    """What a schema cannot say."""
    training, memory, source = preset["training"], preset["memory"], preset["source"]
    classes = source["classes"]
    if "kind" not in source:
        raise ConfigError(f"{name}.source.kind is missing; name a kind of source, or a base that has one")
    if training["bank"] < FRAMES:
        raise ConfigError(
            f"{name}.training.bank is {training['bank']}; it must be at least {FRAMES}, the frames of a trial, "
            "since a trial never meets a noise frame twice"
        )
    try:
        check_schedules(training["schedules"], classes)
    except ValueError as error:
        raise ConfigError(f"{name}.training.{error}") from None
    if training["rate_drop"] is not None and not 0 < Fraction(training["rate_drop"]) <= 1:
        raise ConfigError(
            f"{name}.training.rate_drop is {training['rate_drop']}; it must lie between 0 and 1, or be null"
        )
    delays = memory["delays"]
    if delays != sorted(set(delays)) or not {FRAMES - 1, FRAMES} <= set(delays) or delays[-1] <= FRAMES:
        raise ConfigError(
            f"{name}.memory.delays is {delays}; it must increase, hold {FRAMES - 1} and {FRAMES}, and reach beyond"
        )
    if memory["noise"] == "bank" and memory["bank"] <= delays[-1]:
        raise ConfigError(
            f"{name}.memory.bank is {memory['bank']}; it must be more than the longest delay, {delays[-1]}"
        )
    if memory["n_images"] % classes:
        raise ConfigError(
            f"{name}.memory.n_images is {memory['n_images']}; it must be a multiple of {classes}, the classes"
        )


def _folder(source: dict, data_dir: str | None, resources: Path, name: str) -> Path | None:
    """Folder of a source's files: given, or where they will be downloaded to; None for embedded kinds."""
    if source["kind"] in ("digits", "glyphs"):
        return None
    if "path" not in source:
        raise ConfigError(f"{name}.path is missing; {source['kind']} files need a folder")
    path = Path(source["path"]).expanduser()
    if not path.is_absolute() and data_dir is None and source.get("urls"):
        for file in DOWNLOADS.get(source["kind"], ()):
            if file not in (source.get("checksums") or {}):
                raise ConfigError(f"{name}.checksums has no {file}; a file is only downloaded with its checksum known")
        if source["kind"] in DOWNLOADS:
            return resources / path
    given = path if path.is_absolute() else Path(data_dir or ".").expanduser() / path
    if not given.is_dir():
        raise ConfigError(
            f"{name}.path is {source['path']!r} and data_dir is {data_dir!r}: there is no folder {given}; "
            "set data_dir to the folder that holds it"
        )
    return given
