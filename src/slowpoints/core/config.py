"""Checks of a configuration against its JSON schema: messages, numbers that YAML takes for text, defaults."""

from __future__ import annotations

import copy
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match


class ConfigError(ValueError):
    """A setting that cannot be: the message names the file, the key, the value and what is allowed."""


def check(value: dict, schema: dict, name: str) -> None:
    """Raises ConfigError where a configuration, called `name` in the message, breaks its schema."""
    error = best_match(Draft202012Validator(schema).iter_errors(value))
    if error is not None:
        raise ConfigError(f"{name}: {_explain(error)}")


def _explain(error: ValidationError) -> str:
    key = ".".join(map(str, error.absolute_path)) or "the configuration"
    rule = error.validator
    schema: Any = error.schema
    wanted: Any = error.validator_value
    if rule == "additionalProperties" and isinstance(error.instance, dict):
        known = schema.get("properties", {})
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
    }.get(str(rule), lambda: error.message)()
    return f"{key} is {error.instance!r}; {allowed}"


def with_numbers(value: Any, schema: dict, root: dict) -> Any:
    """Text that reads as a number, where the schema wants a number: YAML takes 1e-5 for text. Dicts change in place."""
    schema = _followed(schema, root)
    for option in schema.get("oneOf", []):
        value = with_numbers(value, option, root)
    if isinstance(value, dict):
        other = schema.get("additionalProperties")
        for key, item in value.items():
            part = schema.get("properties", {}).get(key) or (other if isinstance(other, dict) else None)
            if part is not None:
                value[key] = with_numbers(item, part, root)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [with_numbers(item, schema["items"], root) for item in value]
    elif isinstance(value, str):
        return _number(value, schema.get("type", []))
    return value


def _number(text: str, kinds: str | list[str]) -> Any:
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "string" in kinds or not {"number", "integer"} & {*kinds}:
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and "integer" in kinds else number


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
