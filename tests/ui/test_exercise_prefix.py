"""The fourth exercise: every control moves something, every button measures something, faults are sentences."""

from __future__ import annotations

import pytest

from lab.ui.tabs import prefix
from tests.ui.exercise import Exercise


@pytest.fixture
def tab(tmp_path, llama):
    made = Exercise(prefix.build, "prefix", tmp_path / "runs", llama)
    yield made
    made.close()


def test_4_1_numbers(tab):
    tab.open()
    assert "1,280" in tab.get("numbers-said")  # 20 tokens · 2 layers · 2 · 2 heads · 8
    tab.change("numbers-tokens", 7)
    assert "448" in tab.get("numbers-said")
    tab.change("numbers-projection", True)
    assert "While training" in tab.get("numbers-said")
    tab.change("numbers-projection", False)
    tab.press("numbers-count")
    assert tab.get("numbers-counted").count("| 448 |") == 2
    for wrong in (0, 10_000, None):
        tab.change("numbers-tokens", wrong)
        assert "tokens ×" not in str(tab.get("numbers-said"))


def test_4_2_attention_and_ablation(tab):
    assert "Press the button" in tab.press("ablation-measure")
    tab.set(attention_tokens=6, attention_steps=2)
    assert "prefix" in tab.press("attention-train")
    heads = tab.figure("attention-heads").data[0].z
    assert (len(heads), len(heads[0])) == (2, 4)
    bars = tab.figure("attention-tokens-bars").data[0].y
    tab.change("attention-text", "Hello!")
    assert len(tab.figure("attention-tokens-bars").data[0].y) != len(bars)
    mean = list(tab.figure("attention-tokens-bars").data[0].y)
    tab.change("attention-layer", "1")
    assert list(tab.figure("attention-tokens-bars").data[0].y) != mean
    tab.change("attention-head", "2")
    assert len(tab.figure("attention-each").data[0].z[0]) == 6
    frame = tab.figure("attention-heads").layout.shapes[0]
    assert (frame.x0, frame.y0) == (1.5, 0.5)
    tab.change("attention-text", "")
    assert "no text" in str(tab.get("attention-heads"))
    tab.set(ablation_rows=4)
    assert "2 layers and 6 virtual tokens" in tab.press("ablation-measure")
    assert [len(trace.y) for trace in tab.figure("ablation-picture").data] == [2, 6]


def test_4_3_places(tab):
    tab.change("where-tokens", 5)
    assert "5 × 2 × 8" in tab.get("where-said")
    tab.press("where-save")
    assert "5 × 64" in tab.get("where-saved")
    tab.change("where-kind", "prompt")
    assert "5 × 32" in tab.get("where-said")
    tab.press("where-save")
    assert "5 × 32" in tab.get("where-saved")


def test_4_4_families(tab):
    tab.change("families-tokens", 5)
    assert "320" in tab.get("families-facts")
    assert len(tab.figure("families-picture").data[0].x) == 3
    tab.set(families_steps=3)
    assert "bottleneck" in tab.press("families-train")
    assert [len(trace.y) for trace in tab.figure("families-curves").data] == [3, 3, 3]
    assert all(name in tab.get("families-results") for name in ("lora", "bottleneck", "prefix", "320"))


def test_4_5_styles(tab):
    assert "Two trained prefixes" in tab.press("styles-speak")
    tab.set(styles_names=["persona"])
    with pytest.raises(Exception, match="data sets"):
        tab.press("styles-train")
    tab.set(styles_names=["persona", "data_to_text"], styles_steps=2, styles_tokens=4)
    tab.press("styles-train")
    tab.set(styles_weight=0.25, styles_prompt="hi")
    tab.press("styles-speak")
    assert "75% data_to_text + 25% persona" in tab.get("styles-said")
    assert "9 of 9" in tab.press("styles-measure")
    first, second = tab.figure("styles-line").data
    assert len(first.y) == len(second.y) == 9


def test_4_6_prompts_and_words(tab):
    tab.change("prompts-tokens", 4)
    assert "P-tuning" in tab.get("prompts-facts")
    tab.set(prompts_steps=2)
    assert "ptuning" in tab.press("prompts-train")
    for kind in ("prompt", "ptuning"):
        tab.set(nearest_kind=kind)
        tab.press("nearest-find")
        assert "random direction" in tab.get("nearest-words")
        assert len(tab.figure("nearest-picture").data[0].y) == 4
    tab.set(nearest_kind="prefix")
    assert "no word vectors" in tab.press("nearest-find")
