"""Read a request's body whole, as JSON too, and hand it on."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.types import Message, Receive


async def read_body(receive: Receive) -> bytes | None:
    """The whole body, which `BodyLimit` bounds; None if the client has gone before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, and then what follows it."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again


def json_object(body: bytes) -> dict[str, Any]:
    """The object that a body is in JSON. Raises ValueError for anything else.

    orjson takes JSON as RFC 8259 has it, where Python's own reader takes NaN, halves of surrogate pairs and UTF-16.
    """
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
