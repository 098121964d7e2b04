"""The door with a password (`--auth`): how often one address may try it."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network
from math import ceil

from starlette.requests import Request

from lab.hosting.attempts import TRIES, Attempts
from lab.server.bodies import read_body, replay
from lab.server.paths import LOGIN, LOGOUT, normalized
from lab.server.responses import refuse, respond
from lab.ui.headers import App
from lab.ui.web import Message, Receive, Scope, Send

#: A proxy stands for many people: so many times more failures may come through one.
MANY = 100


class Door:
    """Counts failures by the address of whoever tries, and by that of the machine that brings them.

    There is one secret, so who is let in has nothing left to guess: a success clears what their address failed. It
    does not clear what came through their proxy, where others may guess at the same time.
    """

    def __init__(self) -> None:
        self._people, self._machines = Attempts(), Attempts(TRIES * MANY)

    @staticmethod
    def names(scope: Scope) -> tuple[str, str]:
        """The person's address and the machine's. A proxy on this network adds, last, whom it speaks for; what else
        stands in that header anybody can write."""
        machine = (scope.get("client") or ("",))[0]
        brought = Request(dict(scope)).headers.get("x-forwarded-for", "").split(",")[-1].strip()
        try:
            near = ip_address(machine).is_private
        except ValueError:
            near = False
        return _network(brought[:64] if near and brought else machine), _network(machine)

    def wait(self, names: tuple[str, str]) -> float:
        """Seconds until the next attempt; 0 lets one be made now."""
        return max(self._people.wait(names[0]), self._machines.wait(names[1]))

    def wrong(self, names: tuple[str, str]) -> None:
        """Count an attempt that failed."""
        self._people.wrong(names[0])
        self._machines.wrong(names[1])

    def right(self, names: tuple[str, str]) -> None:
        """Clear the failures of the person's address after a success."""
        self._people.right(names[0])


def _network(text: str) -> str:
    """What one subscriber has: the address, or of IPv6 its first half, as the second is theirs to choose."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    return str(ip_network(f"{address}/64", strict=False)) if address.version == 6 else text


def wait_words(seconds: float) -> str:
    """The sentence that refuses."""
    return f"These were many attempts: wait {_said(seconds)}, then try again."


def _said(seconds: float) -> str:
    return f"{ceil(seconds)} seconds" if seconds < 90 else f"{ceil(seconds / 60)} minutes"


class LoginDoor:
    """ASGI middleware before Gradio's own check of user and password."""

    def __init__(self, app: App) -> None:
        self.app, self.door = app, Door()
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; only what fails a password is counted."""
        if scope["type"] == "http" and normalized(scope["path"]) == LOGOUT:
            # By itself Gradio signs out everybody of the same user name, and all people have one.
            return await self.app({**scope, "query_string": b"all_session=false"}, receive, send)
        if scope["type"] != "http" or scope["method"] != "POST" or normalized(scope["path"]) != LOGIN:
            return await self.app(scope, receive, send)
        body = await read_body(receive)
        if body is None:
            return None
        names = self.door.names(scope)

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 200:
                    self.door.right(names)
                elif message["status"] in (400, 401, 403):
                    self.door.wrong(names)
            await send(message)

        # One attempt at a time: a hundred at once would all be let through before the first had failed, and a
        # hundred right ones must not be counted as attempts that may fail.
        async with self._lock:
            if wait := self.door.wait(names):
                return await refuse(send, 429, wait_words(wait))
            if not body:  # the page asks whether one must wait (`assets/js/compat/early.js`); nothing is tried
                return await respond(send, 204, b"", "text/plain")
            return await self.app(scope, replay(body, receive), heard)
