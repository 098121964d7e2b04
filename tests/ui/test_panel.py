from pathlib import Path

import pytest

from lab import methods
from lab.errors import LabError
from lab.models import loading
from lab.plan import CLASSIFY, Data, Precision, Training
from lab.ui.bench import form, panel


def seen(base: Path, key: str = "lora", source: str = "persona", **parts: object) -> dict:
    plan = methods.default_plan(key, model=str(base), data=Data(source), **parts)
    return panel.see(form.form(plan))


@pytest.mark.parametrize("key", methods.METHODS)
def test_the_drawn_groups_hold_every_trained_number(key: str, base: Path) -> None:
    told = seen(base, key, "sentiment")
    if told["reason"]:
        assert told["reason"]["message"]
        return
    total = sum(
        item["total"] if item.get("rest") else item["count"] * sum(term["count"] for term in item["terms"])
        for item in told["groups"]
    )
    method = methods.METHODS[key]
    shape = loading.shape(str(base), CLASSIFY, 2)
    assert total == told["totals"]["trainable"] == method.trainable(method.Settings(), shape) > 0


def test_equal_blocks_are_drawn_once(base: Path) -> None:
    groups = seen(base)["groups"]
    assert [(item["label"], item["count"]) for item in groups] == [("q_proj", 2), ("v_proj", 2)]
    query = groups[0]
    assert (query["d"], query["k"]) == (32, 32)
    assert {term["name"]: term["shape"] for term in query["terms"]} == {"A": [8, 32], "B": [32, 8]}
    assert not query["itself"]


def test_a_method_that_trains_the_bases_own_weights_adds_none(base: Path) -> None:
    groups = seen(base, "full", "sentiment")["groups"]
    assert all(item.get("rest") or item["itself"] or item["head"] for item in groups)


def test_the_head_is_told_apart(base: Path) -> None:
    told = seen(base, source="sentiment")
    assert told["totals"]["head"] == 2 * 32
    assert [item["label"] for item in told["groups"] if item["head"]] == ["score"]
    assert seen(base, source="persona")["totals"]["head"] == 0


def test_an_epoch_is_told_in_steps(base: Path) -> None:
    training = Training(steps=0, epochs=2.0, batch_size=10, accumulation=2)
    told = panel.see(
        form.form(methods.default_plan("lora", model=str(base), data=Data("persona", rows=100), training=training))
    )
    assert told["data"]["steps"] == 10
    assert told["data"]["passes"] == pytest.approx(2.0)


def test_what_cannot_run_has_a_reason_and_what_is_unwise_a_warning(base: Path) -> None:
    full = seen(base, "full", precision=Precision(weights="nf4"))
    assert "cannot be trained" in full["reason"]["message"]
    none = panel.see(
        form.given(form.form(methods.default_plan("lora", model=str(base))), {"target_modules": "nowhere"})
    )
    assert "nowhere" in none["reason"]["message"]
    wide = seen(base, settings={"rank": 64})
    assert wide["reason"] is None
    assert "low-rank" in wide["warnings"][0]["message"]
    long = seen(base, training=Training(max_length=4096))
    assert "256 tokens" in long["warnings"][0]["message"]


def test_a_model_that_is_nowhere_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="does not exist"):
        seen(tmp_path / "nothing")
