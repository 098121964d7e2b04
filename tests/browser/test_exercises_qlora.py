"""The fifth exercise in a browser: each item's control is moved, its button pressed, and the numbers move."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from lab import methods
from lab.plan import Data
from tests.browser.conftest import App, Watched
from tests.browser.exercises import LONG, Lesson


@pytest.fixture
def lesson(app: App, watched: Watched, base: Path) -> Lesson:
    """The tab with the tiny base, followed by the exhibits' own choice of a model."""
    plan = methods.default_plan("lora", model=str(base), data=Data(source="sentiment"))
    page = watched.page
    page.goto(f"{app.url}/?tab=qlora&plan={plan.to_link()}")
    page.wait_for_selector("#trainable-count", timeout=LONG)
    expect(page.locator("#qlora-model input")).to_have_value(str(base), timeout=LONG)
    return Lesson(page, "qlora")


def test_every_item_of_the_fifth_exercise(lesson: Lesson, watched: Watched) -> None:
    # 5.1: fewer bits, a larger error; products are timed.
    lesson.open("5.1")
    lesson.text("bits-words", "relative to the weights")
    lesson.slide("bits-bits", 2)
    lesson.text("bits-words", "4, 4 of them")
    lesson.press("bits-time")
    lesson.text("bits-timed", "nf4")

    # 5.2: the paper's sum for 65B, and the base's own memory.
    lesson.open("5.2")
    before = lesson.text("sum-words", "784 GB")
    lesson.slide("sum-rank", 8)
    lesson.changed("sum-words", before)
    lesson.press("sum-measure")
    lesson.text("sum-measured-words", "QLoRA")

    # 5.3: levels and errors; 4.5 bits become 4.127; a card that is too small.
    lesson.open("5.3")
    before = lesson.text("levels-words", "NF4")
    lesson.slide("levels-block", 10)
    lesson.changed("levels-words", before)
    lesson.press("levels-measure")
    lesson.text("levels-measured", "NF4, double")
    before = lesson.text("double-words", "4.127")
    lesson.slide("double-block", 7)
    lesson.text("double-words", r"4\.25")
    before = lesson.text("paged-words", "go out for the peak")
    lesson.slide("paged-capacity", 80)
    lesson.text("paged-words", "All of it fits")

    # 5.4: a lower precision loses more of the updates.
    lesson.open("5.4")
    lesson.slide("rounding-steps", 4)
    lesson.press("rounding-train")
    lines = [line.split() for line in lesson.text("rounding-words", "int8").splitlines()]
    lost = {cells[0]: float(cells[2].rstrip("%")) for cells in lines if len(cells) == 4 and cells[2].endswith("%")}
    assert lost["fp32"] < 1 < lost["bf16"]

    # 5.5: each precision is weighed and trained on.
    lesson.open("5.5")
    lesson.text("loading-able", "nf4")
    lesson.press("loading-weigh")
    weighed = lesson.text("loading-words", "fp4")
    assert "predicted" in weighed
    lesson.slide("loading-steps", 4)
    lesson.press("loading-train")
    lesson.text("loading-trained", "nf4")
    assert not watched.faults
