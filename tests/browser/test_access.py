"""How the page reads to a machine, and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from lab.ui.lesson import Lesson
from lab.ui.tabs import EXERCISE, TABS
from tests.browser.conftest import App, Watched, opened


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(shared_app: App, browser: Browser, base: Path, run: str, theme: str) -> None:
    watched = Watched(browser, theme=theme)
    page = opened(watched, shared_app, base, f"&run={run}")
    found = []
    for view in ("see", "watch", "chat", "code"):
        page.click(f"#view-{view}")
        page.wait_for_timeout(800)
        found += serious(page, view)
    page.click("#tab-button-runs")
    page.wait_for_selector("tr[data-run]")
    found += serious(page, "runs")
    watched.context.close()
    assert found == []


def test_axe_finds_no_serious_fault_in_the_lessons(shared_app: App, browser: Browser, base: Path) -> None:
    """Every section unfolded, with its exhibits and examples; in the dark, what has colours."""
    watched = Watched(browser, theme="light")
    page = opened(watched, shared_app, base)
    found = []
    for tab in TABS:
        if tab.kind != EXERCISE:
            continue
        page.click(f"#tab-button-{tab.name}")
        folds = page.locator(f"#tab-{tab.name} .lab-section > button[aria-expanded=false]")
        folds.evaluate_all("all => all.forEach(one => one.click())")
        expect(page.locator(f"#tab-{tab.name} .lab-section-foot")).to_have_count(len(Lesson(tab.name).sections))
        expect(page.locator(f"#tab-{tab.name} .lab-figure .main-svg").first).to_be_visible()
        page.wait_for_timeout(1500)
        found += serious(page, tab.name, f"#tab-{tab.name}")
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("document.body.classList.contains('dark')")
        page.wait_for_timeout(500)
        found += serious(page, f"{tab.name}, dark", f"#tab-{tab.name}", {"runOnly": ["color-contrast"]})
        page.emulate_media(color_scheme="light")
    watched.context.close()
    assert found == []


def serious(
    page: Page, where: str, context: str = "#lab-header, #lab-bench, #lab-wide", options: dict | None = None
) -> list[str]:
    told = Axe().run(page, context=context, options=options).response["violations"]
    return [
        f"{where}: {item['id']} at {[node['target'] for node in item['nodes'][:3]]}"
        for item in told
        if item["impact"] in ("serious", "critical")
    ]


def test_a_phone_shows_each_view_without_scrolling_sideways(
    shared_app: App, browser: Browser, base: Path, run: str
) -> None:
    watched = Watched(browser, 390, 844)
    page = opened(watched, shared_app, base, f"&run={run}")
    for view in ("learn", "pick", "see", "watch", "chat", "code"):
        page.click(f"#view-{view}")
        page.wait_for_timeout(600)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view
        assert page.locator("#launch").is_visible(), view
    watched.context.close()
