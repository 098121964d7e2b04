"""The fourth exercise in a browser: each item's control is moved, its button pressed, and the numbers move."""

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
    plan = methods.default_plan("prefix", model=str(base), data=Data(source="persona"))
    page = watched.page
    page.goto(f"{app.url}/?tab=prefix&plan={plan.to_link()}")
    page.wait_for_selector("#trainable-count", timeout=LONG)
    expect(page.locator("#prefix-model input")).to_have_value(str(base), timeout=LONG)
    return Lesson(page, "prefix")


def test_every_item_of_the_fourth_exercise(lesson: Lesson, watched: Watched) -> None:
    # 4.1: n · L · 2 · H · w, and what the model counts; impossible numbers are told in a sentence.
    lesson.open("4.1")
    said = lesson.text("numbers-said", "20 tokens × 2 layers")
    assert "1,280" in said  # 20 · 2 layers · 2 · 2 heads · 8
    field = lesson.page.locator("#numbers-tokens input")
    for wrong in ("0", "10000"):
        field.fill(wrong)
        said = lesson.changed("numbers-said", said)
        assert "tokens ×" not in said
    field.fill("7")
    lesson.changed("numbers-said", said)
    lesson.press("numbers-count")
    formula, counted = lesson.numbers("numbers-counted")[:2]
    assert formula == counted == 7 * 64

    # 4.2: attention by layer and head on an own sentence, and ablation.
    lesson.open("4.2")
    assert "Press the button" in lesson.press("ablation-measure")
    lesson.slide("attention-tokens", 6)
    lesson.slide("attention-steps", 5)
    assert "prefix" in lesson.press("attention-train")
    assert len(lesson.drawn("attention-heads")[0]) == 8, "two layers of four heads"
    first = lesson.drawn("attention-tokens-bars")[0]
    assert all(0 < value < 1 for value in first)
    box = lesson.page.locator("#attention-text textarea, #attention-text input").first
    box.fill("Hello!")
    lesson.page.wait_for_function(
        "count => document.querySelector('#attention-tokens-bars .lab-figure').data[0].y.length !== count",
        arg=len(first),
        timeout=LONG,
    )
    lesson.slide("ablation-rows", 4)
    assert "2 layers and 6 virtual tokens" in lesson.press("ablation-measure")
    layers, tokens = lesson.drawn("ablation-picture", 2)
    assert (len(layers), len(tokens)) == (2, 6)

    # 4.3: the place changes with the method; the saved tensor has the shape that was promised.
    lesson.open("4.3")
    said = lesson.text("where-said", "each of 2 layers")
    lesson.pick("where-kind", "Prompt tuning")
    lesson.text("where-said", "12 × 32")
    lesson.press("where-save")
    assert "12 × 32" in lesson.text("where-saved", "prompt_embeddings")

    # 4.4: three families at once, trained on the same rows.
    lesson.open("4.4")
    facts = lesson.text("families-facts", "Prefix")
    lesson.slide("families-tokens", 5)
    lesson.text("families-facts", "320")
    lesson.slide("families-steps", 5)
    assert "bottleneck" in lesson.press("families-train")
    assert [len(values) for values in lesson.drawn("families-curves", 3)] == [5, 5, 5]

    # 4.5: two styles, their mixture, and the loss along the line.
    lesson.open("4.5")
    assert "two trained prefixes" in lesson.press("styles-speak").lower()
    lesson.slide("styles-steps", 5)
    lesson.press("styles-train")
    lesson.slide("styles-weight", 0.25)
    lesson.press("styles-speak")
    assert "25% persona" in lesson.text("styles-said", "75% data_to_text")
    assert "9 of 9" in lesson.press("styles-measure")
    first, second = lesson.drawn("styles-line", 2)
    assert len(first) == len(second) == 9

    # 4.6: three kinds of virtual tokens, and the nearest words.
    lesson.open("4.6")
    facts = lesson.text("prompts-facts", "P-tuning")
    lesson.slide("prompts-tokens", 4)
    lesson.changed("prompts-facts", facts)
    lesson.slide("prompts-steps", 5)
    assert "ptuning" in lesson.press("prompts-train")
    lesson.press("nearest-find")
    assert "random direction" in lesson.text("nearest-words", "on average")
    assert len(lesson.drawn("nearest-picture", 3)[0]) == 4
    lesson.pick("nearest-kind", "Prefix tuning")
    assert "no word vectors" in lesson.press("nearest-find")
    assert watched.foreign == []
    assert watched.faults == []
