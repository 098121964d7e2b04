"""The third exercise in a browser: each item's control is moved, its button pressed, and the numbers move."""

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
    plan = methods.default_plan("bottleneck", model=str(base), data=Data(source="sentiment"))
    page = watched.page
    page.goto(f"{app.url}/?tab=adapters&plan={plan.to_link()}")
    page.wait_for_selector("#trainable-count", timeout=LONG)
    expect(page.locator("#adapters-model input")).to_have_value(str(base), timeout=LONG)
    return Lesson(page, "adapters")


def test_every_item_of_the_third_exercise(lesson: Lesson, watched: Watched) -> None:
    # 3.1: placements change the count; trained adapters show norms.
    lesson.open("3.1")
    houlsby = lesson.text("placement-count", "648")  # the tiny base: two layers of two adapters
    lesson.pick("placement", "Pfeiffer")
    pfeiffer = lesson.changed("placement-count", houlsby)
    assert pfeiffer.startswith("324 "), "half as many: 2·m·d + d + m in each of two layers"
    lesson.slide("placement-steps", 5)
    assert "pfeiffer" in lesson.press("placement-train")
    before, added, after = lesson.drawn("placement-norms", 3)
    assert len(before) == len(added) == len(after) == 2, "one adapter in each of the two layers"
    assert all(value > 0 for value in [*before, *added])

    # 3.2: the formula is what is counted on the model.
    lesson.open("3.2")
    lesson.text("module-shapes", "2 × 32")
    lesson.slide("module-factor", 4)
    assert "8 × 32" in lesson.text("module-shapes", "8 × 32")
    lesson.press("module-count")
    formula, counted = lesson.numbers("module-counted")[:2]
    assert formula == counted == 2 * (2 * 8 * 32 + 32 + 8)

    # 3.3: bytes for N tasks, a file that is weighed, tasks that share a base.
    lesson.open("3.3")
    lesson.text("tasks-said", "10 tasks")
    lesson.slide("tasks-count", 100)
    lesson.text("tasks-said", "100 tasks")
    lesson.press("tasks-weigh")
    predicted, inside = lesson.numbers("tasks-weighed")[1:3]
    assert predicted == inside
    assert "two runs" in lesson.press("switch-measure")
    lesson.slide("switch-steps", 5)
    assert "persona" in lesson.press("switch-train")
    lesson.press("switch-measure")
    assert {"persona", "sentiment"} <= set(lesson.text("switch-answers", "sentiment").split())

    # 3.4: four models take turns.
    lesson.open("3.4")
    sums = lesson.text("latency-products", "bottleneck")
    lesson.slide("latency-factor", 2)
    lesson.changed("latency-products", sums)
    lesson.pick("latency-length", "128")
    assert "14 rounds" in lesson.press("latency-measure")
    assert all(len(values) == 2 for values in lesson.drawn("latency-picture", 3)[:3])

    # 3.5: without a network it says so in a sentence.
    lesson.open("3.5")
    lesson.text("hub-note", "most downloaded")
    lesson.page.locator("#hub-base textarea, #hub-base input").first.fill("no id")
    lesson.text("hub-note", "not an id")
    assert "HF_HUB_OFFLINE" in lesson.press("hub-search")
    assert "No adapter is chosen" in lesson.press("hub-ask")
    assert watched.foreign == []
    assert watched.faults == []
