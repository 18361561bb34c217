"""What all sections of a preset share."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Self


class Section:
    """A part of a preset."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """From checked settings as YAML has them: lists, numbers, and text such as "8/140" for fractions."""
        hints = typing.get_type_hints(cls)
        return cls(**{_field(key): _typed(hints[_field(key)], value) for key, value in settings.items()})


def _field(key: str) -> str:
    return "lambda_" if key == "lambda" else key


def _typed(hint: Any, value: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        options = [option for option in typing.get_args(hint) if option is not types.NoneType]
        return value if value is None or len(options) > 1 else _typed(options[0], value)
    if typing.get_origin(hint) is tuple:
        items = typing.get_args(hint)
        each = items[:1] * len(value) if items[-1] is Ellipsis else items
        return tuple(_typed(item, part) for item, part in zip(each, value, strict=True))
    if hint is Fraction:
        return Fraction(str(value))  # 0.1 as the tenth that was meant
    if hint is float:
        return float(value)
    return hint.of(value) if isinstance(hint, type) and issubclass(hint, Section) else value


def plain(section: Any) -> Any:
    """A section as text, numbers, lists and dicts, which Snakemake can keep as a param: what `Section.of` takes."""
    if dataclasses.is_dataclass(section):
        return {entry.name.rstrip("_"): plain(getattr(section, entry.name)) for entry in dataclasses.fields(section)}
    if isinstance(section, (tuple, list)):
        return [plain(item) for item in section]
    if isinstance(section, dict):
        return {key: plain(item) for key, item in section.items()}
    return str(section) if isinstance(section, Fraction) else section
