"""Plain JSON values read into the lab's frozen dataclasses, each field's type checked.

The annotations of a dataclass are its schema. (pydantic does the same, but takes 70 ms to import: a third of what a
command of the command line has.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

#: A field's reader: from the JSON value to that of the field. It raises TypeError with what it wants.
Reader = Callable[[Any], Any]

#: Whole numbers that other programs hold too.
LARGEST = 2**63


def read(cls: type[T], plain: Any) -> T:
    """An instance of the dataclass from a table of JSON values; names that it does not have are left out.

    A number that is null is NaN, since JSON has no other word for it. Raises ValueError for what does not fit.
    """
    if not isinstance(plain, Mapping):
        raise ValueError("it is no table of values")
    readers, required = _schema(cls)  # type: ignore[arg-type]  # classes are hashable
    values = {}
    for name, value in plain.items():
        reader = readers.get(name)
        if reader is not None:
            try:
                values[name] = reader(value)
            except TypeError as error:
                raise ValueError(f"'{name}' must be {error}") from None
    for name in required:
        if name not in values:
            raise ValueError(f"'{name}' is missing")
    return cls(**values)


@cache
def _schema(cls: Any) -> tuple[dict[str, Reader], tuple[str, ...]]:
    """The readers of a dataclass's fields, and the names of those without a default."""
    hints = get_type_hints(cls)
    required = tuple(item.name for item in fields(cls) if item.default is MISSING and item.default_factory is MISSING)
    return {item.name: _reader(hints[item.name]) for item in fields(cls)}, required


def _reader(hint: Any) -> Reader:
    """The reader of an annotation: a plain type, a dataclass, `tuple[X, ...]`, `dict[str, X]` or `X | None`."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_dataclass(hint):
        return lambda value: _nested(hint, value)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _tuple(_reader(parts[0]))
    if origin is dict:
        return _dict(_reader(parts[1]))
    if origin in (Union, UnionType) and type(None) in parts:
        inner = _reader(next(part for part in parts if part is not type(None)))
        return lambda value: None if value is None else inner(value)
    raise NotImplementedError(f"no reader for {hint}")


def _nested(cls: Any, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise TypeError("a table of values")
    try:
        return read(cls, value)
    except ValueError as error:
        raise TypeError(f"right ({error})") from None


def _tuple(inner: Reader) -> Reader:
    def reader(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError("a list")
        return tuple(inner(item) for item in value)

    return reader


def _dict(inner: Reader) -> Reader:
    def reader(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise TypeError("a table of values")
        return {name: inner(item) for name, item in value.items()}

    return reader


def _int(value: Any) -> int:
    if type(value) is int and -LARGEST <= value < LARGEST:
        return value
    if type(value) is float and value.is_integer() and abs(value) < LARGEST:
        return int(value)
    raise TypeError("a whole number")


def _float(value: Any) -> float:
    if type(value) is float or (type(value) is int and abs(value) < LARGEST):
        if not math.isfinite(value):
            raise TypeError("a finite number")
        return value
    if value is None:
        return math.nan
    raise TypeError("a number")


def _str(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("text")
    return value


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError("true or false")
    return value


_PLAIN: dict[Any, Reader] = {int: _int, float: _float, str: _str, bool: _bool, Any: lambda value: value}
