"""Who was here when, how many fit, and the removal of what nobody has come back for."""

from __future__ import annotations

import logging
import re
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lab.errors import LabError
from lab.hosting.limits import Limits
from lab.runs import Runs

log = logging.getLogger(__name__)

#: An owner's name: a hash, so that neither a run's folder nor a log tells the secret behind it.
OWNER = re.compile(r"[0-9a-f]{32}")

#: Seconds between two notes of a visit, between two sweeps, and after which a visitor without data is forgotten.
NOTED, SWEPT, GONE = 60.0, 600.0, 900.0

#: Seconds after a visit for which a visitor counts as here.
HERE = 300.0


class Visitors:
    """Visits are kept as the times of empty files, so that a restarted lab knows them.

    `places` are folders with one folder an owner (uploads, comparisons); `passing` one whose files only pass through.
    """

    def __init__(
        self,
        folder: Path,
        runs: Runs,
        limits: Limits,
        places: tuple[Path, ...],
        passing: Path,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self.runs, self.limits, self.now, self.steady = folder, runs, limits, now, steady
        self.places, self.passing = places, passing
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._seen = {file.name: file.stat().st_mtime for file in folder.iterdir() if OWNER.fullmatch(file.name)}
        self._closed = threading.Event()
        self._offset = now() - steady()

    def visit(self, owner: str) -> bool:
        """Note a visit; False if the lab is full and this visitor is new."""
        now = self.now()
        with self._lock:
            last = self._seen.get(owner)
            if last is not None and 0 <= now - last < NOTED:
                return True
            if last is None and len(self._seen) >= self.limits.visitors:
                return False
            self._seen[owner] = now
        try:
            (self.folder / owner).touch()
        except OSError:
            log.warning("a visit cannot be noted")
        return True

    def count(self) -> int:
        return len(self._seen)

    def here(self) -> int:
        """How many were here within the last minutes."""
        now = self.now()
        with self._lock:
            return sum(now - last < HERE for last in self._seen.values())

    def hand_over(self, before: str, after: str) -> None:
        """Make all that is one owner's another's. Plans name uploads by their paths: a link leads from the old ones.

        Raises OSError if something cannot be moved; what is left is still the first owner's then.
        """
        for place in self.places:
            old, new = place / before, place / after
            if old.is_dir() and not old.is_symlink():
                _pour(old, new)
                old.symlink_to(new.name, target_is_directory=True)
        self.runs.hand_over(before, after)
        with self._lock:
            self._seen.pop(before, None)
            self._seen[after] = self.now()
        (self.folder / before).unlink(missing_ok=True)
        (self.folder / after).touch()

    def sweep(self) -> list[str]:
        """Remove the data of idle visitors, whose owners are returned, and forget those who never made any."""
        now = self.now()
        jump, self._offset = now - self.steady() - self._offset, now - self.steady()
        by_owner: dict[str, list[str]] = {}
        for row in self.runs.rows():
            by_owner.setdefault(row["owner"], []).append(row["id"])
        folders = [folder for base in self.places if base.is_dir() for folder in base.iterdir()]
        kept = {folder.name for folder in folders if not folder.is_symlink()}
        for link in folders:
            if link.is_symlink() and not link.exists():  # what it led to is gone
                link.unlink(missing_ok=True)
        with self._lock:
            # A clock that was set must neither keep nor remove anybody's data: the notes move with it.
            if abs(jump) > NOTED:
                self._seen = {owner: last + jump for owner, last in self._seen.items()}
            # Data without a note (it was lost) is given the full time from now on.
            for owner in {*by_owner, *kept}:
                if OWNER.fullmatch(owner):
                    self._seen.setdefault(owner, now)
            idle = [owner for owner, last in self._seen.items() if now - last > self.limits.idle]
            gone = [
                owner
                for owner, last in self._seen.items()
                if now - last > GONE and owner not in by_owner and owner not in kept
            ]
            for owner in {*idle, *gone}:
                del self._seen[owner]
                (self.folder / owner).unlink(missing_ok=True)
        for owner in idle:
            for run_id in by_owner.get(owner, []):
                try:
                    self.runs.delete(run_id)
                except LabError:
                    self._seen[owner] = now  # it trains: a visit that is still going on
            for place in self.places:
                shutil.rmtree(place / owner, ignore_errors=True)
        for file in self.passing.glob("**/*"):
            try:
                if file.is_file() and now - file.stat().st_mtime > SWEPT * 6:
                    file.unlink()
            except OSError:
                continue
        return idle

    def start(self) -> None:
        """Sweep now and then on a thread, until `close`."""
        threading.Thread(target=self._sweep, name="sweeper", daemon=True).start()

    def _sweep(self) -> None:
        while not self._closed.wait(SWEPT):
            try:
                self.sweep()
            except Exception:
                log.exception("what is idle could not be removed")

    def close(self) -> None:
        self._closed.set()


def _pour(old: Path, new: Path) -> None:
    """Move what a folder holds into another. What is in both is equal: uploads lie under the hash of their bytes."""
    new.mkdir(parents=True, exist_ok=True)
    for item in old.iterdir():
        if item.is_dir() and (new / item.name).is_dir():
            _pour(item, new / item.name)
        else:
            item.replace(new / item.name)
    old.rmdir()
