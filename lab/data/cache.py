"""Tables that were read, kept while they are small or new."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

#: Bytes of the rows that are kept beside those of the newest table.
SPARE = 50 * 2**20


class Sized(Protocol):
    """What says how many bytes of memory it takes."""

    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class TableCache(Generic[Value]):
    """The newest value, and as many of those before as fit into `SPARE` bytes.

    Room is made before a value is loaded, so that it never comes on top of another large one. Who asks for a value
    that is being loaded waits for it.
    """

    def __init__(self, most: int = 16) -> None:
        self.most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._loading: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, load: Callable[[], Value]) -> Value:
        """The value of the key; what `load` raises is raised and not kept."""
        with self._lock:
            turn = self._loading.setdefault(key, threading.Lock())
        with turn:
            try:
                with self._lock:
                    if key in self._values:
                        self._values.move_to_end(key)
                        return self._values[key]
                self._make_room()
                value = load()
                with self._lock:
                    self._values[key] = value
                return value
            finally:
                with self._lock:
                    self._loading.pop(key, None)

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)

    def _make_room(self) -> None:
        large = False
        with self._lock:
            while self._values and (
                len(self._values) >= self.most or sum(value.nbytes for value in self._values.values()) > SPARE
            ):
                large |= self._values.popitem(last=False)[1].nbytes > SPARE
        if large:
            gc.collect()  # what was derived from a table refers to itself, and would stay until Python looks for it
