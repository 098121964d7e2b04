"""Who sent a request, and which files of this server they may fetch.

A visitor is a random secret in a cookie that no script can read. Everything is kept under its hash: who sees a run's
folder or a log does not have the secret.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

COOKIE = "peft-lab-visitor"

#: A secret as we make them: 256 bits.
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")

#: Files that are remembered as somebody's.
KEPT = 20_000


def new() -> str:
    """A secret for a new visitor."""
    return secrets.token_urlsafe(32)


def owner(cookies: Any) -> str:
    """The owner that a request's cookies stand for; empty for none of ours."""
    secret = str((cookies or {}).get(COOKIE, ""))
    return hashed(secret) if SECRET.fullmatch(secret) else ""


def hashed(secret: str) -> str:
    """The name under which the lab keeps what belongs to whoever has the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def visitor() -> str:
    """The owner whose request Gradio answers on this thread; empty where it answers none.

    Gradio sets its request anew around every call of a listener or a server function and takes it away after; a
    variable of our own would be carried into the queue's tasks of whoever came first.
    """
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    return owner(request.cookies) if request is not None else ""


class Served:
    """The files on this server that visitors may fetch or have sent, and whose they are.

    `folder` is where Gradio keeps them in a shared lab; None leaves it Gradio's own.
    """

    def __init__(self, folder: Path | None) -> None:
        self._owners: OrderedDict[Path, set[str]] = OrderedDict()
        self._offers: dict[str, OrderedDict[Path, int]] = {}
        self._lock = threading.Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            os.environ["GRADIO_TEMP_DIR"] = str(folder.resolve())

    def grant(self, path: str | Path, owner: str) -> None:
        """Let this owner have the file. Equal contents have one path, and may have come from several."""
        place = Path(path).resolve()
        with self._lock:
            self._owners.setdefault(place, set()).add(owner)
            self._owners.move_to_end(place)
            while len(self._owners) > KEPT:
                self._owners.popitem(last=False)

    def offer(self, path: str | Path, owner: str, limit: int) -> None:
        """Let this owner fetch a file that the lab has made for them.

        Their oldest offers are taken back, and removed from the disk, while all together have more than `limit`
        bytes: a download can be asked for again.
        """
        file = Path(path).resolve()
        self.grant(file, owner)
        with self._lock:
            offers = self._offers.setdefault(owner, OrderedDict())
            offers[file] = file.stat().st_size
            offers.move_to_end(file)
            while len(offers) > 1 and sum(offers.values()) > limit:
                oldest, _ = offers.popitem(last=False)
                others = self._owners.get(oldest, set()) - {owner}
                if others:
                    self._owners[oldest] = others
                else:
                    self._owners.pop(oldest, None)
                    oldest.unlink(missing_ok=True)

    def may(self, path: str | Path, owner: str) -> bool:
        with self._lock:
            return owner in self._owners.get(Path(path).resolve(), ())
