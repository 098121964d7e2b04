"""Pages of other sites, in the browser of somebody who has the lab open: none of what they send has an effect."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Request, Response, expect

from lab.ui.visitor import COOKIE
from tests.browser import chromium
from tests.browser.conftest import App
from tests.hosting.visitor_plan import short

#: What another site's page does: forms of each content type, what scripts send without asking, and what after asking.
#: `body` is a question that trains, `lab` the lab's address, and a `hidden` page does not say who it is.
ATTACK = """
async ({lab, body, hidden}) => {
  const text = JSON.stringify(body), service = lab + "/gradio_api/component_server";
  const named = (type, fields, to) => {
    const form = Object.assign(document.createElement("form"), {method: "POST", action: to, enctype: type});
    for (const [name, value] of Object.entries(fields))
      form.append(Object.assign(document.createElement("input"), {name, value, type: "hidden"}));
    const frame = document.createElement("iframe");
    frame.name = form.target = "f" + Math.random();
    if (hidden) frame.sandbox = "allow-scripts allow-forms";
    document.body.append(frame, form);
    const done = new Promise(resolve => { frame.onload = resolve; setTimeout(resolve, 3000); });
    form.submit();
    return done;
  };
  const whole = {[text.slice(0, -1) + ',"x":"']: '"}'};
  const fields = {...body, data: JSON.stringify(body.data)};
  await named("text/plain", whole, service);
  await named("application/x-www-form-urlencoded", fields, service);
  await named("multipart/form-data", fields, service);
  await named("multipart/form-data", fields, lab + "/gradio_api/upload");
  await named("text/plain", whole, lab + "/gradio_api/queue/join");
  await named("multipart/form-data", {username: "a", password: "b"}, lab + "/login");
  const file = new FormData();
  file.append("files", new File(["a,b\\n1,2\\n"], "sent.csv"));
  const sent = [
    [service, {body: text, mode: "no-cors"}],
    [service, {body: text, mode: "no-cors", headers: {"content-type": "application/json"}}],
    [service, {body: text, headers: {"content-type": "application/json"}}],
    [service, {body: text, headers: {"content-type": "text/plain"}}],
    [service, {body: text, headers: {"content-type": "application/json", "x-forwarded-host": location.host}}],
    [service, {body: new URLSearchParams(fields), mode: "no-cors"}],
    [lab + "/gradio_api/upload", {body: file, mode: "no-cors"}],
    [lab + "/gradio_api/upload", {body: file}],
  ];
  for (const [to, what] of sent)
    await fetch(to, {method: "POST", credentials: "include", ...what}).catch(() => {});
  navigator.sendBeacon(service, new Blob([text], {type: "text/plain"}));
  return fetch(lab + "/config", {credentials: "include"}).then(answer => answer.status, () => "refused");
}
"""

#: Forms of `ATTACK`, whose answers a browser shows, and all its requests.
FORMS, SENT = 6, 14


class Foreign(BaseHTTPRequestHandler):
    """A site with two empty pages: one says who it is, one does not."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Another site</title><body>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        if "hidden" in self.path:
            self.send_header("referrer-policy", "no-referrer")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """The port of another site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def named_browser(browser: Browser) -> Iterator[Browser]:
    """A browser in which two names lead to this machine. To sites by name without TLS it says nothing of
    `Sec-Fetch-Site`, as older browsers never do."""
    rules = "MAP lab.test 127.0.0.1, MAP other.test 127.0.0.1"
    options = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules={rules}"]
    path = chromium.find_or_install(browser.browser_type.executable_path)
    running = browser.browser_type.launch(executable_path=path, args=options)
    yield running
    running.close()


@pytest.fixture(scope="module", params=["own", "shared"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp(request.param)
    environment = {"GRADIO_TEMP_DIR": str(folder / "uploads")} | (
        {"SPACE_ID": "lab/peft-lab"} if request.param == "shared" else {}
    )
    running = App(folder / "runs", "--allow-host", "lab.test", **environment).start()
    yield running
    running.stop()


def port(lab: App) -> int:
    return urlsplit(lab.url).port or 0


def question(lab: App, session: str) -> dict[str, Any]:
    """A question that puts a short run in the queue."""
    config = httpx.get(f"http://127.0.0.1:{port(lab)}/config", trust_env=False).json()
    functions = {item["id"]: {*item["props"].get("server_fns", [])} for item in config["components"]}
    component = next(number for number, names in functions.items() if {"launch", "see"} <= names)
    return {"data": short().to_dict(), "component_id": component, "fn_name": "launch", "session_hash": session}


def files(lab: App) -> set[Path]:
    """What has been uploaded and trained; that somebody came is not among it."""
    folders = (lab.runs.parent / "uploads", lab.runs)
    found = {file for folder in folders for file in folder.rglob("*") if file.is_file()}
    return {file for file in found if "visitors" not in file.parts}


@pytest.mark.parametrize("hidden", [False, True], ids=["open", "hidden"])
@pytest.mark.parametrize(
    ("address", "other"),
    [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("lab.test", "other.test")],
    ids=["another port", "another site", "another site, to an older browser"],
)
def test_another_sites_page_has_no_effect(
    lab: App, site: int, named_browser: Browser, address: str, other: str, hidden: bool
) -> None:
    url = f"http://{address}:{port(lab)}"
    context = named_browser.new_context()
    try:
        context.add_cookies([{"name": COOKIE, "value": "a" * 43, "url": url}])
        before = files(lab)
        sent, statuses = attack(context, url, f"http://{other}:{site}/{'hidden' if hidden else ''}", lab, hidden)
        assert sent >= SENT
        assert len(statuses) >= FORMS
        assert set(statuses) <= {403, 415}, statuses
        assert files(lab) == before
    finally:
        context.close()


def attack(context: BrowserContext, url: str, address: str, lab: App, hidden: bool) -> tuple[int, list[int]]:
    """Let the other site's page try; how many POSTs it sent, and the statuses of the answers that one sees."""
    foreign = context.new_page()
    sent: list[str] = []
    statuses: list[int] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.startswith(url):
            sent.append(request.url)

    def hear(response: Response) -> None:
        if response.request.method == "POST" and response.url.startswith(url):
            statuses.append(response.status)

    foreign.on("request", note)
    foreign.on("response", hear)
    foreign.goto(address)
    body = question(lab, "session-of-theirs")
    assert foreign.evaluate(ATTACK, {"lab": url, "body": body, "hidden": hidden}) == "refused"
    foreign.wait_for_timeout(500)
    foreign.close()
    return len(sent), statuses


def test_the_page_itself_asks_and_sends_files(lab: App, named_browser: Browser) -> None:
    """Else the refusals above would prove nothing."""
    page = named_browser.new_page()
    page.goto(f"http://lab.test:{port(lab)}/?tab=lora")
    expect(page.locator("#launch")).to_be_enabled()
    before = files(lab)
    page.locator("select").filter(has_text="Upload a file").first.select_option("+upload")
    with page.expect_response("**/upload*") as answer:
        page.locator("input[type=file]").first.set_input_files(
            {"name": "rows.csv", "mimeType": "text/csv", "buffer": b"text,label\n" + b"a,yes\nb,no\n" * 20}
        )
    assert answer.value.status == 200
    run = page.evaluate(
        """async body => (await (await fetch("gradio_api/component_server", {
            method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body),
        })).json()).ok.run""",
        question(lab, "session-of-mine"),
    )
    assert page.evaluate("run => Lab.call('feed', {run})", run)["run"] == run
    page.close()
    names = {file.name for file in files(lab) - before}
    assert {"rows.csv", "run.json"} <= names


def test_a_name_that_is_made_to_lead_here_is_not_the_labs(lab: App, named_browser: Browser) -> None:
    page = named_browser.new_page()
    answer = page.goto(f"http://other.test:{port(lab)}/")
    assert answer is not None
    assert answer.status == 403
    assert "does not go by this name" in json.loads(answer.text())["detail"]
    page.close()
