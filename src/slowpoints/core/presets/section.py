"""What all sections of a preset share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Self, TypeVar, dataclass_transform

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

C = TypeVar("C")
SETTINGS = ConfigDict(extra="forbid", validate_default=True, validate_by_name=True)  # `replace` goes by names of fields


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def section(cls: type[C]) -> type[C]:
    """A frozen dataclass whose fields are keys of a configuration: checked, with description, bounds and default.

    Jobs are given every key, so a `Field(...)` does not count in digests of code (`core.digests`): its description,
    bounds and default can change without running anything again.
    """
    made: Any = dataclass(frozen=True, config=SETTINGS)(cls)
    return made


class Section:
    """A part of a configuration."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """From settings as YAML has them: lists, numbers, and text such as "8/140" for fractions.

        Raises:
            pydantic.ValidationError: where they cannot be; `core.checks.checked` says it in our words.
        """
        return TypeAdapter(cls).validate_python(dict(settings))


def plain(section: Any) -> Any:
    """A section as text, numbers, lists and dicts, which Snakemake can keep as a param: what `Section.of` takes."""
    if dataclasses.is_dataclass(section):
        return {entry.name.rstrip("_"): plain(getattr(section, entry.name)) for entry in dataclasses.fields(section)}
    if isinstance(section, (tuple, list)):
        return [plain(item) for item in section]
    if isinstance(section, dict):
        return {key: plain(item) for key, item in section.items()}
    return str(section) if isinstance(section, Fraction) else section
