"""The door with a password (`--auth`): how often one address may try it."""

from __future__ import annotations

from ipaddress import ip_address
from math import ceil

from starlette.requests import Request

from lab.hosting.attempts import TRIES, Attempts
from lab.ui.asked import say
from lab.ui.headers import App
from lab.ui.web import Message, Receive, Scope, Send

#: A proxy stands for many people: so many times more attempts come through one.
MANY = 20


class Door:
    """Counts attempts by the address of whoever tries, and by that of the machine that brings them."""

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
        return (brought[:64] if near and brought else machine), machine

    def wait(self, names: tuple[str, str]) -> float:
        """Seconds to wait; 0 lets the attempt through and counts it."""
        return self._people.take(names[0]) or self._machines.take(names[1])

    def right(self, names: tuple[str, str]) -> None:
        """The attempt was right."""
        self._people.right(names[0])


def wait_words(seconds: float) -> str:
    """The sentence that refuses."""
    return f"These were many attempts: wait {_said(seconds)}, then try again."


def _said(seconds: float) -> str:
    return f"{ceil(seconds)} seconds" if seconds < 90 else f"{ceil(seconds / 60)} minutes"


class LoginDoor:
    """ASGI middleware before Gradio's own check of user and password."""

    def __init__(self, app: App) -> None:
        self.app, self.door = app, Door()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; only what tries a password is counted."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"].rstrip("/") != "/login":
            return await self.app(scope, receive, send)
        names = self.door.names(scope)
        if wait := self.door.wait(names):
            return await say(send, 429, wait_words(wait))

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.door.right(names)
            await send(message)

        return await self.app(scope, receive, heard)
