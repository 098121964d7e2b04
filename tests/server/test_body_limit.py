"""No body is read, written or kept beyond its limit, however its length is told."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest
from starlette.formparsers import MultiPartException

from lab.data.files import MAX_BYTES
from lab.hosting.limits import Limits
from lab.server.body_limit import FORM, QUESTION, SMALL, BodyLimit
from tests.hosting.visitor import Server
from tests.loops import closed_after
from tests.server.asgi import ok, request, scope

UPLOAD = "/gradio_api/upload"


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/login", SMALL),
        ("/login/", SMALL),
        ("/owner/enter", SMALL),
        ("/gradio_api/queue/join", QUESTION),
        ("/anything", QUESTION),
        (UPLOAD, 100_000_000 + FORM),
    ],
)
@pytest.mark.parametrize("chunk", [1000, 60_000])
def test_bytes_are_counted_as_they_come(path: str, limit: int, chunk: int) -> None:
    app = BodyLimit(ok, upload=100_000_000)
    whole = [bytes(chunk)] * (limit // chunk) + [bytes(limit % chunk)]
    if limit < 10_000_000:
        assert request(app, scope("POST", path), whole) == (200, limit)
    assert request(app, scope("POST", path, content_length=str(limit)), [b"x"]) == (200, 1)
    status, answer = request(app, scope("POST", path, content_length=str(limit + 1)), [b"x"])
    assert status == 413
    assert answer["detail"]
    if limit < 10_000_000:
        assert request(app, scope("POST", path), [*whole, b"x"])[0] == 413


def test_the_limit_answers_whatever_the_app_makes_of_it() -> None:
    async def swallows(scope, receive, send) -> None:
        try:
            await ok(scope, receive, send)
        except Exception:
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"swallowed"})

    async def fails(scope, receive, send) -> None:
        try:
            await ok(scope, receive, send)
        except MultiPartException as problem:
            raise RuntimeError from problem

    for app in (ok, swallows, fails):
        assert request(BodyLimit(app, upload=0), scope("POST", UPLOAD), [bytes(FORM), b"x"])[0] == 413


def test_an_answer_that_has_begun_is_not_answered_twice() -> None:
    async def hasty(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()

    with pytest.raises(MultiPartException):
        request(BodyLimit(hasty, upload=0), scope("POST", UPLOAD), [bytes(FORM + 1)])


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "²", "9" * 5000, "", " "])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    head = scope("POST", "/login")
    head["headers"].append((b"content-length", length.encode("latin-1")))
    assert request(BodyLimit(ok, upload=0), head, [b"x"])[0] == 413


def test_two_lengths_are_refused() -> None:
    head = scope("POST", UPLOAD, content_length="5", transfer_encoding="chunked")
    assert request(BodyLimit(ok, upload=100), head, [b"x"])[0] == 400


# -- by hand, to a server ---------------------------------------------------------------------


@pytest.fixture(scope="module", params=["own", "shared"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch, closed_after(patch):
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
        running = Server(folder / "runs", Limits(upload=300_000) if request.param == "shared" else None)
        yield running
        running.close()


def uploads(server: Server) -> list[Path]:
    """What has been written of uploads."""
    folder = Path(server.page.GRADIO_CACHE)
    return [file for file in folder.rglob("*") if file.is_file()] if folder.exists() else []


def talk(server: Server, head: str, parts: Iterator[bytes]) -> tuple[int, str]:
    """Send a head and what follows until the server answers; the answer's status and what it says."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(f"{head}\r\nHost: {host}:{port}\r\nOrigin: {server.url}\r\n\r\n".encode())
        for part in parts:
            if select.select([line], [], [], 0.005)[0]:
                break
            line.sendall(part)
        answer = HTTPResponse(line)
        answer.begin()
        value = json.loads(answer.read())
        return answer.status, value["detail"] if answer.status >= 400 else str(value)


def chunked(parts: Iterator[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield b"%x\r\n%s\r\n" % (len(part), part)


def file_of(size: int) -> Iterator[bytes]:
    """A form with a file, in parts, that never ends."""
    yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
    for _ in range(size // 2**20):
        yield bytes(2**20)


@pytest.mark.parametrize(
    ("path", "content_type", "limit"),
    [
        ("/login", "application/x-www-form-urlencoded", SMALL),
        ("/gradio_api/component_server", "application/json", QUESTION),
        ("/gradio_api/queue/join", "application/json", QUESTION),
        ("/nowhere", "application/json", QUESTION),
    ],
)
def test_an_endless_body_is_refused(server: Server, path: str, content_type: str, limit: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked"
    status, sentence = talk(server, head, chunked(bytes(2**16) for _ in range(limit // 2**16 + 40)))
    # Some are refused without reading any of it: to a visitor without a cookie, or where nothing is.
    assert status == 413 or (status in (403, 404) and path != "/login"), sentence


@pytest.mark.parametrize("told", ["Transfer-Encoding: chunked", "Content-Length: 20000000000"])
def test_an_upload_beyond_the_limit_leaves_nothing_behind(server: Server, told: str) -> None:
    before = uploads(server)
    limit = server.lab.limits.upload if server.lab.limits else MAX_BYTES
    cookie = "peft-lab-visitor=" + "a" * 43
    head = f"POST {UPLOAD} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nCookie: {cookie}\r\n{told}"
    parts = file_of(limit + 5 * 2**20)
    status, sentence = talk(server, head, chunked(parts) if "chunked" in told else parts)
    # A shared lab counts what a visitor sends, so it wants to know beforehand how much that is.
    assert status == (411 if server.lab.limits and "chunked" in told else 413), sentence
    assert uploads(server) == before


def test_an_upload_that_breaks_off_leaves_nothing_behind(server: Server) -> None:
    before = uploads(server)
    host, port = server.url.removeprefix("http://").split(":")
    head = f"POST {UPLOAD} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nHost: {host}:{port}"
    cookie = "peft-lab-visitor=" + "a" * 43
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(f"{head}\r\nOrigin: {server.url}\r\nCookie: {cookie}\r\nContent-Length: 200000\r\n\r\n".encode())
        line.sendall(b"".join(file_of(0)) + bytes(100_000))
        wait_until(lambda: uploads(server) != before)
    wait_until(lambda: uploads(server) == before)


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for what the server does on its own."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "the server has not done it"
        time.sleep(0.01)


def test_a_length_that_lies_sends_no_more_than_it_says(server: Server) -> None:
    before = uploads(server)
    head = f"POST {UPLOAD} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nConnection: close"
    both = talk(server, f"{head}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", chunked(file_of(2**21)))
    assert both[0] == 400, both
    short = talk(server, f"{head}\r\nContent-Length: 5", file_of(2**21))
    # A form that ends after five bytes has no file; to a visitor without a cookie it is not even that.
    assert short[0] == 403 if server.lab.limits else short == (200, "[]")
    assert uploads(server) == before
