"""JSON that anybody may have written, read strictly.

Python's own reader takes NaN, a key that stands twice, half a surrogate pair and a thousand levels of lists. Each of
these breaks something later on: a browser, a sum, a terminal, a recursive function. Here they are no JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: Levels of lists and tables, digits of a whole number (a float has 309 at most), and bytes of a file.
DEPTH, DIGITS, BYTES = 64, 300, 10_000_000


def loads(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, in words for a person, for what is none."""
    try:
        value = _STRICT.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return checked(value, text)


def loads_fast(text: str) -> Any:
    """The same in half the time, for lines by the thousand. Of a key that stands twice the last counts."""
    try:
        value = _FAST.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return checked(value, text)


def read(file: Path) -> Any:
    """The value of a JSON file. Raises ValueError or OSError."""
    with file.open("rb") as opened:
        data = opened.read(BYTES + 1)
    if len(data) > BYTES:
        raise ValueError(f"it is larger than {BYTES // 10**6} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    return loads(text)


def checked(value: Any, text: str) -> Any:
    """The value of `text`, if it is neither too deep nor holds half a surrogate pair. Raises ValueError otherwise."""
    if text.count("[") + text.count("{") > DEPTH and depth(value) > DEPTH:
        raise ValueError("it is nested too deeply")
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it holds half a surrogate pair") from None
    return value


def depth(value: Any) -> int:
    """How many lists and tables lie in each other, counted without recursion."""
    levels, inside = 0, [value]
    while inside := [item for item in inside if isinstance(item, list | tuple | Mapping)]:
        levels += 1
        inside = [value for item in inside for value in (item.values() if isinstance(item, Mapping) else item)]
    return levels


def _table(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = next(
            name for index, (name, _) in enumerate(pairs) if any(name == other for other, _ in pairs[:index])
        )
        raise ValueError(f"it has '{twice[:40]}' twice")
    return table


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("it has a number that is too large")
    return value


def _int(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError("it has a number that is too large")
    return int(digits)


_STRICT = json.JSONDecoder(object_pairs_hook=_table, parse_constant=_constant, parse_float=_float, parse_int=_int)
_FAST = json.JSONDecoder(parse_constant=_constant)
