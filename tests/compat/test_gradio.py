"""Gradio still needs each patch, and still allows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from lab.compat import gradio as compat
from tests.ports import free

HEAD = "<style>tokens</style>"


@pytest.fixture
def web() -> Iterator[httpx.Client]:
    """A page of Gradio's, served."""
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("Hello")
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_port=free(), head=HEAD, ssr_mode=False)
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client
    page.close(verbose=False)


def test_the_queue_looks_less_often_than_by_itself():
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("Hello")
    page.queue()
    before = {name: getattr(page._queue, name) for name in compat.LOOKS}
    assert all(before[name] < seconds for name, seconds in compat.LOOKS.items())
    compat.slow_queue(page)
    assert {name: getattr(page._queue, name) for name in compat.LOOKS} == compat.LOOKS


def test_a_file_is_copied_to_where_gradio_serves_from(web, tmp_path):
    file = tmp_path / "run.zip"
    file.write_bytes(b"run")
    path = compat.cache_file(file)
    assert Path(path).is_relative_to(compat.upload_folder())
    assert web.get(f"/gradio_api/file={path}").content == b"run"


def test_uploads_arrive_in_the_folder(web):
    (path,) = web.post("/gradio_api/upload", files={"files": ("own.csv", b"a,b")}).json()
    assert Path(path).is_relative_to(compat.upload_folder())


def test_ours_comes_before_gradios_modules(web):
    html, head = web.get("/").content, HEAD.encode()
    assert head not in html.partition(b'<script type="module"')[0], "`head` is early enough now"
    changed = compat.first_in_head(html, head)
    assert changed.partition(b'<script type="module"')[0].count(head) == 1
    assert changed.replace(head, b"", 1) == html


def test_a_page_without_a_head_is_left_as_it_is(caplog):
    assert compat.first_in_head(b"<p>Hello</p>", b"<style></style>") == b"<p>Hello</p>"
    assert "no <head>" in caplog.text


class Marks:
    """Middleware that adds its name to a header of every answer."""

    def __init__(self, app: ASGIApp, name: bytes) -> None:
        self.app, self.name = app, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def changed(message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-mark", self.name)]}
            await send(message)

        await self.app(scope, receive, changed if scope["type"] == "http" else send)


def test_ours_stands_before_what_gradio_answers_other_sites():
    """The inner of two is not asked: Gradio grants the preflight before. The outer ones see the answer last."""
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("Hello")
    inner = [Middleware(Marks, name=b"inner")]
    outer = compat.outermost([Middleware(Marks, name=b"first"), Middleware(Marks, name=b"second")])
    port = free()
    page.launch(
        prevent_thread_lock=True, quiet=True, server_port=port, ssr_mode=False,
        app_kwargs={"middleware": inner, "lifespan": outer},
    )  # fmt: skip
    preflight = {"origin": "https://other.example", "access-control-request-method": "POST", "host": "lab.example"}
    answer = httpx.options(f"http://127.0.0.1:{port}/gradio_api/queue/join", headers=preflight, trust_env=False)
    page.close(verbose=False)
    assert answer.headers["access-control-allow-origin"] == "https://other.example", "Gradio grants nothing any more"
    assert answer.headers.get_list("x-mark") == ["second", "first"]


def test_without_a_stack_the_app_does_not_start():
    class App:
        middleware_stack = None

    with pytest.raises(RuntimeError, match="nothing would stand before"):
        compat.outermost([])(App()).__aenter__().send(None)


def test_only_what_the_page_has_is_there():
    def answer(value: int) -> int:
        return value

    with gr.Blocks(analytics_enabled=False) as page:
        shown = gr.HTML(server_functions=[answer])
        button = gr.Button()
        button.click(lambda: None)
        button.click(None, js="() => {}")
    assert compat.has_service(page, shown._id, "answer")
    for number, name in ((button._id, "answer"), (10**9, "answer"), (shown._id, "update"), (shown._id, "__init__")):
        assert not compat.has_service(page, number, name)
    assert [compat.has_listener(page, number) for number in (0, 1, 2, -1)] == [True, True, False, False]
    assert [compat.runs_on_server(page, number) for number in (0, 1, 2, -1)] == [True, False, False, False]
