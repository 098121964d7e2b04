"""Lessons 3 to 5 end as lesson 2 does: with an adapter that was trained from the page and answers in the chat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lab import methods
from lab.plan import Data, Plan, Precision
from tests.browser.conftest import App, Watched

LONG = 120_000

CHOICES = [
    ("adapters", "bottleneck", "fp32"),
    ("prefix", "prefix", "fp32"),
    ("prefix", "prompt", "fp32"),
    ("prefix", "ptuning", "fp32"),
    ("qlora", "lora", "int8"),
    ("qlora", "lora", "nf4"),
    ("qlora", "lora", "fp4"),
]


def short(base: Path, method: str, weights: str) -> Plan:
    plan = methods.default_plan(method, model=str(base), data=Data("persona", rows=64))
    few = {"steps": 3, "batch_size": 2, "eval_every": 0, "eval_rows": 4, "reply_rows": 2}
    return replace(methods.with_values(plan, few), precision=Precision(weights=weights))


def trained(page: Page, url: str, tab: str, plan: Plan) -> None:
    page.goto(f"{url}/?tab={tab}&plan={plan.to_link()}")
    page.wait_for_selector("#launch:enabled", timeout=LONG)
    page.click("#launch")
    expect(page.locator("#run-status")).to_have_text("Done", timeout=LONG)


@pytest.mark.parametrize(("tab", "method", "weights"), CHOICES)
def test_an_adapter_of_the_lesson_answers(
    shared_app: App, watched: Watched, base: Path, tab: str, method: str, weights: str
) -> None:
    page = watched.page
    trained(page, shared_app.url, tab, short(base, method, weights))
    page.click("#view-chat")
    page.fill("#bench-chat textarea", "Who?")
    page.click("#chat-send")
    expect(page.locator("#bench-chat .lab-said")).to_have_text("Who?")
    expect(page.locator("#chat-send")).to_be_visible(timeout=LONG)
    assert page.locator("#bench-chat .lab-note.error").count() == 0
    expect(page.locator("#bench-chat .heads .mine")).to_have_text(f"With {methods.METHODS[method].title}")
    assert watched.faults == []
