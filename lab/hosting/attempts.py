"""How often a secret may be guessed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

#: Attempts before the first wait; the first wait, which each further attempt doubles, and the longest, in seconds.
TRIES, FIRST, LONGEST = 5, 30.0, 3600.0

#: Addresses that are remembered.
KEPT = 20_000


class Attempts:
    """By address, the attempts that have not come right, and until when the next must wait."""

    def __init__(self, tries: int = TRIES, now: Callable[[], float] = time.monotonic) -> None:
        self.tries, self.now = tries, now
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, address: str) -> float:
        """Seconds to wait; 0 lets this attempt through and counts it, so that many at once help nobody."""
        now = self.now()
        with self._lock:
            count, until = self._counts.get(address, (0, 0.0))
            if until > now:
                return until - now
            if count and now - until > LONGEST:
                count = 0
            count += 1
            wait = min(FIRST * 2.0 ** (count - self.tries), LONGEST) if count >= self.tries else 0.0
            self._counts[address] = (count, now + wait)
            self._counts.move_to_end(address)
            while len(self._counts) > KEPT:
                self._counts.popitem(last=False)
        return 0.0

    def right(self, address: str) -> None:
        """The attempt was right: the count begins anew."""
        with self._lock:
            self._counts.pop(address, None)
