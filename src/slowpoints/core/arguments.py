"""Checks of the arguments of public functions: errors name the argument, its value and what is allowed."""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Iterable, Sequence
from typing import Any

LONGEST = 100  # characters of a value that a message shows; of one with more, such as a table, it names the type


def instance(value: Any, wanted: type | tuple[type, ...], name: str, advice: str = "") -> None:
    """Raises TypeError unless the value is of that type.

    Args:
        value: the argument.
        wanted: the type that it must have, or several allowed types.
        name: name of the argument.
        advice: added to the message: how to get a valid one.
    """
    if not isinstance(value, wanted):
        types = wanted if isinstance(wanted, tuple) else (wanted,)
        names = " or ".join(type_.__name__ for type_ in types)
        raise TypeError(f"{name} is {type_named(value)}; it must be {_article(names)} {names}{advice}")


def whole_number(value: Any, name: str, least: int = 0) -> int:
    """A whole number of Python, NumPy or PyTorch, as an int.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is not whole, not finite, or less than `least`.
    """
    number = _number(value, name, "a whole number")
    if not (math.isfinite(number) and number == int(number) and number >= least):
        raise ValueError(f"{name} is {value}; it must be a whole number of at least {least}")
    return int(number)


def finite(value: Any, name: str, least: float = -math.inf) -> float:
    """A finite number of Python, NumPy or PyTorch, as a float.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is not finite, or less than `least`.
    """
    number = float(_number(value, name, "a number"))
    if not (math.isfinite(number) and number >= least):
        bound = "" if least == -math.inf else f", and at least {least:g}"
        raise ValueError(f"{name} is {value}; it must be finite{bound}")
    return number


def one_of(value: Any, options: Collection[str], name: str) -> None:
    """Raises ValueError unless the value is one of the names."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(options)}")


def whole_numbers(values: Any, name: str, least: int = 0) -> list[int]:
    """One or more different whole numbers, as a list in the same order.

    Raises:
        TypeError: if they are not a sequence of numbers.
        ValueError: if there are none, one occurs twice, is not whole, or is less than `least`.
    """
    if isinstance(values, str | bytes | dict) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{name} is {values!r}; it must be a sequence of whole numbers")
    numbers_ = [whole_number(value, f"each of {name}", least) for value in values]
    if not numbers_ or len(set(numbers_)) < len(numbers_):
        raise ValueError(f"{name} is {numbers_}; it must hold at least one number, and none twice")
    return numbers_


def table_columns(table: Any, wanted: Sequence[str], name: str, source: str = "the table of that name") -> None:
    """Raises TypeError unless the value is a data frame, ValueError unless it has these columns, as `source` has."""
    if not hasattr(table, "columns") or not hasattr(table, "groupby"):
        raise TypeError(f"{name} is {type_named(table)}; it must be a data frame (pandas.read_parquet)")
    if missing := [column for column in wanted if column not in table.columns]:
        raise ValueError(f"{name} lacks the column {', '.join(missing)}; it must be {source}")


def _number(value: Any, name: str, wanted: str) -> Any:
    """The value as a real number of Python, with integers exact; truth values and text are not numbers."""
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        shown = repr(value)
        raise TypeError(f"{name} is {shown if len(shown) <= LONGEST else type_named(value)}; it must be {wanted}")
    return value


def type_named(value: Any) -> str:
    """Its type, as "a dict" or "an int"."""
    name = type(value).__name__
    return f"{_article(name)} {name}"


def _article(noun: str) -> str:
    return "an" if noun.startswith((*"AEIOUaeiou", "nd")) else "a"  # an ndarray
