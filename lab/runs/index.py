"""The index of a store: each run's row, kept beside the runs, so that a list of thousands reads none of their logs.

It is a copy and never the truth. A row counts while the times and sizes of its run's files are those that it was made
from; one that may still change without them (the run is held by a process, or its files are a moment old) is not
kept. Every line bears a checksum: a torn or foreign one is left out, and its run is read again. So two processes may
append without a lock, on any file system, and a file that cannot be written only costs time.
"""

from __future__ import annotations

import json
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lab import SCHEMA
from lab.runs.row import DAMAGED, EMPTY, NEWER, Row, printable
from lab.runs.run import RUNNING, WAITING

FILE = "index.jsonl"

#: To be raised with what stands in a row: lines of another version are left out.
VERSION = 1

#: Nanoseconds for which a change may hide behind another: clocks of file systems are coarse.
COARSE = 2_000_000_000

#: Rows that are read before they are written, so that a first look that is broken off was not in vain.
BATCH = 500

#: Times and sizes of a run's folder and files.
Stamp = tuple[int, ...]

#: Whether a row is asked for, by what stays with a run: id, name, owner, method, model, data, created.
Wanted = Callable[[Row], bool]


class Entry(NamedTuple):
    """What is known of a run. One that is not settled is looked at again, whatever its stamp."""

    stamp: Stamp
    row: Row
    settled: bool


class Index:
    """The rows of the runs in a folder; `describe` reads one from its run. Threads may share it."""

    def __init__(self, folder: Path, describe: Callable[[str], Row]) -> None:
        self.folder, self.file = folder, folder / FILE
        self._describe = describe
        self._entries: dict[str, Entry] | None = None
        self._checked = False  # whether this process has looked at every run
        self._lines = 0
        self._lock = threading.Lock()

    def rows(self, wanted: Wanted | None = None) -> list[Row]:
        """A row for each folder with a run.json, newest first; only those that are `wanted`.

        Of known runs that are not wanted nothing is read, not even their files' times.
        """
        with self._lock:
            if self._entries is None:
                self._entries = self._load()
            entries = self._refresh(self._entries, wanted if self._checked else None)
            self._checked = True
        rows = [entry.row for entry in entries.values() if wanted is None or wanted(entry.row)]
        return sorted(rows, key=lambda row: (row["created"], row["id"]), reverse=True)

    def forget(self, name: str) -> None:
        """Look at this run again, even if nobody asks for its former owner's."""
        with self._lock:
            if self._entries:
                self._entries.pop(name, None)

    def _refresh(self, before: dict[str, Entry], wanted: Wanted | None) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        fresh: dict[str, Entry] = {}
        for name in self._names():
            entry = before.get(name)
            if entry is None or wanted is None or wanted(entry.row):
                stamp = stamp_of(f"{self.folder}/{name}")
                if stamp is None:
                    continue
                if entry is None or not entry.settled or entry.stamp != stamp:
                    before[name] = entry = self._read(name, stamp)
                    if entry.settled:
                        fresh[name] = entry
                        if len(fresh) % BATCH == 0:
                            self._append(list(fresh.items())[-BATCH:])
            entries[name] = entry
        self._append(list(fresh.items())[len(fresh) // BATCH * BATCH :])
        self._entries = entries
        if self._lines > 2 * len(entries) + BATCH:
            self._compact(entries)
        return entries

    def _names(self) -> Iterator[str]:
        """The folders beside the index."""
        with suppress(FileNotFoundError), os.scandir(self.folder) as items:
            for item in items:
                if item.is_symlink() or item.is_dir():
                    yield item.name

    def _read(self, name: str, stamp: Stamp) -> Entry:
        row: Row
        if printable(name) == name:
            row = self._describe(name)
        else:
            reason = "The name of the run's folder is not Unicode text. Give the folder another."
            row = {**EMPTY, "id": printable(name), "name": printable(name), "error": reason}
        # What is damaged may be whole in a moment: the disk was full, or too many files were open.
        unsettled = row["status"] in (RUNNING, WAITING, DAMAGED, NEWER)
        return Entry(stamp, row, not unsettled and abs(time.time_ns() - max(stamp)) > COARSE)

    # -- the file ---------------------------------------------------------------------------------

    def _load(self) -> dict[str, Entry]:
        try:
            lines = self.file.read_bytes().split(b"\n")
        except OSError:
            return {}
        self._lines = len(lines)
        texts = [line[9:].decode("ascii") for line in lines if line[:9] == _checksum(line[9:])]
        entries = {}
        for name, stamp, values in json.loads(f"[{','.join(texts)}]"):
            entries[name] = Entry(tuple(stamp), dict(zip(EMPTY, values)), True)
        return entries

    def _append(self, fresh: Iterable[tuple[str, Entry]]) -> None:
        lines = [_line(name, entry) for name, entry in fresh]
        if not lines:
            return
        self._lines += len(lines)
        try:
            # The line break before them ends what another process may have left torn.
            with self.file.open("ab", buffering=0) as file:
                file.write(b"\n" + b"".join(lines))
        except OSError:
            return

    def _compact(self, entries: dict[str, Entry]) -> None:
        """Write the file anew, without the lines that later ones replace. What another appends meanwhile is lost."""
        lines = [_line(name, entry) for name, entry in entries.items() if entry.settled]
        part = self.file.with_suffix(f".{os.getpid()}.part")
        try:
            part.write_bytes(b"".join(lines))
            part.replace(self.file)
        except OSError:
            return
        self._lines = len(lines)


def stamp_of(folder: str) -> Stamp | None:
    """The stamp of a run; None if the folder holds none."""
    stamp: list[int] = []
    for path in (f"{folder}/run.json", f"{folder}/events.jsonl", folder):
        try:
            found = os.stat(path)
        except OSError:
            if not stamp and not os.path.lexists(path):
                return None
            stamp += [0, 0]
        else:
            stamp += [found.st_mtime_ns, 0 if path == folder else found.st_size]
    return tuple(stamp)


def _line(name: str, entry: Entry) -> bytes:
    text = json.dumps([name, entry.stamp, list(entry.row.values())]).encode("ascii")
    return _checksum(text) + text + b"\n"


def _checksum(text: bytes) -> bytes:
    return b"%08x " % zlib.crc32(text, VERSION * 1000 + SCHEMA)
