"""How much memory the rows of a data set may take: counted row by row, while they are read."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from sys import getsizeof
from types import TracebackType
from typing import Any

#: Bytes of the rows of one data set, as Python holds them, and of all data sets that are being read at once.
MAX_MEMORY, MAX_TOTAL = 200 * 2**20, 400 * 2**20

#: Columns of a row, and how deep lists and objects may stand in each other.
MAX_COLUMNS, MAX_DEPTH = 1000, 32

#: Bytes that a row counts at least, and the name of a column, with what is kept beside it: so there are no more than
#: 800,000 of them.
MIN_ROW = 256

#: Bytes that a budget takes from the common total at a time.
PORTION = 4 * 2**20

Row = dict[str, Any]

_lock = threading.Lock()
_reserved = 0


class Oversized(Exception):
    """A row that no data set may hold. Its message continues "A row of …"."""


class Exhausted(Exception):
    """The rows fill the memory that they may take."""


class Busy(Exception):
    """Other data sets that are being read take the memory of all."""


class Budget:
    """The memory of one data set's rows. Used in a `with`, which frees its share of what all readings may take.

    `used` is in bytes: an estimate from above, as the same text may stand in many rows.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = MAX_MEMORY if limit is None else limit
        self.used = 0
        self._reserved = 0
        self._names: set[str] = set()

    @property
    def full(self) -> bool:
        """Whether a row had no more memory."""
        return self.used > self.limit

    def add(self, row: Row) -> None:
        """Count a row. The names of its columns count once for all rows, which must share them.

        Raises Oversized for a row of too many columns or too deep a nesting, Exhausted if the limit is passed, and
        Busy if the data sets that are read at once pass theirs.
        """
        if len(row) > MAX_COLUMNS:
            raise Oversized(f"has more than {MAX_COLUMNS:,} columns")
        for name in row:
            if name not in self._names:
                self._names.add(name)
                self.used += getsizeof(name) + MIN_ROW
        self.used += max(_size(row, row.values(), 1), MIN_ROW)
        if self.full:
            raise Exhausted
        if self.used > self._reserved:
            self._reserve()

    def _reserve(self) -> None:
        global _reserved
        portion = max(PORTION, self.used - self._reserved)
        with _lock:
            if _reserved + portion > MAX_TOTAL:
                raise Busy
            _reserved += portion
        self._reserved += portion

    def __enter__(self) -> Budget:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _reserved
        with _lock:
            _reserved -= self._reserved
        self._reserved = 0


def _flat(row: Row) -> Iterable[Any]:
    """The keys and values of an object."""
    yield from row
    yield from row.values()


def _size(container: Any, items: Iterable[Any], depth: int) -> int:
    """Bytes of a list or an object, with everything in it."""
    if depth > MAX_DEPTH:
        raise Oversized(f"is nested more than {MAX_DEPTH} levels deep")
    size = getsizeof(container)
    for item in items:
        kind = type(item)
        if kind is dict:
            size += _size(item, _flat(item), depth + 1)
        elif kind is list:
            size += _size(item, item, depth + 1)
        else:
            size += getsizeof(item)
    return size
