"""A visitor of a shared lab who speaks to its server as the page does, or by hand."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx

from lab.hosting.limits import Limits
from lab.plan import Plan
from lab.ui import visitor
from lab.ui.app import build, launch
from lab.ui.lab import Lab
from tests.ports import free

API = "/gradio_api"


class Server:
    """A lab that strangers share, or one's own where there are no limits, served for real."""

    def __init__(self, folder: Path, limits: Limits | None, **how: Any) -> None:
        self.lab = Lab(folder, limits)
        self.page: gr.Blocks = build(self.lab)
        how.setdefault("shared", self.lab if limits else None)
        self.url = launch(self.page, free(), "127.0.0.1", **how).rstrip("/")

    def close(self) -> None:
        self.lab.close()
        self.page.close(verbose=False)

    def widget(self, name: str) -> int:
        """The number of the component in which a server function of that name lives."""
        for key, block in self.page.blocks.items():
            if callable(getattr(block, name, None)) and getattr(getattr(block, name), "_is_server_fn", False):
                return key
        raise KeyError(name)


class Visitor:
    """One person: a jar of cookies and a session, as a tab has."""

    def __init__(self, server: Server, welcome: bool = True) -> None:
        self.server, self.session = server, secrets.token_hex(6)
        self.web = httpx.Client(base_url=server.url, timeout=60, trust_env=False)
        if welcome:
            self.web.get("/")

    def close(self) -> None:
        self.web.close()

    @property
    def owner(self) -> str:
        """The name under which the lab keeps what is theirs."""
        return visitor.owner(dict(self.web.cookies))

    def reload(self) -> None:
        """A new session, as a page has that is opened again."""
        self.session = secrets.token_hex(6)

    def consent(self) -> httpx.URL:
        """Go to the provider, answer there, and stop before the way back: its address."""
        away = self.web.get("/login/huggingface")
        assert away.status_code == 303, away.text
        said = httpx.get(away.headers["location"], trust_env=False)
        assert said.status_code == 302, said.text
        return httpx.URL(said.headers["location"])

    def sign_in(self) -> dict[str, Any]:
        """Sign in as whoever the provider has; what the page is told of the account."""
        self.web.get(self.consent())
        return dict(self.ask("account", {}))

    def raw(self, name: str, argument: Any = None, session: str = "", beside: str = "") -> httpx.Response:
        """A server function, called by hand; `beside` names another of its component where two bear the name."""
        body = {
            "data": argument,
            "component_id": self.server.widget(beside or name),
            "fn_name": name,
            "session_hash": session or self.session,
        }
        return self.web.post(f"{API}/component_server", json=body)

    def ask(self, name: str, argument: Any = None, beside: str = "") -> Any:
        """What a service answers: its result. Raises AssertionError with the error's message."""
        told = self.raw(name, argument, beside=beside).json()
        assert "ok" in told, told
        return told["ok"]

    def refused(self, name: str, argument: Any = None, beside: str = "") -> str:
        """The sentence with which a service refuses."""
        told = self.raw(name, argument, beside=beside).json()
        assert "error" in told, told
        return told["error"]["message"]

    def listen(self, fn: int, data: list[Any], event: Any = None, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Call a listener through the queue; all messages until it is done."""
        body = {"data": data, "fn_index": fn, "session_hash": self.session, "event_data": event, "trigger_id": None}
        joined = self.web.post(f"{API}/queue/join", json=body)
        if joined.status_code != 200:
            return [{"msg": "refused", "said": joined.text}]
        found = []
        with self.web.stream(
            "GET", f"{API}/queue/data", params={"session_hash": self.session}, timeout=seconds
        ) as told:
            for line in told.iter_lines():
                if line.startswith("data:"):
                    found.append(json.loads(line[5:]))
                    if found[-1]["msg"] in ("process_completed", "close_stream", "unexpected_error"):
                        break
        return found

    def send(self, name: str, contents: bytes, upload: str = "") -> httpx.Response:
        """Send a file as the form does."""
        address = f"{API}/upload" + (f"?upload_id={upload}" if upload else "")
        return self.web.post(address, files={"files": (name, contents)}, headers={"origin": self.server.url})

    def upload(self, name: str, contents: bytes) -> str:
        """A file of one's own that a plan can name."""
        sent = self.send(name, contents)
        assert sent.status_code == 200, sent.text
        return str(self.ask("keep", {"path": sent.json()[0], "name": name}))

    def train(self, plan: Plan) -> str:
        """A run that is done; its id."""
        run = str(self.ask("launch", plan.to_dict())["run"])
        every = self.server.lab.jobs.every  # type: ignore[attr-defined]
        assert every.wait(run, 120)
        assert every.runs.get(run).status == "done", every.runs.get(run).history().finished
        return run


@contextmanager
def visitors(server: Server, count: int) -> Iterator[list[Visitor]]:
    made = [Visitor(server) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.close()
