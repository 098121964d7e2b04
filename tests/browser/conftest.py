"""A real app in a process of its own, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from lab import methods
from lab.events import DONE, Evaluated, Finished, Memory, Reported, Sample, Started, Step, to_line
from lab.plan import GENERATE, Data, Plan
from lab.runs import Runs
from tests.browser import chromium

ROOT = Path(__file__).resolve().parents[2]
# Machines that run tests are often busy: a wait ends as soon as it can, and only a fault lets it run out.
expect.set_options(timeout=60_000)

#: Milliseconds for what loads a model or reads data, on a busy machine.
LONG = 90_000


class App:
    """`python app.py` on a free port, with a folder of runs that outlives it."""

    def __init__(self, runs: Path, *options: str, **environment: str) -> None:
        self.runs, self.options, self.environment = runs, options, environment
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> App:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "app.py", "--no-browser", "--port", str(port), "--runs", str(self.runs)]
        command += self.options
        usual = {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | usual | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if " is at http" in line:
                self.url = line.split()[-1].rstrip("/")
                # Nobody reads on: a full pipe would stop the app.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return self
        raise AssertionError("the app did not start:\n" + "".join(said))

    def stop(self) -> None:
        """Ctrl-C, as a person ends it."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def restart(self) -> App:
        self.stop()
        return self.start()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    running = App(tmp_path / "runs").start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One app for all tests that leave it as they found it."""
    running = App(tmp_path_factory.mktemp("shared") / "runs").start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            path = chromium.find_or_install(playwright.chromium.executable_path)
        except chromium.ChromiumMissing as error:
            pytest.fail(str(error), pytrace=False)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


#: What Gradio's own script and Chromium say when a page is left while an answer is under way: the server forgets the
#: session first, and then breaks off the stream that the page still listens to.
LEAVING = (
    "Connection errored out",
    "AbortError",
    "Unexpected error 404: Not Found",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
    "TypeError: network error",
)


class Watched:
    """A page, what it asked of other machines and what its scripts complained about."""

    def __init__(self, browser: Browser, width: int = 1440, height: int = 900, theme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, accept_downloads=True
        )
        self.foreign: list[str] = []
        self.faults: list[str] = []
        self.page = self.new()

    def new(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self._complain(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: self._note(asked.url))
        return page

    def _complain(self, text: str) -> None:
        if not any(words in text for words in LEAVING):
            self.faults.append(text)

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1", "data:", "blob:")):
            self.foreign.append(url)


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    page = Watched(browser)
    yield page
    page.context.close()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama with random weights and a tokenizer, as a local folder."""
    from tests import tiny

    return tiny.save(tmp_path_factory.mktemp("base") / "tiny-llama", "llama", GENERATE)


@pytest.fixture(scope="session")
def run(shared_app: App, base: Path) -> str:
    """A finished run in the shared app's folder, with its events and no weights."""
    made = Runs(shared_app.runs).create(plan(base), name="A finished run")
    memory = Memory(4000, 40, 40, 80, 900, 10_000)
    events = [
        Started(4, 1000, 40, "generate", "persona", "cpu", 64, 8),
        Evaluated(0, 3.0, 0.2, base=True),
        Sample(0, "Who?", "<img src=x onerror=\"document.title='owned'\">", base=True),
        *(Step(number, 3.0 - number / 2, 0.1, 1.0, 64, 0.1 * number, memory) for number in range(1, 5)),
        Evaluated(4, 1.0, 0.7),
        Reported(4, {"ranks": {"model.layers.0.self_attn.q_proj": 3, "model.layers.1.self_attn.v_proj": 1}}),
        Finished(DONE, 4, seconds=0.4),
    ]
    (made.folder / "events.jsonl").write_text("".join(map(to_line, events)), encoding="utf-8")
    return made.id


def plan(base: Path, **parts: object) -> Plan:
    return methods.default_plan("lora", model=str(base), data=Data("persona", rows=64), **parts)


def opened(watched: Watched, app: App, base: Path, query: str = "") -> Page:
    """The page with the tiny base in its form, once the panel is drawn."""
    watched.page.goto(f"{app.url}/?tab=lora&plan={plan(base).to_link()}{query}")
    watched.page.wait_for_selector("#trainable-count", state="attached", timeout=LONG)
    return watched.page
