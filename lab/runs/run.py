"""One run's folder, readable without the lab.

run.json        schema, id, name, when, for whom, the plan, versions, hardware and a fingerprint of data and base
events.jsonl    what happened, one flushed line an event
adapter/        what was learned
checkpoint/     where a broken-off run goes on; removed when the run is done
lock            held by the process that trains, so that a killed one is seen
"""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import SCHEMA, strict_json, typed_json
from lab.errors import REMOVED, LabError, unwritable
from lab.events import DONE, FAILED, Event, Finished, Step, from_lines
from lab.history import History, fold
from lab.plan import Plan
from lab.runs.log import EventLog

if TYPE_CHECKING:
    from filelock import FileLock

WAITING, RUNNING, INTERRUPTED = "waiting", "running", "interrupted"

#: Seconds after which a lock counts as held by a training, for a look and for a claim: a look holds it for far less.
LOOK, CLAIM = 0.05, 1.0


#: The page renames a run while its training writes about it: neither may undo what the other wrote.
_noting = threading.Lock()


class NewerError(LabError):
    """A run's folder has a layout that this version does not know."""


@dataclass(frozen=True)
class About:
    """What run.json must hold, and of what type; more may be there."""

    schema: int
    plan: dict[str, Any]
    name: str = ""
    created: float = 0.0
    owner: str = ""
    versions: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)


class Run:
    """One run's folder. Reads are always fresh; a second process sees the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._lock: FileLock | None = None
        self._looking = threading.Lock()
        self._cached: tuple[tuple[int, int], list[Event]] | None = None
        self._owner: str | None = None

    # -- what it is -------------------------------------------------------------------------------

    @property
    def about(self) -> dict[str, Any]:
        """The contents of run.json. Raises LabError if it is missing, damaged or of a newer lab."""
        file = self.folder / "run.json"
        try:
            about = strict_json.read(file)
            if isinstance(about, dict) and type(about.get("schema")) is int and about["schema"] > SCHEMA:
                raise NewerError(f"The run '{self.id}' was made by a newer version.", "Update the lab to open it.")
            if not math.isfinite(typed_json.read(About, about).created):
                raise ValueError("'created' must be a number")
        except FileNotFoundError:
            raise LabError(f"There is no run '{self.id}'.", "It may have been deleted.") from None
        except OSError as error:
            what = f"run.json of the run '{self.id}' cannot be read: {error.strerror}."
            raise LabError(what, "Delete the run.") from None
        except ValueError as error:
            raise LabError(f"run.json of the run '{self.id}' is damaged: {error}.", "Delete the run.") from None
        return about

    @property
    def plan(self) -> Plan:
        """What was trained. Raises LabError if run.json is damaged or its plan is none."""
        return Plan.from_dict(self.about["plan"])

    @property
    def name(self) -> str:
        return self.about.get("name") or self.id

    @property
    def owner(self) -> str:
        """Whose it is; empty in a lab that has one owner. Only `give` changes it, so it is read once."""
        if self._owner is None:
            self._owner = self.about.get("owner", "")
        return self._owner

    @property
    def created(self) -> float:
        """When it was made, in seconds since 1970."""
        return self.about.get("created", 0.0)

    def give(self, owner: str) -> None:
        """Make it another's."""
        self.note(owner=owner)
        self._owner = owner

    def rename(self, name: str) -> None:
        """Give the run another name (up to 80 characters; empty is its id)."""
        self.note(name=tidy(name))

    def note(self, **facts: Any) -> None:
        """Write facts into run.json, beside what stands there."""
        with _noting:
            write_json(self.folder / "run.json", self.about | facts)

    # -- what happened ----------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """All events so far. Raises LabError if the log was damaged by hand."""
        file = self.folder / "events.jsonl"
        try:
            stat = file.stat()
        except FileNotFoundError:
            return []
        key = (stat.st_mtime_ns, stat.st_size)
        cached = self._cached
        if cached is None or cached[0] != key:
            try:
                cached = (key, from_lines(file.read_text(encoding="utf-8", errors="replace")))
            except OSError as error:
                what = f"The log of the run '{self.id}' cannot be read: {error.strerror}."
                raise LabError(what, "Delete the run.") from None
            except ValueError as error:
                raise LabError(f"The log of the run '{self.id}' is damaged: {error}.", "Delete the run.") from None
            self._cached = cached
        return cached[1]

    def forget(self) -> None:
        """Let the events go that were read: thousands of runs do not fit in memory."""
        self._cached = None

    def history(self) -> History:
        return fold(self.events())

    def record(self, events: Iterable[Event]) -> Iterator[Event]:
        """Pass the events on, each written first.

        Where the log cannot be written, the events are closed and the last one says why. Raises LabError if the
        run is done: nothing is added to what is finished.
        """
        self.check_unfinished()
        step = 0
        try:
            log = EventLog(self.folder / "events.jsonl")
        except OSError as error:
            yield _unrecorded(error, step)
            return
        try:
            for event in events:
                step = event.step if isinstance(event, Step) else step
                try:
                    log.append(event)
                except OSError as error:
                    end = _unrecorded(error, step)
                    with suppress(OSError):
                        log.finish(end)
                    yield end
                    return
                yield event
        finally:
            log.close()
            if isinstance(events, Generator):
                events.close()  # who is not listened to any more must not train on

    def check_unfinished(self) -> None:
        """Raise LabError if the run is done: it is never trained again, so that what it learned is never lost."""
        finished = self.history().finished
        if finished and finished.status == DONE:
            raise LabError(f"The run '{self.name}' is done.", "To train longer, start a new run from its plan.")

    @property
    def status(self) -> str:
        """ "waiting", "running", "done", "stopped", "failed", or "interrupted": no end, and nobody at it."""
        if self.busy:
            return RUNNING if any(not isinstance(event, Finished) for event in self.events()[-1:]) else WAITING
        finished = self.history().finished
        return finished.status if finished else INTERRUPTED

    # -- who is at it -----------------------------------------------------------------------------

    def claim(self) -> None:
        """Hold the run for this process, to train it. Raises LabError if another trains it, or if it is done."""
        with self._looking:
            try:
                taken = self._take(CLAIM)
            except OSError as error:
                what = f"The run '{self.id}' cannot be locked: {error.strerror}."
                raise LabError(what, "See whether its folder can be written.") from None
            if taken is None:
                raise LabError(f"The run '{self.id}' is being trained already.", "Wait for it, or stop it.")
            self._lock = taken
        try:
            self.check_unfinished()  # under the lock: who held it may just have finished
        except LabError:
            self.release()
            raise
        self._touch()

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
            self._touch()

    def _touch(self) -> None:
        """Give the folder a new time, by which the index (`lab.runs.index`) sees that the run changed hands."""
        with suppress(OSError):  # it was removed, or may not be written
            os.utime(self.folder)

    @property
    def busy(self) -> bool:
        """Whether some process holds the run."""
        with self._looking:
            if self._lock is not None:
                return True
            if not (self.folder / "lock").exists():
                return False
            try:
                taken = self._take(LOOK)
            except OSError:  # it is no file, or may not be opened: nobody holds it
                return False
            if taken is not None:
                taken.release()
            return taken is None

    def _take(self, patience: float) -> FileLock | None:
        """The lock, taken; None if it is held. Who only looks takes it too, for a moment: one thread at a time."""
        from filelock import FileLock, Timeout  # 40 ms, which a list of finished runs need not wait for

        lock = FileLock(self.folder / "lock", thread_local=False)  # one thread claims, another may release
        try:
            lock.acquire(timeout=patience, poll_interval=0.005)
        except Timeout:
            return None
        return lock

    # -- what was learned -------------------------------------------------------------------------

    @property
    def adapter(self) -> Path:
        """The folder of what was learned. Raises LabError while there is none."""
        folder = self.folder / "adapter"
        if not folder.is_dir():
            raise LabError(f"The run '{self.name}' has saved nothing yet.", "Train it first, or choose another run.")
        return folder

    @property
    def resumable(self) -> bool:
        return (self.folder / "checkpoint").is_dir()

    @property
    def bytes(self) -> int:
        """Size of what was learned, in bytes; 0 while there is nothing."""
        return size(self.folder / "adapter")


def _unrecorded(problem: OSError, step: int) -> Finished:
    """The end of a run whose log cannot be written."""
    if isinstance(problem, FileNotFoundError):
        return Finished(FAILED, step, *REMOVED)
    error = unwritable(problem) or LabError(f"The run's log cannot be written: {problem.strerror}.")
    return Finished(FAILED, step, error.message, error.hint)


def write_json(file: Path, value: Any) -> None:
    """Write the file whole or not at all."""
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
    part.replace(file)


def tidy(name: str) -> str:
    """A name on one line, of at most 80 characters that can be printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:80]


def size(folder: Path | str) -> int:
    """Bytes of all files in a folder. What goes while it is looked at, or leads elsewhere, counts nothing."""
    total, folders = 0, [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat().st_size
        except OSError:
            continue
    return total
