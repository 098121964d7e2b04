"""The page's frame: the header, the lessons beside the bench, the wide tabs, and how it is launched."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi.exceptions import RequestValidationError
from starlette.middleware import Middleware

from lab.compat.gradio import outermost, slow_queue
from lab.compat.plotly import script_file
from lab.data.files import MAX_BYTES
from lab.hosting.openid import from_environment
from lab.hosting.owner import Owner
from lab.server.body_limit import BodyLimit
from lab.server.errors import UnhandledErrors, invalid_request
from lab.server.origin import SameOrigin, TrustedHost
from lab.server.questions import Questions
from lab.ui import theme
from lab.ui.bench.bench import bench
from lab.ui.component import Widget
from lab.ui.door import LoginDoor
from lab.ui.exhibits.parts import follow_the_bench
from lab.ui.gate import Gate
from lab.ui.headers import Headers
from lab.ui.lab import Lab
from lab.ui.owner import OwnerPage
from lab.ui.service import functions
from lab.ui.signin import SignIn
from lab.ui.tabs import EXERCISE, TABS, WIDE, Tab
from lab.ui.web import Early

#: Questions of all visitors that may wait in Gradio's queue.
QUEUE = 300


def build(lab: Lab) -> gr.Blocks:
    """The page. Nothing in it loads torch: what needs it waits for the lab's warm-up."""
    with gr.Blocks(title="PEFT Lab", analytics_enabled=False, fill_width=True) as page:
        Widget("service", functions=functions(lab), elem_id="lab-service")
        Widget("frame", {"tabs": [_told(tab) for tab in TABS]}, elem_id="lab-header")
        if lab.limits:
            gr.Markdown(lab.limits.sentence(), elem_id="lab-shared", elem_classes="lab-lesson-text")
        with gr.Row(elem_id="lab-main"):
            with gr.Column(elem_id="lab-lessons"):
                for tab in TABS:
                    if tab.kind == EXERCISE:
                        _place(lab, tab)
            with gr.Column(elem_id="lab-bench"):
                lab.form = bench(lab, {tab.name: dict(tab.start) for tab in TABS if tab.kind == EXERCISE})
        with gr.Column(elem_id="lab-wide"):
            for tab in TABS:
                if tab.kind == WIDE:
                    _place(lab, tab)
        follow_the_bench(lab)
    return page


def _place(lab: Lab, tab: Tab) -> None:
    """A tab's column, shown by the style of the page when it is the tab that is open."""
    with gr.Column(elem_id=f"tab-{tab.name}", elem_classes="lab-tab"):
        lab.openers[tab.name] = gr.Button("Opened", elem_id=f"opened-{tab.name}", elem_classes="lab-opener")
        tab.build(lab)


def _told(tab: Tab) -> dict[str, Any]:
    plain = {field.name: getattr(tab, field.name) for field in dataclasses.fields(tab)}
    return {name: plain[name] for name in ("name", "number", "title", "hint", "kind", "first")}


def _shown() -> str:
    """The rules that show the open tab alone."""
    return "\n".join(f'&[data-lab-tab="{tab.name}"] #tab-{tab.name} {{ display: flex !important; }}' for tab in TABS)


def launch(
    page: gr.Blocks,
    port: int,
    host: str = "127.0.0.1",
    root: str = "",
    shared: Lab | None = None,
    auth: tuple[str, str] | None = None,
    owner_token: str = "",
    names: Collection[str] = (),
) -> str:
    """Serve the page in the background; its address. Raises OSError if the port is taken.

    `shared` is the lab if strangers share it: its gate stands before everything. `auth` is a user and a password,
    `owner_token` the secret that opens the owner's page. `names` are host names that the lab answers to; a shared lab
    answers to all if there are none, one's own to localhost and addresses besides.
    """
    script = script_file()
    guards = [_gate(shared, root, owner_token, script)] if shared else []
    if auth:
        guards.append(Middleware(LoginDoor))
    upload = shared.limits.upload if shared and shared.limits else MAX_BYTES
    first = [Middleware(BodyLimit, upload=upload), Middleware(SameOrigin)]
    if names or not shared:
        first.insert(0, Middleware(TrustedHost, names=(host, *names)))
    if shared:
        first.insert(0, Middleware(Headers))
    page.queue(default_concurrency_limit=4, max_size=QUEUE if shared else None)
    slow_queue(page)
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        theme=theme.theme(),
        head=theme.head(f"{root}/gradio_api/file={script}", _shown()),
        allowed_paths=[str(script)],
        footer_links=[],
        root_path=root or None,
        auth=auth,
        max_file_size=upload,
        # A server before this one, and servers beside it, would answer without the guards.
        ssr_mode=False,
        num_workers=0,
        app_kwargs={
            "middleware": [Middleware(UnhandledErrors), *guards, Middleware(Questions, page=page), Middleware(Early)],
            "exception_handlers": {RequestValidationError: invalid_request},
            "lifespan": outermost(first),
        },
    )
    return str(address)


def _gate(lab: Lab, root: str, owner_token: str, script: Path) -> Middleware:
    """The gate of a shared lab, with signing in and the owner's page."""
    provider, author = from_environment(), os.environ.get("SPACE_AUTHOR_NAME", "")
    signing = SignIn(lab, provider, root) if provider else None
    lab.signing = signing is not None
    page = None
    if lab.overview and (owner_token or (author and provider)):
        lab.owner = Owner(lab.accounts, author if provider else "", owner_token)
        page = OwnerPage(lab.owner, lab.overview)
    return Middleware(Gate, lab=lab, files=(script,), signing=signing, owner_page=page)
