"""Faults of the app behind the middleware."""

from __future__ import annotations

import logging

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from lab.server.errors import UNANSWERED, UnhandledErrors
from tests.server.asgi import request, scope

ANSWER = {"detail": UNANSWERED}


async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
    raise KeyError(scope["path"])


def test_a_fault_is_a_sentence_and_its_traceback_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    app = UnhandledErrors(breaks)
    with caplog.at_level(logging.DEBUG, "lab.server.errors"):
        for number in range(5):
            assert request(app, scope("POST", f"/{number}\n")) == (400, ANSWER)
    assert [record.levelname for record in caplog.records] == ["ERROR"] + 4 * ["DEBUG"]
    assert [bool(record.exc_info) for record in caplog.records] == [True] + 4 * [False]
    assert "POST '/0\\n' could not be answered: KeyError" in caplog.records[0].getMessage()


def test_who_has_gone_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    async def listens(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ClientDisconnect

    assert request(UnhandledErrors(listens), scope()) == (200, b"")
    assert not caplog.records


def test_a_refusal_in_plain_words_becomes_json() -> None:
    def refusing(body: bytes, content_type: str) -> UnhandledErrors:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 404, "headers": headers})
            for number in range(len(body)):
                await send({"type": "http.response.body", "body": body[number : number + 1], "more_body": True})
            await send({"type": "http.response.body", "body": b""})

        return UnhandledErrors(app)

    assert request(refusing(b"There is none.", "text/plain"), scope()) == (404, {"detail": "There is none."})
    assert request(refusing(b"<h1>Not found</h1>", "text/html"), scope()) == (404, {"detail": "Not Found"})
    assert request(refusing(b"", ""), scope()) == (404, {"detail": "Not Found"})
    assert request(refusing(b'{"detail": 5}', "application/json"), scope()) == (404, {"detail": 5})


def test_a_stream_that_breaks_ends_and_a_body_of_a_known_length_breaks_off(caplog: pytest.LogCaptureFixture) -> None:
    async def streams(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"10")] if scope["path"] == "/file" else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise OSError("the disk is gone") from (HTTPException(404) if scope["path"] == "/late" else None)

    app = UnhandledErrors(streams)
    assert request(app, scope()) == (200, b"half")
    assert len(caplog.records) == 1
    assert request(app, scope(path="/late")) == (200, b"half")
    assert len(caplog.records) == 1, "Gradio refuses an unknown session in its stream: no fault"
    with pytest.raises(OSError, match="the disk is gone"):
        request(app, scope(path="/file"))
