"""The form: how it tells mistakes, what it keeps, and what a method or an upload brings to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lab import methods
from tests.browser.conftest import LONG, App, Watched, opened


@pytest.mark.parametrize("typed", ["-3", "many", "2.5"])
def test_what_was_mistyped_stands_marked_after_a_reload_and_can_be_mended(
    shared_app: App, watched: Watched, base: Path, typed: str
) -> None:
    page = opened(watched, shared_app, base)
    field = page.locator("[data-knob=rank] .lab-number")
    field.fill(typed)
    field.press("Enter")
    expect(page.locator("#launch-reason.bad")).to_contain_text("Rank r")
    page.wait_for_timeout(500)  # the form keeps itself a moment after the last change
    page.goto(f"{shared_app.url}/?tab=lora")
    expect(field).to_have_value(typed)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#launch")).to_be_disabled()
    field.fill("6")
    field.press("Enter")
    expect(page.locator("#launch")).to_be_enabled()
    assert field.get_attribute("aria-invalid") is None
    assert watched.faults == []


def test_a_mistake_is_one_sentence_beside_a_form_that_keeps_everything(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    rank = page.locator("#knob-rank .lab-number")
    rank.fill("0")
    rank.press("Enter")
    expect(page.locator(".lab-panel .lab-note.error")).to_contain_text("Rank r cannot be 0")
    expect(page.locator(".lab-last .lab-matrices, .lab-last svg").first).to_be_visible()  # what was seen last, faded
    expect(page.locator("#launch")).to_be_disabled()
    rank.fill("4")
    rank.press("Enter")
    expect(page.locator("#launch")).to_be_enabled()

    page.select_option("#pick-model", "+folder")
    page.fill(".lab-own input", "/nowhere/at/all")
    page.press(".lab-own input", "Enter")
    expect(page.locator(".lab-panel .lab-note.error")).to_contain_text("does not exist")
    expect(page.locator("#launch")).to_be_disabled()
    expect(page.locator("#launch-reason")).to_contain_text("does not exist")
    expect(rank).to_have_value("4")


def test_a_name_written_beside_all_linear_is_named_when_the_model_lacks_it(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    knob = page.locator("#knob-target_modules")
    knob.get_by_role("button", name="all-linear").click()
    knob.get_by_role("textbox").fill("q_prj")
    knob.get_by_role("textbox").press("Enter")
    expect(page.locator("#launch-reason.bad")).to_have_text("No module of this model matches q_prj.")
    expect(knob.get_by_role("button", name="all-linear")).to_have_attribute("aria-pressed", "false")
    knob.get_by_role("button", name="q_prj").click()
    expect(page.locator("#launch")).to_be_enabled()


def test_a_method_brings_its_settings_and_a_reload_keeps_them(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    for key, method in list(methods.METHODS.items())[:6]:
        page.select_option("#pick-method", key)
        expect(page.locator(".lab-method")).to_have_text(method.summary)
        if "learning_rate" in method.training:
            shown = page.locator("#knob-learning_rate .lab-number").input_value()
            assert float(shown) == pytest.approx(method.training["learning_rate"])
    page.wait_for_timeout(600)
    page.reload()
    expect(page.locator(".lab-method")).to_have_text(method.summary)


def test_each_tab_keeps_a_form_of_its_own(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    page.click("#tab-button-qlora")
    expect(page.locator("#knob-weights select")).to_have_value("nf4")
    page.click("#tab-button-lora")
    expect(page.locator("#knob-weights select")).to_have_value("fp32")
    assert page.locator("#pick-model").input_value() == "+folder"


def test_an_upload_is_previewed_and_its_columns_can_be_changed(
    shared_app: App, watched: Watched, base: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.jsonl"
    rows = [
        {"words": f"a {word} day {i}", "verdict": verdict, "extra": str(i)}
        for i in range(30)
        for word, verdict in (("fine", "yes"), ("poor", "no"))
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    page = opened(watched, shared_app, base)
    page.select_option("#pick-data", "+upload")
    page.set_input_files(".lab-own input[type=file]", str(file))
    expect(page.locator(".lab-data th.used")).to_have_text(["words", "verdict"], timeout=LONG)
    expect(page.locator(".lab-data p")).to_contain_text("classify")
    column = page.locator("#knob-input input")
    column.fill("extra")
    column.press("Enter")
    expect(page.locator(".lab-panel")).to_contain_text("own.jsonl", timeout=LONG)
    column.fill("nothing")
    column.press("Enter")
    expect(page.locator(".lab-panel .lab-note.error")).to_contain_text("no column 'nothing'")
