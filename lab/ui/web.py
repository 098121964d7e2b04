"""What stands between the server and the browser: what a page must have before Gradio's own scripts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from lab.compat.gradio import first_in_head
from lab.paths import ASSETS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Early:
    """ASGI middleware that puts the tokens of style and `assets/js/compat/early.js` first in the page's head.

    Gradio adds the `head` that it is given only after its own modules have run; what they take from the window
    must be there before. To the page that asks for a password it adds none at all, and its fields need the tokens.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app
        style = (ASSETS / "css" / "tokens.css").read_text(encoding="utf-8")
        script = (ASSETS / "js" / "compat" / "early.js").read_text(encoding="utf-8")
        self.first = f"<style>\n{style}\n</style>\n<script>{script}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; only a whole HTML page is changed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        parts: list[bytes] = []

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start" and _page(message):
                start.update(message)
            elif start and message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    page = first_in_head(b"".join(parts), self.first)
                    headers = [item for item in start["headers"] if item[0].lower() != b"content-length"]
                    start["headers"] = [*headers, (b"content-length", str(len(page)).encode())]
                    await send(start)
                    await send({"type": "http.response.body", "body": page})
            else:
                await send(message)

        await self.app(scope, receive, changed)


def _page(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"]
    )
