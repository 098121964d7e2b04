"""The second exercise in a browser: each item's control is moved, its button pressed, and the numbers move."""

from __future__ import annotations

import re
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
    page.goto(f"{app.url}/?tab=lora&plan={plan.to_link()}")
    page.wait_for_selector("#trainable-count", timeout=LONG)
    expect(page.locator("#lora-model input")).to_have_value(str(base), timeout=LONG)
    return Lesson(page, "lora")


def test_every_item_of_the_second_exercise(lesson: Lesson, watched: Watched) -> None:
    page = lesson.page
    # 2.1: numbers flow, and are those of peft's layer.
    lesson.open("2.1")
    words = page.locator("#flow .lab-flow-words")
    expect(words).to_contain_text("The detour has", timeout=LONG)
    before = words.inner_text()
    lesson.slide("flow-alpha", 64)
    expect(words).not_to_have_text(before, timeout=LONG)
    page.locator("#flow").get_by_role("button", name="Step").click()
    expect(words).to_contain_text("is given")
    lesson.press("flow-check")
    assert re.search(r"is \d\.\de-0[5-9]", lesson.text("flow-checked", "largest difference"))

    # 2.2: r·(d+k), by formula and in the real model.
    lesson.open("2.2")
    before = lesson.text("count-words", "BA together")
    lesson.slide("count-rank", 4)
    lesson.changed("count-words", before)
    lesson.press("count-measure")
    *_, formula, counted = lesson.numbers("count-counted")
    assert formula == counted == 2 * 4 * (32 + 32 + 32 + 16), "q 32×32 and v 16×32 in two layers"

    # 2.3: the code follows the form and runs.
    lesson.open("2.3")
    before = lesson.text("code-shown", "get_peft_model")
    lesson.slide("code-rank", 2)
    lesson.text("code-shown", "r=2")
    lesson.press("code-run")
    assert "trainable params" in lesson.text("code-printed", "original")

    # 2.4: both are trained and compared.
    lesson.open("2.4")
    lesson.slide("versus-steps", 4)
    lesson.press("versus-train")
    lesson.text("versus-words", "of the memory and scores")

    # 2.5: the files, and what merging does.
    lesson.open("2.5")
    lesson.press("files-train")
    lesson.text("files-words", "adapter_model.safetensors")
    lesson.press("files-merge")
    assert "100.0%" in lesson.text("files-merged", "same choice at")

    # 2.6: a grid of ranks and modules, and the subspaces of ranks and seeds.
    lesson.open("2.6")
    for rank in ("4", "16"):
        lesson.pick("sweep-ranks", rank)
    lesson.slide("sweep-steps", 4)
    lesson.press("sweep-train")
    grid = lesson.text("sweep-words", "every matrix r=1")
    assert "query and value r=1" in grid
    lesson.slide("phi-low", 2)
    lesson.slide("phi-high", 8)
    lesson.slide("phi-steps", 4)
    lesson.press("phi-train")
    before = lesson.text("phi-words", r"φ\(1, 1\)")
    lesson.slide("phi-i", 2)
    lesson.text("phi-words", r"φ\(2, 1\)")
    assert not watched.faults
