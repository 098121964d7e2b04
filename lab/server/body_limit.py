"""Refuse a body that is too long before anything of it is written or kept."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.server.paths import LOGIN, OWNER, UPLOAD, normalized
from lab.server.responses import refuse

#: Bytes of a login and of a question of the owner's page.
SMALL = 64 * 2**10

#: Bytes of a question: a form with a comparison of many plans fits.
QUESTION = 2 * 2**20

#: Bytes that a form with one file is longer than the file.
FORM = 10_000

TOO_LONG = "This is too long."


class BodyTooLong(MultiPartException):
    """Ends the reading of a body. Parsers of forms remove what they have written for an exception of this kind."""


class UploadBroken(MultiPartException):
    """Ends the reading of a file whose sender has gone, for the same reason."""


class BodyLimit:
    """ASGI middleware that counts the bytes of every body; `upload` is the largest file, in bytes."""

    def __init__(self, app: ASGIApp, upload: int) -> None:
        self.app, self.upload = app, upload

    def limit(self, path: str) -> tuple[int, str]:
        """The most bytes that a body may have at this path, and the sentence that refuses more."""
        path = normalized(path)
        if path == UPLOAD:
            return self.upload + FORM, f"A file may have {self.upload / 2**20:.3g} MB here."
        return SMALL if path == LOGIN or path.startswith(OWNER) else QUESTION, TOO_LONG

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limit, sentence = self.limit(scope["path"])
        uploading = normalized(scope["path"]) == UPLOAD
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers and "content-length" in headers:  # one of them would be a lie
            return await refuse(send, 400, "Send either Content-Length or Transfer-Encoding.")
        if not (length.isascii() and length.isdigit()) or len(length) > 15 or int(length) > limit:
            return await refuse(send, 413, sentence)
        size, exceeded, started = 0, False, False

        async def counted() -> Message:
            nonlocal size, exceeded, uploading
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > limit:
                    exceeded = True
                    raise BodyTooLong(sentence)
                uploading = uploading and message.get("more_body", False)
            elif uploading:
                raise UploadBroken("The file broke off.")
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if exceeded and not started:  # whatever the app makes of the exception, the answer is below
                return
            started = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except Exception:
            if not exceeded or started:
                raise
        if exceeded and not started:
            await refuse(send, 413, sentence)
        return None
