"""A page whose lab asks a double of the Hub: what strangers publish is found, tried, and never executed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lab import methods
from lab.methods import METHODS
from lab.plan import GENERATE, Data
from tests import tiny
from tests.browser.conftest import App, Watched
from tests.browser.exercises import Lesson
from tests.hub_double import HubDouble

HOSTILE = "<img src=x onerror='window.hacked=1'>"


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@pytest.fixture
def hub() -> Iterator[HubDouble]:
    with HubDouble() as double:
        yield double


def test_what_strangers_publish_is_found_tried_and_only_text(
    hub: HubDouble, watched: Watched, base: Path, tmp_path: Path
) -> None:
    hub.add("lab/tiny", files(base))
    hub.add("lab/odd", {"config.json": json.dumps({"model_type": HOSTILE, "architectures": [HOSTILE]}).encode()})
    lora = METHODS["lora"]
    adapted = lora.apply(tiny.model("llama", GENERATE), lora.Settings(), tiny.shape("llama", GENERATE))
    lora.save(adapted, tmp_path / "adapter")
    published = files(tmp_path / "adapter")
    told = json.loads(published["adapter_config.json"]) | {"base_model_name_or_path": HOSTILE, "revision": HOSTILE}
    tags = ("base_model:adapter:lab/tiny", HOSTILE)
    hub.add("somebody/adapter", published | {"adapter_config.json": json.dumps(told).encode()}, tags=tags)
    hub.add(HOSTILE, published, tags=tags, downloads=9)

    app = App(tmp_path / "runs", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0", HF_HOME=str(tmp_path / "hub")).start()
    try:
        page = watched.page
        odd = methods.default_plan("lora", model="lab/odd", data=Data(source="sentiment"))
        page.goto(f"{app.url}/?tab=adapters&plan={odd.to_link()}")
        expect(page.locator(".lab-panel")).to_contain_text("does not know")

        lesson = Lesson(page, "adapters")
        lesson.open("3.5")
        page.locator("#hub-base textarea, #hub-base input").first.fill("lab/tiny")
        lesson.text("hub-note", "base_model:adapter:lab/tiny")
        assert lesson.press("hub-search") == "2 adapters."
        assert HOSTILE in lesson.text("hub-results", "somebody/adapter")
        choice = page.locator("#hub-adapter input")
        expect(choice).to_have_value(HOSTILE)
        assert "No adapter is chosen" in lesson.press("hub-ask")
        choice.fill("somebody/adapter")
        choice.press("Enter")
        assert "It is among your runs now" in lesson.press("hub-ask")
        lesson.text("hub-answers", "somebody/adapter")
        page.click("#tab-button-runs")
        expect(page.locator(".lab-runs tbody tr")).to_contain_text(["somebody/adapter"])
        assert page.evaluate("window.hacked") is None
        assert not watched.faults
        assert not watched.foreign
    finally:
        app.stop()
