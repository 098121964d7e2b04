"""The log of a run, `events.jsonl`: a file that grows by whole lines, whatever the disk says."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import FULL
from lab.events import Event, Finished, to_line

#: Lines at the end of a full log that may give way to its last event.
SPARE = 4


class EventLog:
    """An open log. Each event is one line, on the disk before `append` returns.

    A line that a killed process left half-written is cut off when the log is opened.
    """

    def __init__(self, file: Path) -> None:
        """Open the log, which need not exist. Raises OSError if it cannot be opened or read."""
        self.file = file
        self._opened = open(file, "a+b", buffering=0)  # noqa: SIM115 (closed by `close`)
        self._cut(self._lines_end())

    def append(self, event: Event) -> None:
        """Add an event. Raises OSError if that fails; the log is then as it was before.

        The error is a FileNotFoundError if the log was removed or moved since it was opened.
        """
        self._check_place()
        with self._all_or_nothing():
            data = to_line(event).encode()
            while data:
                data = data[self._opened.write(data) or 0 :]

    def finish(self, event: Finished) -> None:
        """Add the last event; on a full disk, newer lines make room for it. Raises OSError if even that fails."""
        for _ in range(SPARE):
            try:
                return self.append(event)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                self._cut(self._lines_end(before=1))
        return self.append(event)

    def close(self) -> None:
        self._opened.close()

    def _check_place(self) -> None:
        """Raise FileNotFoundError unless the path still leads to the open file."""
        there, opened = os.stat(self.file), os.fstat(self._opened.fileno())
        if (there.st_ino, there.st_dev) != (opened.st_ino, opened.st_dev):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.file))

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        end = self._size()
        try:
            yield
        except OSError:
            self._cut(end)
            raise

    def _size(self) -> int:
        return os.fstat(self._opened.fileno()).st_size

    def _cut(self, end: int) -> None:
        if self._size() > end:
            self._opened.truncate(end)

    def _lines_end(self, before: int = 0) -> int:
        """Where the last whole line ends, or the one so many lines before it."""
        end, block, newlines = self._size(), b"", before + 1
        start = end
        while start > 0 and block.count(b"\n") < newlines:
            start = max(0, start - 2**16)
            self._opened.seek(start)
            block = self._opened.read(end - start)
        place = len(block)
        for _ in range(newlines):
            place = block.rfind(b"\n", 0, place)
            if place < 0:
                return 0
        return start + place + 1
