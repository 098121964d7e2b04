"""Gradio still needs each patch, and still allows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest

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
