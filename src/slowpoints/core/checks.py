"""Checks of a configuration against its typed model, with pydantic's errors in plain English."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from slowpoints.core.config import ConfigError

T = TypeVar("T")

MOST = 2**63 - 1
"""The largest whole number in tables and tensors."""
LONGEST = 200  # characters of a value that a message quotes
FORMS = ("<number>", "<list>", "<mapping>")  # parts of pydantic's paths that name the form of a value
UNKNOWN = "unexpected_keyword_argument"
TYPES = {
    "dataclass_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "tuple_type": "a list",
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
}
"""The required type, by pydantic's error type."""
RULES = {
    "greater_than_equal": "it must be at least {ge:.12g}",
    "less_than_equal": "it must be at most {le:.12g}",
    "greater_than": "it must be more than {gt:.12g}",
    "finite_number": "it must be a finite number",
    "string_too_short": "it must have at least {min_length} characters",
    "too_long": "it must have at most {max_length} items",
}
"""The rule that was broken, by other error types. Our own types (`core.presets.values`) have their own messages."""


def checked(model: type[T], value: Any, name: str, context: Any = None) -> T:
    """A value as an instance of its model.

    Args:
        model: type of a section of a configuration.
        value: the section as read from YAML.
        name: name of the value in messages: its file, and its key if it is not the whole file.
        context: passed to the validators of the model.

    Raises:
        ConfigError: naming the file, the key, the value and what is allowed.
    """
    try:
        _check_numbers_and_keys(value, name)
        return TypeAdapter(model).validate_python(value, context=context)
    except RecursionError:
        raise ConfigError(
            f"{name}: nested endlessly; a YAML alias (*) must not occur inside the value that it refers to"
        ) from None
    except ValidationError as caught:
        errors = caught.errors(include_url=False)
    root_cause = min(errors, key=lambda error: error["type"] != UNKNOWN)  # a misspelt key makes another missing
    raise ConfigError(f"{name}: {_explain(root_cause, model)}")


def _check_numbers_and_keys(value: Any, name: str, *above: str) -> None:
    """Refuses what no model allows: sets, keys that are not text, and numbers that are too large or not finite."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ConfigError(f"{name}: {_place(above)} has the key {key!r}; it must be text, in quotes: '{key}'")
            _check_numbers_and_keys(item, name, *above, key)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check_numbers_and_keys(item, name, *above, str(index))
    elif isinstance(value, (set, frozenset)):
        raise ConfigError(f"{name}: {_place(above)} is a set; it must be a list, such as [digits, glyphs]")
    elif isinstance(value, int) and abs(value) > MOST:
        raise ConfigError(f"{name}: {_place(above)} is too large a number; it must be at most {MOST}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name}: {_place(above)} is {value}; it must be a finite number")


def _place(path: Sequence[Any]) -> str:
    return ".".join(map(str, path)) or "the configuration"


def _explain(error: ErrorDetails, model: Any) -> str:
    """An error in one line: the key, the value and what is allowed."""
    path = [key for key in error["loc"] if key not in FORMS]
    type_, value, context = error["type"], error["input"], error.get("ctx", {})
    if path and path[-1] == "[key]":
        *above, key, _ = path
        if error["msg"].startswith("allowed are "):
            return f"unknown key {_place([*above, key])}; {error['msg']}"
        return f"{_place(above)} has the key {key!r}; {error['msg']}"
    if type_ == UNKNOWN:
        return _unknown_key(path, model)
    if type_ == "missing":
        return _missing(path, value, model)
    if type_ in ("type", *TYPES):
        or_null = types.NoneType in _options(_hint(model, path))
        rule = f"it must be {_wanted(TYPES.get(type_, error['msg']), value, or_null)}"
    elif type_ == "literal_error":
        rule = f"allowed are {', '.join(map(str, typing.get_args(_bare(_hint(model, path)))))}"
    elif type_ == "too_short":
        rule = f"it must have at least {context['min_length']} {'keys' if isinstance(value, dict) else 'items'}"
    else:
        rule = RULES[type_].format(**context) if type_ in RULES else error["msg"]
    return f"{_place(path)} is {_shown(value)}; {rule}"


def _shown(value: Any) -> str:
    """A value as written in YAML."""
    keyword = {None: "null", True: "true", False: "false"}.get(value) if isinstance(value, bool | None) else None
    text = keyword or repr(str(value) if isinstance(value, date) else value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _wanted(allowed: str, value: Any, or_null: bool) -> str:
    """What a value must be, and how to write what was probably meant."""
    null = " or null" if or_null else ""
    if allowed == "text" and isinstance(value, bool):
        return f"text{null}, in quotes: YAML takes yes, no, on and off for true and false"
    if allowed == "text" and isinstance(value, (int, float, date)):
        return f"text{null}, in quotes: '{value}'"
    if allowed == "a list" and isinstance(value, str):
        return f"a list{null}, in brackets: [{value:.{LONGEST}}]"
    return f"{allowed}{',' if or_null and ',' in allowed else ''}{null}"


def _unknown_key(path: list[Any], model: Any) -> str:
    *above, key = path
    known = sorted(_keys(_bare(_hint(model, above))))
    matches = difflib.get_close_matches(str(key), known, n=1)
    suggestion = f"; did you mean {matches[0]}?" if matches else ""
    return f"unknown key {_place(path)}; allowed are {', '.join(known)}{suggestion}"


def _missing(path: list[Any], value: Any, model: Any) -> str:
    *above, key = path
    hint = _bare(_hint(model, above))
    if isinstance(key, int):  # of a tuple
        return f"{_place(above)} is {_shown(value)}; it must have {len(typing.get_args(hint))} items"
    required = [
        entry.name
        for entry in dataclasses.fields(hint)
        if entry.default is dataclasses.MISSING or getattr(entry.default, "is_required", bool)()
    ]
    return f"{_place(path)} is missing; {_place(above)} must have {' and '.join(required)}"


def _keys(section: Any) -> dict[str, Any]:
    """Keys of a section, each with its type."""
    return {name.rstrip("_"): hint for name, hint in typing.get_type_hints(section, include_extras=True).items()}


def _hint(hint: Any, path: Sequence[Any]) -> Any:
    """The type in a model at a path of keys."""
    for key in path:
        hint = _bare(hint)
        arguments = typing.get_args(hint)
        if dataclasses.is_dataclass(hint):
            hint = _keys(hint).get(key)
        elif typing.get_origin(hint) is tuple:
            hint = arguments[0] if arguments[-1] is Ellipsis else arguments[key]
        else:
            hint = arguments[1] if typing.get_origin(hint) is dict else None
    return hint


def _options(hint: Any) -> tuple[Any, ...]:
    """Members of a union without its annotations; the type itself if it is not a union."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _bare(hint: Any) -> Any:
    """A type without annotations and null; None for a union of several others."""
    options = [option for option in _options(hint) if option is not types.NoneType]
    return hint if options == [hint] else _bare(options[0]) if len(options) == 1 else None
