"""How often a secret may be guessed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

#: Failures before the first wait; the first wait, which each further failure doubles, and the longest, in seconds.
TRIES, FIRST, LONGEST = 5, 30.0, 3600.0

#: Seconds after which a failure counts no more.
WINDOW = 6 * 3600.0

#: Addresses that are remembered.
KEPT = 20_000


class Attempts:
    """By address, the failures within `WINDOW`, and how long the next attempt must wait.

    Not the `limits` library: its windows have no waits that grow, and its memory has no bound on addresses.
    """

    def __init__(self, tries: int = TRIES, now: Callable[[], float] = time.monotonic) -> None:
        self.tries, self.now = tries, now
        #: More failures than `tries` and those that double the first wait to the longest change nothing.
        self._most = tries + 8
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str) -> float:
        """Seconds until the next attempt; 0 lets one be made now."""
        now = self.now()
        with self._lock:
            times = self._failures.get(address, ())
            recent = [when for when in times if now - when < WINDOW]
            if len(recent) < self.tries:
                return 0.0
            return max(0.0, recent[-1] + min(FIRST * 2.0 ** (len(recent) - self.tries), LONGEST) - now)

    def wrong(self, address: str) -> None:
        """Count a failure."""
        with self._lock:
            self._failures.setdefault(address, deque(maxlen=self._most)).append(self.now())
            self._failures.move_to_end(address)
            while len(self._failures) > KEPT:
                self._failures.popitem(last=False)

    def right(self, address: str) -> None:
        """Forget the failures of an address: whoever is there knows the secret."""
        with self._lock:
            self._failures.pop(address, None)
