"""Whole responses, sent by middleware without asking Gradio."""

from __future__ import annotations

import json

from starlette.types import Send


async def refuse(send: Send, status: int, sentence: str) -> None:
    """Send a refusal: one sentence, as JSON."""
    await respond(send, status, json.dumps({"detail": sentence}).encode(), "application/json")


async def respond(
    send: Send, status: int, body: bytes, content_type: str, cookie: bytes = b"", *headers: tuple[bytes, bytes]
) -> None:
    """Send a whole response that browsers do not keep, with a cookie if there is one."""
    every = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    every += [(b"cache-control", b"no-store"), *([(b"set-cookie", cookie)] if cookie else []), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})


async def redirect(send: Send, address: str, cookie: bytes = b"") -> None:
    """Send the browser elsewhere, with a cookie if there is one."""
    await respond(send, 303, b"", "text/plain", cookie, (b"location", address.encode("ascii")))
