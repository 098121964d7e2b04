"""A shared lab in a browser: the page works behind its gate, and nothing that a visitor writes is executed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import App, Watched

#: Each would set `window.hacked` if it were taken as markup or code.
PAYLOADS = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror='window.hacked=1'>",
    "<svg/onload=window.hacked=1>",
    "</textarea></title></script><img src=x onerror=window.hacked=1>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "[link](javascript:window.hacked=1)",
    '![x](x"onerror="window.hacked=1)',
    "<a href='javascript:window.hacked=1'>x</a>",
    "<style>*{background:url(javascript:window.hacked=1)}</style>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=1>",
    "{{constructor.constructor('window.hacked=1')()}}",
    "${window.hacked=1}",
    "$$\\href{javascript:window.hacked=1}{x}$$",
    "'-alert(window.hacked=1)-'",
    '"><details open ontoggle=window.hacked=1>',
)
ALL = " ".join(PAYLOADS)

#: What a model is taught to say.
REPLY = "<img src=x onerror='window.hacked=1'>"

OWNER = "a-token-of-the-owner"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPACE_ID", "lab/peft-lab")
        patch.setenv("LAB_OWNER_TOKEN", OWNER)
        running = App(tmp_path_factory.mktemp("public") / "runs").start()
        running.url = running.url.replace("localhost", "127.0.0.1").replace("0.0.0.0", "127.0.0.1")
        yield running
        running.stop()


def ask(watched: Watched, name: str, argument: object) -> object:
    """A service, asked by the page's own script."""
    return watched.page.evaluate("([name, argument]) => Lab.call(name, argument)", [name, argument])


def wait_until_done(page: Page, run: str) -> None:
    """Wait for the end of a training. (`wait_for_function` takes an async function's promise for a yes.)"""
    status = page.evaluate(
        """async run => {
            for (;;) {
                const {status} = await Lab.call("feed", {run});
                if (!["waiting", "running"].includes(status)) return status;
                await new Promise(resolve => setTimeout(resolve, 500));
            }
        }""",
        run,
    )
    assert status == "done"


def test_the_page_works_behind_the_gate_and_each_visitor_sees_their_own(
    public: App, browser: Browser, watched: Watched, tmp_path: Path
) -> None:
    page = watched.page
    rows = [{"prompt": f"{ALL} {number}", "reply": f"<b>{ALL}</b> {number}"} for number in range(40)]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    page.goto(f"{public.url}/?tab=lora")
    expect(page.locator("#lab-shared")).to_contain_text("This lab is shared")
    expect(page.locator("#launch")).to_be_enabled()
    path = page.evaluate(
        """async (text) => {
            const form = new FormData();
            form.append("files", new File([text], "rows.jsonl"));
            const sent = await fetch("gradio_api/upload", {method: "POST", body: form});
            const name = "<img src=x onerror=window.hacked=1>.jsonl";
            return Lab.call("keep", {path: (await sent.json())[0], name});
        }""",
        file.read_text(encoding="utf-8"),
    )
    plan = ask(watched, "given", {"plan": shortest(watched), "loose": {"data": path}})
    plan["training"]["sample"] = ALL  # type: ignore[index]
    run = ask(watched, "launch", plan)["run"]  # type: ignore[index]
    ask(watched, "rename", {"run": run, "name": ALL})
    page.goto(f"{public.url}/?tab=lora&run={run}")
    expect(page.locator("#launch")).to_be_enabled()
    wait_until_done(page, run)
    ask(watched, "rename", {"run": run, "name": ALL})
    for tab in ("runs", "compare", "lora"):
        page.goto(f"{public.url}/?tab={tab}&run={run}")
        expect(page.locator("#launch")).to_be_attached()
        page.wait_for_timeout(1500)
    # The form with the hostile data set: its columns, its preview, its prompt.
    page.goto(f"{public.url}/?tab=lora&plan={ask(watched, 'see', plan)['link']}")  # type: ignore[index]
    expect(page.locator("#launch")).to_be_enabled()
    for name in ("#tab-runs", "#bench-stage"):
        page.goto(f"{public.url}/?tab={'runs' if name == '#tab-runs' else 'lora'}&run={run}")
        expect(page.locator(name)).to_contain_text("<script>window.hacked=1</script>"[:10])
    assert page.evaluate("window.hacked") is None
    assert not watched.foreign
    faults = [fault for fault in watched.faults if "404" not in fault]
    assert not faults, faults
    other = Watched(browser)
    try:
        other.page.goto(f"{public.url}/?tab=runs&run={run}")
        expect(other.page.locator("#launch")).to_be_attached()
        assert other.page.evaluate("Lab.call('runs', {})")["rows"] == []
        told = other.page.evaluate(
            "run => Lab.call('feed', {run}).catch(error => String(error.message || error))", run
        )
        assert "There is no run" in str(told)
    finally:
        other.context.close()


def test_what_a_model_says_and_what_the_owner_reads_is_text(public: App, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{public.url}/?tab=lora")
    expect(page.locator("#launch")).to_be_enabled()
    rows = [{"prompt": f"Say it, number {number}.", "reply": REPLY} for number in range(40)]
    path = page.evaluate(
        """async (text) => {
            const form = new FormData();
            form.append("files", new File([text], "rows.jsonl"));
            const sent = await fetch("gradio_api/upload", {method: "POST", body: form});
            return Lab.call("keep", {path: (await sent.json())[0], name: "rows.jsonl"});
        }""",
        "".join(json.dumps(row) + "\n" for row in rows),
    )
    loose = {"data": path, "method": "full", "steps": 40, "learning_rate": 1e-3, "task": "generate"}
    plan = ask(watched, "given", {"plan": shortest(watched), "loose": loose})
    plan["training"]["sample"] = "Say it, number 3."  # type: ignore[index]
    run = ask(watched, "launch", plan)["run"]  # type: ignore[index]
    wait_until_done(page, run)
    ask(watched, "rename", {"run": run, "name": REPLY})
    page.goto(f"{public.url}/?tab=lora&run={run}")
    expect(page.locator(".lab-samples")).to_contain_text(REPLY)
    page.click("#view-chat")
    page.fill("#bench-chat textarea", "Say it, number 5.")
    page.click("#chat-send")
    expect(page.locator("#bench-chat")).to_contain_text(REPLY)
    page.goto(f"{public.url}/owner")
    page.fill("#token", OWNER)
    page.click("text=Enter")
    expect(page.locator("#main")).to_contain_text(REPLY)
    assert page.evaluate("window.hacked") is None
    # To whoever has not shown the token, the owner's figures are not there.
    assert not [fault for fault in watched.faults if "404" not in fault]


def shortest(watched: Watched) -> dict:
    values = {"method": "lora", "steps": 2, "eval_every": 0, "eval_rows": 2, "reply_rows": 1, "batch_size": 2}
    from lab import methods
    from lab.plan import Data

    plan = methods.default_plan("lora", data=Data())
    return ask(watched, "given", {"plan": plan.to_dict(), "loose": values})  # type: ignore[return-value]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A lab with a password."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_AUTH", "teacher:lesson")
        running = App(tmp_path_factory.mktemp("locked") / "runs").start()
        yield running
        running.stop()


def knock(page: Page, password: str) -> None:
    page.locator("input").nth(0).fill("teacher")
    page.locator("input").nth(1).fill(password)
    with page.expect_response("**/login"):
        page.get_by_role("button", name="Login").click()


def test_who_knows_the_password_is_let_in(locked: App, watched: Watched) -> None:
    watched.page.goto(locked.url)
    border = watched.page.locator("input").first.evaluate("field => getComputedStyle(field).borderTopWidth")
    assert border == "1px"  # a field that one sees
    knock(watched.page, "lesson")
    expect(watched.page.locator("#launch")).to_be_enabled(timeout=60_000)


def test_who_guesses_is_told_how_long_to_wait(locked: App, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(locked.url)
    for attempt in range(6):
        knock(page, f"guess {attempt}")
    expect(page.get_by_text(re.compile(r"wait \d\d seconds, then try again"))).to_be_visible()
    page.close()
