"""One request to an ASGI app, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def scope(method: str = "GET", path: str = "/", scheme: str = "http", **headers: str) -> Scope:
    """The head of a request; an underscore in a header's name stands for a hyphen."""
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "scheme": scheme, "headers": named, "query_string": b""}


def request(app: ASGIApp, head: Scope, chunks: Iterable[bytes] = ()) -> tuple[int, Any]:
    """The status of the answer and its body, decoded if it is JSON."""
    parts = [*chunks]
    sent: list[Message] = []

    async def receive() -> Message:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(head, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    try:
        return sent[0]["status"], json.loads(body)
    except ValueError:
        return sent[0]["status"], body


async def ok(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that reads the body and says how long it was."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(size).encode()})
