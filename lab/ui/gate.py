"""The gate before a shared lab: ASGI middleware that knows every visitor and lets only the page's questions in.

Closed by default: what is not in `OPEN` or `OURS` does not exist, whatever Gradio adds. A session, an upload and a
file are a visitor's own from the first time they are named.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from lab.server.bodies import json_object, read_body, replay
from lab.server.errors import NOT_A_QUESTION
from lab.server.paths import API, CALLBACK, SIGN_IN
from lab.server.responses import refuse
from lab.ui.asked import Asked, hearing, welcoming
from lab.ui.headers import App
from lab.ui.lab import Lab
from lab.ui.owner import PATHS as OWNER
from lab.ui.owner import OwnerPage
from lab.ui.signin import SignIn
from lab.ui.web import Receive, Scope, Send

#: What anyone may get: the page and what it is drawn with.
OPEN = re.compile(
    r"/|/config/?|/(static|assets|svelte)/.*|/theme\.css|/gradio_api/theme\.css|/favicon\.ico|/robots\.txt"
    r"|/manifest\.json|/pwa_icon(/\d+)?|/gradio_api/(startup-events|login_check/?|user/?|app_id/?)|/login/?|/logout"
)

#: What a visitor may ask, by method and path below /gradio_api.
OURS = {
    ("POST", "queue/join"), ("GET", "queue/data"), ("POST", "cancel"), ("POST", "reset"),
    ("POST", "component_server"), ("POST", "upload"), ("GET", "upload_progress"),
}  # fmt: skip
HEARTBEAT, FILE = "heartbeat/", "file="

#: Bytes that a file takes on the disk even if it is empty.
BLOCK = 4096

#: Sessions and uploads whose visitors are remembered, and seconds after which the bytes that a visitor sent are
#: forgotten.
KEPT, FORGOTTEN = 50_000, 3600.0


class Gate:
    """`files` are those of the page itself, which anyone may fetch. `signing` and `owner_page` answer theirs."""

    def __init__(
        self,
        app: App,
        lab: Lab,
        files: tuple[Path, ...] = (),
        signing: SignIn | None = None,
        owner_page: OwnerPage | None = None,
    ) -> None:
        assert lab.limits
        assert lab.visitors
        self.app, self.lab, self.limits, self.visitors = app, lab, lab.limits, lab.visitors
        self.signing, self.owner_page = signing, owner_page
        self.files = {file.resolve() for file in files}
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._sent: dict[str, int] = {}
        self._since = time.monotonic()
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        asked = Asked(scope, self.lab.accounts)
        if asked.owner and not self.visitors.visit(asked.owner):
            return await refuse(send, 503, "The lab is full: as many visitors as it can hold. Try again later.")
        if self.signing and asked.method == "GET" and asked.path in (SIGN_IN, CALLBACK):
            return await (self.signing.away if asked.path == SIGN_IN else self.signing.back)(asked, send)
        if self.owner_page and (asked.method, asked.path) in OWNER:
            return await self.owner_page(asked, receive, send)
        if OPEN.fullmatch(asked.path):
            return await self.app(scope, receive, send if asked.owner else welcoming(send, asked))
        if not asked.path.startswith(API):
            return await refuse(send, 404, "There is no such thing here.")
        what = asked.path.removeprefix(API).removesuffix("/")
        if asked.method in ("GET", "HEAD") and what.startswith(FILE):
            return await self._file(what.removeprefix(FILE), asked, receive, send)
        known = (asked.method, what) in OURS or (asked.method == "GET" and what.startswith(HEARTBEAT))
        if not known:
            return await refuse(send, 404, "There is no such thing here.")
        if not asked.owner:
            return await refuse(send, 403, "The lab cannot tell you from others: let the page keep a cookie.")
        if what == "upload":
            return await self._upload(asked, receive, send)
        if asked.method == "POST":
            return await self._question(asked, receive, send)
        named = what.removeprefix(HEARTBEAT) if what.startswith(HEARTBEAT) else asked.query("session_hash")
        if what == "upload_progress":
            named = "upload " + asked.query("upload_id")
        if not self._own(named, asked.owner):
            return await refuse(send, 403, "This session is another visitor's.")
        return await self.app(scope, receive, send)

    def _own(self, name: str, owner: str) -> bool:
        """Whether the session (or upload) is this visitor's; who names it first has it."""
        if not 4 <= len(name) <= 100:
            return False
        with self._lock:
            first = self._owners.setdefault(name, owner)
            self._owners.move_to_end(name)
            while len(self._owners) > KEPT:
                self._owners.popitem(last=False)
        return self.lab.accounts.now(first) == owner  # who has signed in meanwhile keeps their open pages

    async def _file(self, path: str, asked: Asked, receive: Receive, send: Send) -> None:
        try:
            place = Path(path).resolve()
        except (OSError, ValueError):
            return await refuse(send, 404, "There is no such file.")
        if place not in self.files and not (asked.owner and self.lab.served.may(place, asked.owner)):
            return await refuse(send, 404, "There is no such file.")
        return await self.app(asked.scope, receive, send)

    async def _question(self, asked: Asked, receive: Receive, send: Send) -> None:
        """A question in JSON: read whole, to see whose session it names."""
        body = await read_body(receive)
        if body is None:
            return None
        try:
            told = json_object(body)
            session = told["session_hash"]
        except (ValueError, KeyError):
            return await refuse(send, 400, NOT_A_QUESTION)
        if not isinstance(session, str) or not self._own(session, asked.owner):
            return await refuse(send, 403, "This session is another visitor's.")
        if (event := told.get("event_id")) and not self._own(f"event {event}", asked.owner):
            return await refuse(send, 403, "This is another visitor's.")
        again = replay(body, receive)
        if not asked.path.rstrip("/").endswith("queue/join"):
            return await self.app(asked.scope, again, send)

        def joined(answer: Any) -> None:
            if isinstance(answer, dict) and "event_id" in answer:
                self._own(f"event {answer['event_id']}", asked.owner)

        return await self.app(asked.scope, again, hearing(send, joined))

    async def _upload(self, asked: Asked, receive: Receive, send: Send) -> None:
        if not self._own("upload " + (asked.query("upload_id") or asked.owner), asked.owner):
            return await refuse(send, 403, "This upload is another visitor's.")
        length = asked.header("content-length")
        if not length:
            return await refuse(send, 411, "Send a file with its length.")
        if self._uploaded(asked.owner, int(length)) > self.limits.disk // 4:
            return await refuse(send, 429, "These were many uploads. Try again in an hour.")

        def kept(answer: Any) -> None:
            paths = answer if isinstance(answer, list) else []
            self._uploaded(asked.owner, BLOCK * len(paths))
            for path in paths:
                self.lab.served.grant(str(path), asked.owner)

        return await self.app(asked.scope, receive, hearing(send, kept))

    def _uploaded(self, owner: str, size: int) -> int:
        """Count bytes that a visitor sends; how many they have sent within the hour."""
        with self._lock:
            if time.monotonic() - self._since > FORGOTTEN:
                self._sent, self._since = {}, time.monotonic()
            self._sent[owner] = self._sent.get(owner, 0) + size
            return self._sent[owner]
