"""The points of the runs that pages watch, read from their logs as these grow."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from lab.errors import LabError
from lab.events import Event, from_line
from lab.plots.training import Trail
from lab.runs import Run

#: Runs whose trail is kept in memory.
KEPT = 24


@dataclass
class _Read:
    """A trail and how many bytes of the log went into it."""

    trail: Trail = field(default_factory=Trail)
    offset: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Trails:
    """The trails of the runs that are watched. Each poll reads only what was written since the last."""

    def __init__(self) -> None:
        self._reads: OrderedDict[str, _Read] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, run: Run) -> Trail:
        """The run's trail, up to date. Raises LabError if its log was damaged by hand."""
        with self._lock:
            read = self._reads.setdefault(run.id, _Read())
            self._reads.move_to_end(run.id)
            while len(self._reads) > KEPT:
                self._reads.popitem(last=False)
        with read.lock:
            self._catch_up(run, read)
            return read.trail

    def _catch_up(self, run: Run, read: _Read) -> None:
        file = run.folder / "events.jsonl"
        try:
            size = file.stat().st_size
        except FileNotFoundError:
            size = 0
        if size < read.offset:  # cut by hand, or a torn line taken back
            read.trail, read.offset = Trail(), 0
        if size == read.offset:
            return
        try:
            with file.open("rb") as opened:
                opened.seek(read.offset)
                data = opened.read()
        except OSError as error:
            what = f"The log of the run '{run.id}' cannot be read: {error.strerror}."
            raise LabError(what, "Delete the run.") from None
        whole = data[: data.rfind(b"\n") + 1]
        read.trail.extend(_events(whole, run))
        read.offset += len(whole)


def _events(data: bytes, run: Run) -> list[Event]:
    try:
        return [from_line(line.decode(errors="replace")) for line in data.splitlines() if line.strip()]
    except ValueError as error:
        raise LabError(f"The log of the run '{run.id}' is damaged: {error}.", "Delete the run.") from None
