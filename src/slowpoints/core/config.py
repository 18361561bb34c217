"""Configuration files and `--config KEY=VALUE`, read as Snakemake reads them, but strictly."""

from __future__ import annotations

import codecs
import contextlib
import functools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

DEFAULT = Path("config/config.yaml")
"""The configuration that the workflow reads before any other, if it exists."""
KEY = re.compile(r"[a-zA-Z_][\w-]*\w")
"""A key that Snakemake accepts on the command line."""


class ConfigError(ValueError):
    """An invalid setting: the message names the file, the key, the value and what is allowed, in one line."""

    def __str__(self) -> str:
        return " ".join(super().__str__().splitlines())  # a folder's name may contain line breaks


class _DuplicateKey(yaml.YAMLError):
    """A mapping in which a key occurs twice."""


class _UniqueKeys:
    """Mixin for a YAML loader that refuses duplicate keys, of which PyYAML silently drops the first."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)  # type: ignore[misc]
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in lines:
                raise _DuplicateKey(
                    f"the key {key.value} is given twice, in lines {lines[name]} and {line}; remove one"
                )
            lines[name] = line
        return node


class _Strict(_UniqueKeys, yaml.SafeLoader):
    """Loader of files."""


class _StrictTexts(_UniqueKeys, yaml.loader.BaseLoader):
    """Loader of values on the command line, whose parts stay text."""


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a file of YAML or JSON; an empty one for an empty file.

    Raises:
        ConfigError: naming the file, if it cannot be read, is not UTF-8, not YAML or not a mapping, or has a key twice.
    """
    try:
        text = _decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    content = parse_yaml(text, str(path))
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path}: holds {content!r:.40}; it must be a mapping of keys, such as `seeds: 2`")
    if content and content.get("__use_yte__"):
        return _from_template(text, str(path))
    return content or {}


def _decoded(content: bytes, name: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        raise ConfigError(f"{name}: is encoded in UTF-16; save it in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name}: is not encoded in UTF-8, but perhaps in Latin-1 (byte 0x{content[error.start]:x} in line "
            f"{line}); save it in UTF-8"
        ) from None


def parse_yaml(text: str, name: str) -> Any:
    """The value of a text in YAML or JSON.

    Raises:
        ConfigError: naming its file, if it is neither or has a key twice.
    """
    try:
        with contextlib.suppress(ValueError):
            value = json.loads(text)
            with contextlib.suppress(yaml.scanner.ScannerError):  # JSON that is not YAML
                yaml.compose(text.replace("\t", " "), Loader=_Strict)
            return value
        return yaml.load(text, Loader=_Strict)
    except _DuplicateKey as error:
        raise ConfigError(f"{name}: {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: not YAML: {' '.join(str(error).split())}") from None


def _from_template(text: str, name: str) -> dict[str, Any]:
    """The content of a file with `__use_yte__: true`, which Snakemake treats as a template of YAML."""
    try:
        import yte  # comes with Snakemake
    except ImportError:
        raise ConfigError(f"{name}: __use_yte__ needs the package yte, which comes with Snakemake") from None
    try:
        return dict(yte.process_yaml(text, require_use_yte=True))
    except Exception as error:  # whatever its expressions raise
        raise ConfigError(f"{name}: the template cannot be filled in: {error}") from None


def parse_setting(text: str) -> dict[str, Any]:
    """The setting of `--config KEY=VALUE`, parsed like Snakemake's `parse_config`.

    Raises:
        ConfigError: if it is not KEY=VALUE, or its value has a key twice.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--config is {text!r}; it must be KEY=VALUE, such as seeds=2")
    if not KEY.match(key):
        raise ConfigError(f"--config {text}: {key!r} is not a key; see config/README.md")
    value = value.strip("'\"")
    if value == "":
        return {key: None}
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return {key: number(value)}
    if value in ("True", "False"):
        return {key: value == "True"}
    try:
        return {key: yaml.load(value, Loader=_StrictTexts)}
    except _DuplicateKey as error:
        raise ConfigError(f"--config {key}: {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        return {key: value}


def overlaid(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Settings `below` updated by those `above`, key by key at every depth, as Snakemake merges configurations."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = overlaid(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def read_configured(files: Sequence[Path], settings: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The configuration that Snakemake would read with `--configfile FILES --config SETTINGS` in this folder.

    Returns:
        The configuration; the part of it that must name the study (`study.read_study`); its name in messages.

    Raises:
        ConfigError: if a file or a setting cannot be read.
    """
    below = read_yaml(DEFAULT) if DEFAULT.is_file() else {"study": "default"}
    own: dict[str, Any] = functools.reduce(overlaid, [*map(read_yaml, files), *map(parse_setting, settings)], {})
    config = overlaid(below, own)
    return config, own if files else config, " + ".join(map(str, files or [DEFAULT]))
