"""A bound on what a test may take, for what would otherwise take for ever."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Alarm(BaseException):
    """No `except Exception` of the code under test catches it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after so many seconds in the context, also inside Python's `re`. For the main thread."""
    rung = False

    def ring(*_: Any) -> None:
        nonlocal rung
        rung = True
        raise _Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Alarm:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if rung:
        raise TimeoutError(f"not done within {seconds:g} seconds")
