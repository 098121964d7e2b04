"""The first exercise in a browser: each item's control is moved, its button pressed, and the numbers move."""

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
    page.goto(f"{app.url}/?tab=why&plan={plan.to_link()}")
    page.wait_for_selector("#trainable-count", timeout=LONG)
    expect(page.locator("#why-model input")).to_have_value(str(base), timeout=LONG)
    return Lesson(page, "why")


def test_every_item_of_the_first_exercise(lesson: Lesson, watched: Watched) -> None:
    # 1.1: the calculator follows its controls; the same is measured on the base.
    lesson.open("1.1")
    lesson.slide("cost-rank", 8)
    before = lesson.text("cost-words", "75.5 MB")
    assert "1.2 TB" in before, "the paper's figure stands beside the sum"
    lesson.slide("cost-rank", 4)
    lesson.text("cost-words", r"37\.7 MB")  # rank 4 on query and value of GPT-3, 16 bits
    assert "Trained" in lesson.press("cost-measure")
    lesson.text("cost-measured-words", "on disk")

    # 1.2: the sum under the map is what the model itself counts.
    lesson.open("1.2")
    formula = lesson.numbers("map-words")
    lesson.press("map-measure")
    original, now, learns, promised = lesson.numbers("map-counted")
    assert learns == promised
    assert learns in formula
    assert original in formula
    assert now == original + learns

    # 1.3: four benefits, four measurements.
    lesson.open("1.3")
    lesson.slide("benefit-steps", 4)
    assert "LoRA" in lesson.press("benefit-compute")
    lesson.text("benefit-compute-words", "of its memory")
    lesson.press("benefit-storage")
    lesson.text("benefit-storage-words", "The files")
    lesson.press("benefit-forget")
    full, few = lesson.text("benefit-forget-words", "LoRA").splitlines()[-2:]
    assert full != few
    lesson.press("benefit-tasks")
    lesson.text("benefit-tasks-words", "on one base")

    # 1.4: the update's spectrum beside those of W and of chance; score against size.
    lesson.open("1.4")
    lesson.slide("spectrum-steps", 4)
    assert "Trained" in lesson.press("spectrum-train")
    before = lesson.text("spectrum-words", "ΔW of full fine-tuning")
    lesson.slide("spectrum-rank", 2)
    lesson.text("spectrum-words", "held at rank 2")
    lesson.slide("size-steps", 4)
    lesson.press("size-train")
    scores = lesson.text("size-words", "trained parameters")
    assert len(scores.splitlines()) >= 6
    assert not watched.faults
