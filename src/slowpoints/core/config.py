"""Checks of a configuration: its file, its JSON schema with messages in plain words, numbers that YAML takes for text,
and defaults."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from types import NoneType
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, relevance

MOST = 2**63 - 1
"""The largest whole number that tables and tensors hold."""
TYPES = {
    "object": "a mapping of keys",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
"""Types of JSON schema, in words."""
RULES = {
    "const": "it must be {}",
    "enum": "allowed are {}",
    "minimum": "it must be at least {}",
    "maximum": "it must be at most {}",
    "exclusiveMinimum": "it must be more than {}",
    "exclusiveMaximum": "it must be less than {}",
    "multipleOf": "it must be a multiple of {}",
    "minLength": "it must have at least {} characters",
    "minItems": "it must have at least {} items",
    "maxItems": "it must have at most {} items",
    "uniqueItems": "its items must differ",
    "minProperties": "it must have at least {} keys",
    "pattern": "it must match {}",
}
"""Rules of JSON schema, in words. Where the schema itself has words, as `allowed`, these tell types, patterns and
alternatives."""


class ConfigError(ValueError):
    """A setting that cannot be: the message names the file, the key, the value and what is allowed, in one line."""

    def __str__(self) -> str:
        return " ".join(super().__str__().splitlines())  # a folder's name may hold line breaks


def read_yaml(path: Path) -> dict[str, Any]:
    """What a YAML file maps keys to; nothing where it is empty.

    Raises:
        ConfigError: naming the file, if it cannot be read, or is no YAML or no mapping.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path}: holds {content!r:.40}; it must be {TYPES['object']}, such as `seeds: 2`")
    return content or {}


def parse_yaml(text: str, name: str) -> Any:
    """What a text in YAML says; ConfigError, naming where it comes from, if it is none."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: not YAML: {' '.join(str(error).split())}") from None


def overlaid(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Settings with others on top, key by key at every depth, as Snakemake reads one configuration over another."""
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        both[key] = overlaid(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return both


def check(value: Any, schema: dict, name: str) -> None:
    """Raises ConfigError where a configuration, called `name` in the message, breaks its schema."""
    _check_keys_and_numbers(value, name)
    error = max(Draft202012Validator(schema).iter_errors(value), key=relevance, default=None)
    if error is not None:
        raise ConfigError(f"{name}: {_explain(_meant(error))}")


def _check_keys_and_numbers(value: Any, name: str, *above: str) -> None:
    """Refuses keys that are no text and numbers that are not finite, of which a schema cannot speak."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ConfigError(f"{name}: {_place(above)} has the key {key!r}; it must be text, in quotes: '{key}'")
            _check_keys_and_numbers(item, name, *above, key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_keys_and_numbers(item, name, *above, str(index))
    elif isinstance(value, int) and abs(value) > MOST:
        raise ConfigError(f"{name}: {_place(above)} is a number too large; it must be at most {MOST}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name}: {_place(above)} is {value}; it must be a finite number")


def _place(path: Any) -> str:
    return ".".join(map(str, path)) or "the configuration"


def _meant(error: ValidationError) -> ValidationError:
    """Of an error about alternatives that within the one whose type the value has; the error itself where none has."""
    while error.context:
        within: dict[Any, list[ValidationError]] = {}
        for each in error.context:
            within.setdefault(each.schema_path[0], []).append(each)
        typed = [each for each in within.values() if not any(e.validator == "type" and not e.path for e in each)]
        if len(typed) != 1:
            break
        error = max(typed[0], key=relevance)
    return error


def _explain(error: ValidationError) -> str:
    key, rule = _place(error.absolute_path), str(error.validator)
    value: Any = error.instance
    schema: Any = error.schema
    wanted: Any = error.validator_value
    inside = f"{key}." if error.absolute_path else ""
    if rule == "additionalProperties":
        known = schema.get("properties", {})
        unknown = next(name for name in value if name not in known)
        return f"unknown key {inside}{unknown}; allowed are {', '.join(sorted(known))}"
    if rule == "required":
        missing = next(name for name in wanted if name not in value)
        return f"{inside}{missing} is missing; {key} must have {' and '.join(wanted)}"
    given = f"{key} has the key {value!r}" if "propertyNames" in error.schema_path else f"{key} is {value!r}"
    if "allowed" in schema and rule in ("type", "pattern", "oneOf"):
        return f"{given}; it must be {schema['allowed']}"
    if rule == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        quotable = "string" in kinds and not isinstance(value, (dict, list, NoneType))
        quoted = f", in quotes: '{value}'" if quotable else ""
        return f"{given}; it must be {' or '.join(TYPES[kind] for kind in kinds)}{quoted}"
    limit = ", ".join(map(str, wanted)) if isinstance(wanted, list) else wanted
    return f"{given}; {RULES[rule].format(limit) if rule in RULES else error.message}"


def with_numbers(value: Any, schema: dict, root: dict) -> Any:
    """Numbers as the schema wants them, where they read as such: YAML takes 1e-5 for text. Dicts change in place."""
    schema = _followed(schema, root)
    for option in schema.get("oneOf", []):
        value = with_numbers(value, option, root)
    if isinstance(value, dict):
        other = schema.get("additionalProperties")
        for key, item in value.items():
            part = schema.get("properties", {}).get(key) or (other if isinstance(other, dict) else None)
            if part is not None:
                value[key] = with_numbers(item, part, root)
    elif isinstance(value, list):
        first, rest = schema.get("prefixItems", []), schema.get("items", {})
        parts = [*first, *[rest] * (len(value) - len(first))]
        return [with_numbers(item, part, root) for item, part in zip(value, parts, strict=False)]
    elif isinstance(value, (str, float)):
        return _number(value, schema.get("type", []))
    return value


def _number(value: str | float, kinds: str | list[str]) -> Any:
    """The number that text reads as, and a whole one for 2.0, where such kinds are wanted."""
    wanted = {kinds} if isinstance(kinds, str) else {*kinds}
    if not wanted & {"number", "integer"}:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() and "number" not in wanted else number


def with_defaults(value: dict, schema: dict, root: dict) -> dict:
    """A copy with the schema's defaults where keys are missing, sections and all."""
    full = copy.deepcopy(value)
    for key, part in schema.get("properties", {}).items():
        part = _followed(part, root)
        if key not in full and "default" in part:
            full[key] = copy.deepcopy(part["default"])
        if part.get("type") == "object" and part.get("properties"):
            full[key] = with_defaults(full.get(key) or {}, part, root)
    return full


def _followed(schema: dict, root: dict) -> dict:
    reference = schema.get("$ref", "").removeprefix("#/$defs/")
    return {**root["$defs"][reference], **schema} if reference else schema
