"""What goes wrong while a request is answered ends as a status and one sentence, and once in the log."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.server.responses import refuse

log = logging.getLogger(__name__)

NOT_A_QUESTION = "This is not a question that the page asks."
UNANSWERED = "The lab could not answer this."

#: Kinds of faults whose traceback has been logged; later ones of a kind would only fill the log.
REMEMBERED = 200


class UnhandledErrors:
    """ASGI middleware that turns exceptions of the app, and refusals in plain text, into JSON with one sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._logged: set[tuple[Any, ...]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start: Message | None = None
        plain: list[bytes] | None = None

        async def watched(message: Message) -> None:
            nonlocal start, plain
            if message["type"] == "http.response.start":
                start = message
                if message["status"] >= 400 and not _content_type(message).startswith("application/json"):
                    plain = []
                    return
            elif plain is not None and start is not None:
                plain.append(message.get("body", b""))
                if not message.get("more_body"):
                    await refuse(send, start["status"], _sentence(start, b"".join(plain)))
                return
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except (ClientDisconnect, MultiPartException) as problem:
            # The client has gone, or its body was too long, which the limit answers; neither is a fault.
            if not isinstance(problem, ClientDisconnect):
                raise
        except Exception as fault:
            # Gradio ends the stream of a session that it does not know with a refusal that comes too late.
            if not isinstance(fault.__cause__, HTTPException):
                self._log(scope, fault)
            if start is None or plain is not None:
                await refuse(send, 400, UNANSWERED)
            elif "content-length" in Headers(raw=start["headers"]):
                raise
            else:  # a stream that broke: end it, as nothing else can be said in it
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        return None

    def _log(self, scope: Scope, fault: Exception) -> None:
        """Log a fault: with its traceback the first time, in one line of the debug level after that."""
        trace = fault.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        kind = (type(fault), trace and trace.tb_frame.f_code.co_filename, trace and trace.tb_lineno)
        new = kind not in self._logged and len(self._logged) < REMEMBERED
        self._logged.add(kind) if new else None
        words = "%s %.200r could not be answered: %s"
        details = (scope["method"], scope["path"], type(fault).__name__)
        if new:
            log.error(words, *details, exc_info=fault)
        else:
            log.debug(words, *details)


def _content_type(start: Message) -> str:
    return Headers(raw=start["headers"]).get("content-type", "")


def _sentence(start: Message, body: bytes) -> str:
    if body and _content_type(start).startswith("text/plain"):
        return body.decode("utf-8", "replace")
    return HTTPStatus(start["status"]).phrase


async def invalid_request(request: Request, problem: Exception) -> JSONResponse:
    """Answer a request whose parts are missing or of a wrong type, for FastAPI's table of exception handlers.

    FastAPI's own answer repeats what was sent, which fails for what JSON cannot hold.
    """
    return JSONResponse({"detail": NOT_A_QUESTION}, 400)
