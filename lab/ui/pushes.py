"""The pushes of adapters to the Hub: one of each owner's at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from lab.errors import LabError

BUSY, DONE, FAILED = "busy", "done", "failed"


@dataclass
class Push:
    """One way of a run to the Hub. It holds no token."""

    owner: str
    run: str
    state: str = BUSY
    doing: str = ""
    address: str = ""
    error: dict[str, str] | None = None


class Pushes:
    """By run, its last push."""

    def __init__(self) -> None:
        self._pushes: dict[str, Push] = {}
        self._lock = threading.Lock()

    def begin(self, owner: str, run: str) -> Push:
        """Raises LabError while another of the owner's is under way."""
        with self._lock:
            if any(item.state == BUSY and item.owner == owner for item in self._pushes.values()):
                raise LabError("Another adapter of yours is on its way to the Hub.", "Wait until it is there.")
            made = self._pushes[run] = Push(owner, run)
        return made

    def of(self, run: str) -> Push | None:
        return self._pushes.get(run)
