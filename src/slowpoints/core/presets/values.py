"""Types of settings: numbers as YAML has them, shares of a run, lambdas, and rules with words for messages."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral, Real
from typing import Annotated, Any, TypeVar

from pydantic import (
    AllowInfNan,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Strict,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError, core_schema

T = TypeVar("T")
SHARE = r"[0-9]{1,9}/0*[1-9][0-9]{0,8}"


@dataclass(frozen=True, eq=False)
class Rule:
    """A condition on a value beyond its type.

    Attributes:
        holds: whether a value fulfils it.
        words: of the message if it does not.
        schema: the same as keywords of JSON schema, for editors.
    """

    holds: Callable[[Any], bool]
    words: str
    schema: Mapping[str, Any]

    def check(self, value: Any) -> Any:
        if not self.holds(value):
            raise PydanticCustomError("rule", "{words}", {"words": self.words})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), **self.schema}


def matching(pattern: str, words: str) -> Rule:
    """Text that a regular expression matches entirely; `words` describe it."""
    compiled = re.compile(pattern)
    return Rule(lambda text: compiled.fullmatch(text) is not None, f"it must be {words}", {"pattern": f"^({pattern})$"})


def one_of(names: Iterable[str]) -> Rule:
    """One of some names."""
    allowed = list(names)
    return Rule(allowed.__contains__, f"allowed are {', '.join(allowed)}", {"enum": allowed})


UNIQUE = Rule(lambda items: len({*items}) == len(items), "its items must differ", {"uniqueItems": True})


def _number(value: Any) -> Any:
    """The number in text, since YAML takes 1e-5 for text; anything else unchanged."""
    if isinstance(value, Real) and not isinstance(value, (int, float, Fraction)):  # of NumPy
        return int(value) if isinstance(value, Integral) else float(value)
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def reads_as_number(value: Any) -> bool:
    """Whether a value is a number, or text that contains one."""
    return isinstance(_number(value), (int, float))


def _whole_number(value: Any) -> Any:
    """Like `_number`, and an integer for 2.0."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,19}", value):
        return int(value)
    number = _number(value)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _share(value: Any) -> Fraction:
    number = _number(value)
    if isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number):
        share = Fraction(str(number))  # 0.1 as the tenth that was meant
    elif isinstance(number, Fraction) or (isinstance(number, str) and re.fullmatch(SHARE, number)):
        share = Fraction(number)
    else:
        raise PydanticCustomError("type", "{words}", {"words": 'a number, or text such as "8/140"'})
    if share < 0:
        raise PydanticCustomError("rule", "{words}", {"words": "it must be at least 0"})
    return share


def _null(value: Any) -> Any:
    """None for the text "null", as `--config KEY=null` arrives from Snakemake."""
    return None if isinstance(value, str) and value == "null" else value


def _boolean(value: Any) -> Any:
    """A boolean for the texts "true" and "false", as they arrive inside a `--config`."""
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def written(default: Any) -> Any:
    """A default as written in YAML, which the key's type converts."""
    return default


Whole = Annotated[int, Strict(), BeforeValidator(_whole_number)]
"""A whole number, which may also be written as 2.0, 1e3 or text."""
Number = Annotated[float, Strict(), AllowInfNan(False), BeforeValidator(_number)]
"""A finite number, which may also be written as text."""
YesNo = Annotated[bool, Strict(), BeforeValidator(_boolean)]
OrNull = Annotated[T | None, BeforeValidator(_null)]
"""A value, or null."""
SHARE_SCHEMA = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{SHARE}$"}]}
Share = Annotated[Fraction, PlainValidator(_share), WithJsonSchema(SHARE_SCHEMA)]
"""A fraction of something, as a number or as text such as "8/140"."""
