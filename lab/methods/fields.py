"""The fields of peft's configuration classes as settings: knobs with bounds, and the way back to an argument."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import types
import typing
from fnmatch import fnmatchcase
from typing import Any

from lab.errors import LabError
from lab.knobs import knob

#: Bounds of numbers by the field's name; the first line that fits holds. Other fields have those of `bounds`.
BOUNDS = (
    ("*seed", 0, 2**31 - 1),
    ("*prng_key", 0, 2**31 - 1),
    ("*dropout*", 0, 0.9),
    ("*beta*", 0, 1),
    ("*_rate", 0, 1),
    ("*threshold", 0, 1),
    ("sparsity", 0, 1),
    ("r", 1, 1024),
    ("*_r", 0, 1024),
    ("*rank*", 0, 8192),
    ("*alpha*", 0, 4096),
    ("*_warmup", 0, 1_000_000),
    ("*_interval", 1, 1_000_000),
    ("n_frequency*", 1, 1_000_000),
    ("*_length", 1, 1_000_000),
    ("num_virtual_tokens", 1, 2048),
    ("*hidden_size", 1, 16_384),
    ("*intermediate_size", 1, 65_536),
    ("*depth", 0, 16),
    ("*_niter", 0, 100),
    ("*_terms", 1, 100),
)

Number = type[int] | type[float]


def bounds(name: str, default: float) -> tuple[float, float]:
    """The smallest and the largest value of a number that a field of that name takes."""
    for pattern, low, high in BOUNDS:
        if fnmatchcase(name, pattern):
            return min(low, default), max(high, default)
    return min(0, default), max(1024, 10 * default)


def kinds(cls: type) -> dict[str, Any]:
    """The types of a configuration's fields."""
    try:
        return typing.get_type_hints(cls)
    except Exception:  # a name that only type checkers know
        return {item.name: item.type for item in dataclasses.fields(cls)}


def default(field: dataclasses.Field) -> Any:
    """The field's default as a setting: plain values as they are, everything else as text."""
    value = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or value is dataclasses.MISSING:
        return ""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value, default=str)


def setting(field: dataclasses.Field, kind: Any) -> tuple[str, type, Any]:
    """The field as `dataclasses.make_dataclass` takes it: a name, a type and a knob."""
    value = default(field)
    label = field.name.replace("_", " ").capitalize()
    help = " ".join(str(field.metadata.get("help", "")).split())
    options: dict[str, Any] = {"advanced": True}
    if isinstance(value, int | float) and not isinstance(value, bool):
        options["low"], options["high"] = bounds(field.name, value)
    elif isinstance(value, str):
        options["choices"] = _choices(kind, value)
    return field.name, type(value), knob(value, label, help, **options)


def argument(value: Any, field: dataclasses.Field, kind: Any) -> Any:
    """A setting as the argument: what is text only because the default is empty or a list is read as JSON.

    Raises LabError for a number out of bounds.
    """
    if not isinstance(value, str) or isinstance(field.default, str | enum.Enum):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = value
    if _members(kind) <= {int, float}:
        check_number(parsed, field.name)
    return parsed


def check_number(value: Any, name: str) -> None:
    """Raises LabError if the value is no number within the bounds of the field of that name."""
    low, high = bounds(name, 0)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        label = name.replace("_", " ").capitalize()
        raise LabError(f"{label} cannot be '{value}'.", f"Choose a value from {low:g} to {high:g}.")


def _members(kind: Any) -> set[Any]:
    """The types of which a field takes a value, None left out."""
    members = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    return set(members) - {type(None)}


def _choices(kind: Any, value: str) -> tuple[str, ...]:
    """The words that the field takes, if its type lists them and `value` is one of them; else nothing."""
    words: list[str] = []
    for member in _members(kind):
        if typing.get_origin(member) is typing.Literal:
            words += [item for item in typing.get_args(member) if isinstance(item, str)]
        elif isinstance(member, type) and issubclass(member, enum.Enum):
            words += [str(item.value) for item in member]
    return tuple(dict.fromkeys(words)) if value in words else ()
