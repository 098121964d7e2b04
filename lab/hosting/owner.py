"""Who the owner of a shared lab is, and what they see: load, queue, disk, runs and faults."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from lab.errors import LabError
from lab.hosting.accounts import Accounts
from lab.hosting.limits import Limits
from lab.hosting.visitors import Visitors
from lab.runs import Row, Runs, size
from lab.training.jobs import Jobs

#: Seconds for which a browser that gave the owner's token is let in.
LASTS = 12 * 3600.0

#: Runs that are listed, faults that are remembered, and seconds for which a walk over the disk is good.
LISTED, FAULTS, WALKED = 200, 50, 20.0


class Owner:
    """`author` is the account that owns the Space, `token` a secret that opens the page too; empty opens nothing."""

    def __init__(self, accounts: Accounts, author: str = "", token: str = "") -> None:
        self.accounts, self.author, self.token = accounts, author, token
        self._browsers: dict[str, float] = {}

    def admits(self, browser: str) -> bool:
        """Whether this browser is the owner's."""
        account = self.accounts.of(browser) if browser else None
        if self.author and account and account.name == self.author:
            return True
        return self._browsers.get(browser, 0.0) > time.monotonic()

    def enter(self, browser: str, token: str) -> bool:
        """Let the browser in if the token is right. How long that takes tells nothing of it."""
        right = bool(self.token) and hmac.compare_digest(token.encode(), self.token.encode())
        if right and browser:
            self._browsers[browser] = time.monotonic() + LASTS
        return right and bool(browser)


class Faults(logging.Handler):
    """The last faults of the process, newest first, as one line each."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last: deque[dict[str, Any]] = deque(maxlen=FAULTS)

    def emit(self, record: logging.LogRecord) -> None:
        words = " ".join(record.getMessage().split())
        if record.exc_info and record.exc_info[0]:
            words += f" ({record.exc_info[0].__name__})"
        self.last.appendleft(
            {"when": record.created, "level": record.levelname, "where": record.name, "what": words[:300]}
        )


class Overview:
    """What the owner sees of a lab. `runs` and `jobs` are everybody's."""

    def __init__(self, folder: Path, runs: Runs, jobs: Jobs, visitors: Visitors, limits: Limits) -> None:
        self.folder, self.runs, self.jobs, self.visitors, self.limits = folder, runs, jobs, visitors, limits
        self.faults = Faults()
        self._walked: tuple[float, dict[str, int]] | None = None
        self._walking = threading.Lock()
        psutil.cpu_percent()  # the share of the time since the last question: here is the first

    def seen(self) -> dict[str, Any]:
        """Plain values for the page: bytes, seconds, shares in [0, 1]."""
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(self.folder))
        every, places = self.runs.rows(), self._walk()
        line = self.jobs.waiting()
        known = {row["id"]: row for row in every}
        return {
            "load": {
                "cpu": psutil.cpu_percent() / 100,
                "processors": psutil.cpu_count(),
                "process": psutil.Process().memory_info().rss,
                "used": memory.total - memory.available,
                "memory": memory.total,
            },
            "visitors": {
                "here": self.visitors.here(),
                "kept": self.visitors.count(),
                "most": self.limits.visitors,
            },
            "queue": [
                {"place": place, "wait": self.jobs.expected(run_id)} | _shown(known[run_id])
                for place, run_id in enumerate(line)
                if run_id in known
            ],
            "disk": places
            | {"runs": sum(row["disk"] for row in every), "used": disk.used, "free": disk.free, "total": disk.total},
            "limits": asdict(self.limits),
            "runs": [_shown(row) for row in every[:LISTED]],
            "count": len(every),
            "faults": list(self.faults.last),
        }

    def act(self, action: str, run_id: str) -> None:
        """Stop or remove anybody's run. Raises LabError."""
        run = self.runs.get(run_id)
        place = self.jobs.place(run.id)
        if action == "stop":
            self.jobs.stop(run.id)
        elif action == "remove" and place:
            self.jobs.withdraw(run.id)
        elif action == "remove":
            self.runs.delete(run.id)
        else:
            raise LabError(f"'{action}' is nothing that can be done to a run.", "Stop it or remove it.")

    def _walk(self) -> dict[str, int]:
        """Bytes by place. Many files are looked at, so the answer is good for a while."""
        with self._walking:
            if self._walked is None or time.monotonic() - self._walked[0] > WALKED:
                places = {name: size(self.folder / name) for name in ("uploads", "comparisons", "served")}
                self._walked = (time.monotonic(), places)
            return self._walked[1]


def _shown(row: Row) -> dict[str, Any]:
    """A run on the owner's page, its owner unrecognisable."""
    same = {name: row[name] for name in ("id", "created", "name", "method", "status", "error")}
    return same | {"owner": row["owner"][:6], "bytes": row["disk"], "step": row["steps"], "steps": row["planned"]}
