"""The page as a whole: what it asks of the network, what it draws while idle, its visit and its theme."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from lab.ui.tabs import TABS
from tests.browser.conftest import LONG, App, Watched, opened


def test_an_open_page_asks_nothing_of_other_machines_and_nothing_while_idle(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    for tab in TABS:
        page.click(f"#tab-button-{tab.name}")
        page.wait_for_timeout(300)
    page.click("#tab-button-lora")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(20):  # what the tabs began to draw may take a slow machine a while; then nothing is asked
        asked.clear()
        page.wait_for_timeout(3000)
        if not asked:
            break
    assert asked == []
    assert watched.foreign == []
    assert watched.faults == []


def test_a_page_that_stands_still_draws_nothing(shared_app: App, watched: Watched, base: Path) -> None:
    """Gradio's loading clock asks for sixty frames a second for ever (`compat/early.js`)."""
    watched.page.add_init_script(
        "const real = window.requestAnimationFrame.bind(window); window.frames_asked = 0;"
        "window.requestAnimationFrame = (work) => { window.frames_asked++; return real(work); };"
    )
    page = opened(watched, shared_app, base)
    for _ in range(20):  # what is still drawn at first may take a slow machine a while
        before = page.evaluate("window.frames_asked")
        page.wait_for_timeout(2000)
        asked = page.evaluate("window.frames_asked") - before
        if asked < 10:
            break
    assert before > 0
    assert asked < 10


def test_a_link_in_a_lesson_sets_a_control(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    link = '<a href="#set?rank=3" id="try">r = 3</a>'
    page.evaluate("link => document.querySelector('#tab-lora').insertAdjacentHTML('beforeend', link)", link)
    page.click("#try")
    expect(page.locator("#knob-rank .lab-number")).to_have_value("3")


def test_a_browser_that_was_never_here_is_offered_the_visit_once(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    expect(page.locator(".lab-welcome")).to_have_count(0)  # who comes with a link has something else in mind
    page.goto(shared_app.url)
    page.click(".lab-welcome >> text=Start the visit")
    titles = []
    while page.locator(".lab-guide").count():
        titles.append(page.locator(".lab-guide h2").inner_text())
        page.click(".lab-guide .primary")
    assert titles == ["Pick", "The method", "See", "Launch", "Watch", "Chat", "Learn", "Keep"]
    page.reload()
    page.wait_for_selector("#trainable-count", timeout=LONG)
    expect(page.locator(".lab-welcome")).to_have_count(0)
    page.click("button[aria-label='Guided visit']")
    expect(page.locator(".lab-guide h2")).to_have_text("Pick")
    page.keyboard.press("Escape")
    expect(page.locator(".lab-guide")).to_have_count(0)


def test_header_and_panes_stay_when_the_bench_is_scrolled(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    page.set_viewport_size({"width": 1440, "height": 500})
    page.wait_for_function("document.documentElement.scrollHeight > innerHeight + 100")
    page.mouse.move(1200, 400)
    page.mouse.wheel(0, 2000)
    page.wait_for_function("scrollY > 50")
    tops = page.evaluate(
        "['.lab-header', '.lab-stage-bar', '#bench-form']"
        ".map(name => Math.round(document.querySelector(name).getBoundingClientRect().top))"
    )
    bar = page.locator(".lab-header").evaluate("node => Math.round(node.getBoundingClientRect().height)")
    assert tops == [0, bar, bar]
    page.click("#view-code")
    page.wait_for_function("scrollY === 0")


def test_the_theme_is_kept(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    page.click("button[aria-label='Switch between light and dark']")
    assert page.evaluate("Lab.theme()") == "dark"
    page.reload()
    page.wait_for_selector("#trainable-count", timeout=LONG)
    assert page.evaluate("document.body.classList.contains('dark')")
