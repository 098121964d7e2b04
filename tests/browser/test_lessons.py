"""What every section of a lesson has: a link to it as it stands, an example, an answer, a mark that it is done."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App, Watched
from tests.browser.exercises import LONG, Lesson


@pytest.fixture
def lesson(shared_app: App, watched: Watched) -> Lesson:
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return at(watched.page, f"{shared_app.url}/?tab=why")


def at(page: Page, address: str) -> Lesson:
    page.goto(address)
    page.wait_for_selector("#trainable-count", timeout=LONG)
    return Lesson(page, "why")


def rank(lesson: Lesson, elem_id: str):
    return lesson.page.locator(f"#{elem_id} input[type=number]")


def test_a_link_opens_a_section_with_its_controls_as_they_stood(lesson: Lesson, watched: Watched) -> None:
    lesson.open("1.4")
    lesson.text("spectrum-words", "held at rank 8")
    lesson.slide("spectrum-rank", 3)
    lesson.text("spectrum-words", "held at rank 3")
    lesson.pick("size-methods", "Head only")
    lesson.page.get_by_role("button", name="Link to 1.4").click()
    link = lesson.page.evaluate("navigator.clipboard.readText()")
    asked = parse_qs(urlsplit(link).query)
    assert (asked["tab"], asked["section"], asked["set.spectrum-rank"]) == (["why"], ["1.4"], ["3"])
    assert "head" in asked["set.size-methods"]
    assert "set.spectrum-steps" not in asked, "what stands at its default is not in the link"
    assert parse_qs(urlsplit(lesson.page.url).query) == asked, "the address says the same"

    other = at(watched.new(), link)
    other.text("spectrum-words", "held at rank 3")
    expect(rank(other, "spectrum-rank")).to_have_value("3")
    expect(rank(other, "spectrum-steps")).to_have_value("40")
    expect(other.page.locator("#size-methods label").filter(has_text="Head only").locator("input")).to_be_checked()
    expect(other.page.locator("#section-1-4 > button")).to_be_in_viewport()

    # The section that stands open at first takes its values as well, and draws them.
    first = at(watched.page, link.split("?")[0] + "?tab=why&section=1.1&set.cost-rank=16&set.cost-everywhere=true")
    first.text("cost-words", "0.195%")
    assert not watched.faults


def test_what_a_link_cannot_have_is_one_sentence(lesson: Lesson, watched: Watched) -> None:
    page = lesson.page
    bad = "set.spectrum-rank=-4&set.size-steps=many&set.nothing=1&set.size-methods=unheard&set.spectrum-steps=20"
    lesson = at(page, page.url.split("?")[0] + f"?tab=why&section=1.4&{bad}")
    note = page.locator("#section-1-4 .lab-note.warn")
    expect(note).to_have_text(
        "The link asks for something that this section cannot have; it was left as it is: "
        "Rank r, Steps, nothing, Methods."
    )
    expect(rank(lesson, "spectrum-rank")).to_have_value("8")
    expect(rank(lesson, "spectrum-steps")).to_have_value("20")
    at(page, page.url.split("?")[0] + "?tab=why&section=9.9")
    expect(page.locator(".lab-toasts")).to_contain_text("a section that this page does not have")
    assert not watched.faults


def test_an_example_stands_there_until_one_makes_ones_own(lesson: Lesson, watched: Watched) -> None:
    lesson.open("1.2")
    example = lesson.page.locator("#map-measure-example")
    expect(example).to_contain_text("Example")
    expect(example).to_contain_text("python -m benchmarks.exercises --keep")
    expect(example.locator("table")).to_contain_text("13,570,944")
    lesson.press("map-measure")
    lesson.text("map-counted", "promised by the formula")
    expect(example).to_be_hidden()
    lesson.open("1.4")
    lesson.drawn("size-train-example", 6)
    assert not watched.faults


def test_answers_and_progress_are_kept_and_taken_away(lesson: Lesson, watched: Watched) -> None:
    page = lesson.page
    foot = page.locator("#section-1-1 .lab-section-foot")
    foot.locator("summary").click()
    words = "Gradients & moments.\n\n<b>Not markup</b>"
    page.get_by_label("Your answer to 1.1").fill(words)
    page.get_by_label("1.1 is done").check()
    bar = page.locator("#tab-why .lab-course")
    expect(bar).to_contain_text("1 of 4 done")
    expect(page.locator("#section-1-1")).to_have_attribute("data-done", "")
    with page.expect_download() as taken:
        bar.get_by_role("button", name="Answers as Markdown").click()
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    assert text.startswith("# Why PEFT\n\n## 1.1 What full fine-tuning costs\n\nGradients & moments.")
    assert text.count("](data:image/png;base64,") >= 2
    with page.expect_download() as taken:
        bar.get_by_role("button", name="as HTML").click()
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    assert "&lt;b&gt;Not markup" in text
    assert text.count('<img src="data:image/png;base64,') >= 2
    page.reload()
    expect(bar).to_contain_text("1 of 4 done", timeout=LONG)
    expect(page.get_by_label("Your answer to 1.1")).to_have_value(words)
    assert not watched.faults
