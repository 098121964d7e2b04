"""The third exercise: every control moves something, every button measures something, faults are sentences."""

from __future__ import annotations

import re

import pytest

from lab.ui.tabs import adapters
from tests.ui.exercise import Exercise


@pytest.fixture
def tab(tmp_path, llama):
    made = Exercise(adapters.build, "adapters", tmp_path / "runs", llama)
    yield made
    made.close()


def first(text: str) -> int:
    return int(re.search(r"[\d,]+", text)[0].replace(",", ""))


def test_3_1_placements_are_drawn_and_trained(tab):
    tab.open()
    assert first(tab.get("placement-count")) == 4 * (2 * 2 * 32 + 32 + 2)  # two adapters in each of two layers
    assert sum(item.type == "path" for item in tab.figure("placement-picture").layout.shapes) == 4
    tab.change("placement", "pfeiffer")
    assert first(tab.get("placement-count")) == 2 * (2 * 2 * 32 + 32 + 2)
    tab.change("placement-factor", 4)
    assert first(tab.get("placement-count")) == 2 * (2 * 8 * 32 + 32 + 8)
    assert not any("pushed" in item.text for item in tab.figure("placement-picture").layout.annotations)
    tab.set(placement_steps=2)
    assert "Trained: pfeiffer" in tab.press("placement-train")
    assert [len(trace.y) for trace in tab.figure("placement-norms").data] == [2, 2, 2]
    assert "pfeiffer" in tab.get("placement-results")
    tab.change("placement-layer", 1)
    assert any("pushed" in item.text for item in tab.figure("placement-picture").layout.annotations)
    tab.open()
    assert "units are silent" in tab.get("module-shapes")


def test_3_2_the_module_and_its_count(tab):
    tab.change("module-factor", 4)
    assert "8 × 32" in tab.get("module-shapes")
    before = list(tab.figure("module-picture").data[0].y)
    tab.change("module-activation", "tanh")
    assert list(tab.figure("module-picture").data[0].y) != before
    tab.press("module-count")
    counted = tab.get("module-counted")
    assert counted.count(f"{2 * (2 * 8 * 32 + 32 + 8):,}") == 2, "by the formula and on the model"
    tab.change("module-factor", 0.001)
    assert "educ" in str(tab.get("module-shapes")), "a factor out of bounds is told in a sentence"


def test_3_3_bytes_and_switching(tab):
    tab.change("tasks-count", 100)
    assert tab.get("tasks-said").startswith("100 tasks")
    assert 100 in tab.figure("tasks-picture").data[0].x
    tab.press("tasks-weigh")
    predicted, inside = re.findall(r"\| ([\d,]+) \|", tab.get("tasks-weighed"))[:2]
    assert predicted == inside
    assert "two runs" in tab.press("switch-measure")
    tab.set(switch_steps=2)
    assert "persona" in tab.press("switch-train")
    assert tab.press("switch-measure") == ""
    assert {"persona", "sentiment"} <= set(re.findall(r"\w+", tab.get("switch-answers")))
    tab.change("switch-text", "")
    assert "no text" in tab.press("switch-measure")


def test_3_4_latency(tab):
    tab.change("latency-rank", 4)
    before = tab.get("latency-products")
    tab.change("latency-factor", 2)
    assert tab.get("latency-products") != before
    tab.set(latency_batch=["1"], latency_length=["16"])
    assert "7 rounds" in tab.press("latency-measure")
    assert [len(trace.y) for trace in tab.figure("latency-picture").data] == [1, 1, 1]
    assert "1 × 16" in tab.get("latency-numbers")
    tab.set(latency_batch=[])
    assert "nothing to time" in tab.press("latency-measure")


def test_3_5_the_hub(tab, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    tab.change("hub-base", "nonsense")
    assert "not an id" in tab.get("hub-note")
    tab.change("hub-base", "lab/tiny")
    assert "base_model:adapter:lab/tiny" in tab.get("hub-note")
    assert "HF_HUB_OFFLINE" in tab.press("hub-search")
    assert "No adapter is chosen" in tab.press("hub-ask")


def test_3_5_search_load_and_ask(tab, hub, llama, tmp_path):
    from pathlib import Path

    from tests.insight.test_adopted import saved

    def files(folder: Path) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    hub.add("lab/tiny", files(Path(llama)))
    hub.add("some/adapter", files(saved(tmp_path / "one", "lora")), tags=("base_model:adapter:lab/tiny",))
    tab.set(hub_base="lab/tiny")
    assert tab.press("hub-search") == "1 adapters."
    assert "some/adapter" in tab.get("hub-results")
    assert tab.get("hub-adapter") == "some/adapter"
    tab.set(hub_text="hi")
    assert "among your runs" in tab.press("hub-ask")
    assert tab.get("hub-answers").count("\n") == 3, "a head, a line and two answers"
    tab.press("hub-ask")
    assert len(tab.lab.runs.all()) == 1, "it is not fetched twice"
