"""What a request's head says, and what is taken from an answer on its way out."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from starlette.requests import Request

from lab.hosting.accounts import Accounts
from lab.ui import visitor
from lab.ui.web import Message, Scope, Send


class Asked:
    """What a request's head says: `browser` is the hash of its cookie, `owner` whose the browser's runs are."""

    def __init__(self, scope: Scope, accounts: Accounts) -> None:
        self.scope = scope
        self.method, self.path = str(scope["method"]), str(scope["path"])
        self._request = Request(dict(scope))  # read as Gradio reads it, so that both see the same visitor
        self.browser = visitor.owner(self._request.cookies)
        self.owner = accounts.owner(self.browser) if self.browser else ""

    def header(self, name: str) -> str:
        return self._request.headers.get(name, "")

    def query(self, name: str) -> str:
        return self._request.query_params.get(name, "")

    @property
    def queries(self) -> dict[str, str]:
        return dict(self._request.query_params)

    @property
    def secure(self) -> bool:
        return "https" in (self.scope.get("scheme"), self.header("x-forwarded-proto").split(",")[0].strip())

    def cookie(self, secret: str) -> bytes:
        """The header's value that gives the browser a secret. In another site's frame a partitioned one lives."""
        kind = "SameSite=None; Secure; Partitioned" if self.secure else "SameSite=Lax"
        return f"{visitor.COOKIE}={secret}; Path=/; HttpOnly; Max-Age=31536000; {kind}".encode()


def welcoming(send: Send, asked: Asked) -> Send:
    """Give a new visitor a secret with the page."""
    if asked.path != "/" or asked.method != "GET":
        return send
    cookie = asked.cookie(visitor.new())

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"set-cookie", cookie)]}
        await send(message)

    return changed


def hearing(send: Send, told: Any) -> Send:
    """Pass a JSON answer on once `told` has heard it: what it names is the visitor's before they know of it."""
    start: list[Message] = []
    body: list[bytes] = []

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body.append(message.get("body", b""))
        if message.get("more_body"):
            return
        whole = b"".join(body)
        with suppress(ValueError):  # an error comes in plain words
            told(json.loads(whole))
        await send(start[0])
        await send({"type": "http.response.body", "body": whole})

    return changed
