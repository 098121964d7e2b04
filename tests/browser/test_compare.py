"""A comparison on the page: built, run, paused, taken up, read, opened and taken away."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App, Watched
from tests.browser.test_access import serious


def own(faults: list[str]) -> list[str]:
    """The faults of the page itself: leaving it, or ending the app behind it, breaks off what it was asking."""
    outside = ("Abort", "Connection errored out", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")
    return [item for item in faults if not any(words in item for words in outside)]


def wait_until(page: Page, script: str) -> None:
    page.wait_for_function(script, timeout=180_000)


def built(page: Page, base: Path, data: str, name: str, methods: list[str], steps: int) -> None:
    """Fill the grid as a person does."""
    page.locator("#cmp-new").click()
    page.fill("#cmp-name", name)
    page.fill("#cmp-model", str(base))
    page.fill("#cmp-data", data)
    for key in methods:
        page.locator(f'#cmp-methods input[value="{key}"]').check()
    for field, value in (("amount", steps), ("batch", 4), ("length", 48), ("every", 0), ("rows", 20)):
        page.fill(f"#cmp-{field}", str(value))


@pytest.fixture
def page(app: App, watched: Watched) -> Page:
    watched.page.goto(f"{app.url}/?tab=compare")
    expect(watched.page.locator("#cmp-methods input").first).to_be_visible()
    return watched.page


def test_a_grid_is_built_run_paused_resumed_read_and_taken_away(
    app: App, watched: Watched, page: Page, base: Path, reviews: str, tmp_path: Path
) -> None:
    built(page, base, reviews, "Five ways", ["full", "lora", "ia3", "layernorm", "bitfit"], 400)
    ahead = page.locator("#cmp-ahead")
    expect(ahead).to_contain_text("4 runs")
    refused = ahead.locator("tr.refused")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("BitFit")
    expect(refused).to_contain_text("no biases")

    # The plain file says the same, and a mistake in it is told with the nearest name.
    page.locator("summary", has_text="As a file").click()
    text = page.locator("#cmp-file")
    expect(text).to_have_value(re.compile("name: Five ways"))
    whole = text.input_value()
    text.fill(whole.replace("lora", "lorra"))
    page.get_by_role("button", name="Read into the form").click()
    expect(page.locator(".cmp-side .lab-note.error")).to_contain_text("Did you mean 'lora'")
    text.fill(whole)
    page.get_by_role("button", name="Read into the form").click()
    expect(ahead).to_contain_text("4 runs")

    page.locator("#cmp-start").click()
    page.locator("#cmp-pause").click()
    resume = page.locator("#cmp-resume")
    expect(resume).to_be_visible()
    page.locator(".cmp-queue summary").click()
    waits = page.locator(".cmp-queue li")
    # The first may have been in its last evaluation when the pause came, and leaves the line then: seen from its end.
    expect(waits.nth(2)).to_be_visible()
    *_, earlier, later = (words.split(",")[0] for words in waits.all_inner_texts())
    button = waits.last.get_by_role("button", name="Earlier")
    moves = str(button.get_attribute("aria-label"))
    button.click()
    expect(waits.last).to_contain_text(earlier)
    # Drawn anew, the list is still unfolded and the button still has the focus.
    expect(waits.last).to_be_visible()
    expect(page.get_by_role("button", name=moves, exact=True)).to_be_focused()
    expect(page.locator(".cmp-queue")).to_contain_text(later)

    # A reload finds it as it was, still paused; then it goes on to its end.
    page.reload()
    expect(resume).to_be_visible()
    resume.click()
    expect(page.locator(".cmp-item[aria-current]")).to_contain_text("Done · 5 of 5", timeout=240_000)
    expect(page.locator("#cmp-verdict")).to_contain_text("BitFit could not be run")
    expect(page.locator(".cmp-table tbody tr")).to_have_count(5)

    # The best point of the front: the highest score on the line, found in the drawing itself.
    wait_until(page, "document.querySelector('#cmp-pareto').data?.some((trace) => trace.name === 'front')")
    best = page.evaluate(
        """() => {
          const data = document.querySelector('#cmp-pareto').data;
          const front = data.find((trace) => trace.name === 'front');
          const top = Math.max(...Lab.values(front.y));
          return data.find((trace) => trace.mode.includes('markers') && Lab.values(trace.y)[0] === top).name;
        }"""
    )
    scores = dict(
        page.eval_on_selector_all(
            ".cmp-table tbody tr",
            "rows => rows.map(row => [row.querySelector('th').childNodes[1].textContent, row.cells[1].textContent])",
        )
    )
    measured = {name: float(score.rstrip("%")) for name, score in scores.items() if score.endswith("%")}
    assert len(measured) == 4
    assert measured[best] == max(measured.values())

    with page.expect_download() as saved:
        page.get_by_role("button", name="Trade-offs as PNG").click()
    saved.value.save_as(tmp_path / "trade-offs.png")
    assert (tmp_path / "trade-offs.png").read_bytes()[:4] == b"\x89PNG"

    # Its run, by a click on its point.
    place = page.evaluate(
        """(name) => {
          const chart = document.querySelector('#cmp-pareto');
          const at = chart.data.findIndex((trace) => trace.name === name);
          const node = chart.querySelectorAll('.scatterlayer .trace')[at].querySelector('.point');
          node.scrollIntoView({ block: 'center' });
          const box = node.getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2];
        }""",
        best,
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
    expect(page).to_have_url(re.compile("run="))
    page.goto(f"{app.url}/?tab=compare")

    with page.expect_download() as saved:
        page.locator("#cmp-report").click()
    report = tmp_path / "report.html"
    saved.value.save_as(report)
    words = report.read_text(encoding="utf-8")
    assert "Five ways" in words
    assert len(words) < 3 * 2**20
    reader = watched.new()
    reader.goto(report.as_uri())
    expect(reader.locator("svg")).not_to_have_count(0)
    expect(reader.locator("#figures tbody tr")).to_have_count(5)
    expect(reader.locator(".chart .main-svg").first).to_be_visible()
    assert reader.evaluate("performance.getEntriesByType('resource').length") == 0
    assert serious(reader, "report", "body") == []
    reader.locator("summary").first.click()
    expect(reader.locator("details table tbody tr").first).to_be_visible()
    printed = reader.pdf()  # charts and all, without the buttons
    assert printed[:5] == b"%PDF-"
    with reader.expect_download() as table:
        reader.locator("[data-csv]").first.click()
    table.value.save_as(tmp_path / "picture.csv")
    lines = (tmp_path / "picture.csv").read_text(encoding="utf-8").splitlines()
    assert len(list(csv.reader(lines))) > 3
    with reader.expect_download() as picture:
        reader.locator("[data-png]").first.click()
    picture.value.save_as(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
    assert own(watched.faults) == []
    assert watched.foreign == [report.as_uri()]


def test_it_outlives_the_app_and_tells_a_deleted_run(
    app: App, watched: Watched, page: Page, base: Path, reviews: str
) -> None:
    built(page, base, reviews, "Two seeds", ["lora"], 100)
    page.fill("#cmp-seeds", "2")
    expect(page.locator("#cmp-ahead")).to_contain_text("2 runs")
    page.locator("#cmp-start").click()
    page.locator("#cmp-pause").click()
    expect(page.locator("#cmp-resume")).to_be_visible()
    app.restart()
    page.goto(f"{app.url}/?tab=compare")
    page.locator("#cmp-go").click()
    expect(page.locator(".cmp-item[aria-current]")).to_contain_text("Done · 2 of 2", timeout=240_000)
    run = page.locator("[data-open]").first.get_attribute("data-open")
    shutil.rmtree(app.runs / str(run))
    page.reload()
    expect(page.locator("#cmp-verdict")).to_contain_text("lost its run")
    assert own(watched.faults) == []
