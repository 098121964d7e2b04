"""The search of presets: what it tries, what it takes, and that the file holds only what the methods know."""

from __future__ import annotations

import json

import pytest

from benchmarks.embedded.presets import table, trial
from benchmarks.presets import FINALISTS, SEEDS, TOKENS, attempt, best, candidates, finals, logged, pace, pairs
from lab import methods
from lab.data.catalogue import datasets
from lab.methods.presets import _found
from lab.plan import Data


def result(rate, score, general=1.2, seed=0, steps=40):
    loose = {"learning_rate": rate, "steps": steps, "eval_every": 0}
    figures = {"score": score, "general": general, "loss": 1.0}
    return {"set": "intent", "method": "lora", "loose": loose, "seed": seed, **figures}


def test_candidates_are_multiples_of_the_methods_own_rate():
    own = methods.method("lora").training["learning_rate"]
    tried = candidates("intent", "lora", factors=(1, 3), trial=40)
    assert [item["learning_rate"] for item in tried] == [own, pytest.approx(3 * own)] * 2
    assert [item.get("target_modules") for item in tried] == [None, None, "all-linear", "all-linear"]
    assert {item["steps"] for item in tried} == {40}


def test_virtual_tokens_have_more_and_smaller_steps_and_variants_of_their_own():
    tried = candidates("persona", "prefix", factors=(1,))
    assert {(item["steps"], item["batch_size"]) for item in tried} == {TOKENS["persona"]}
    assert [item.get("projection", False) for item in tried] == [False, True]


def test_of_the_best_the_one_that_forgets_least_is_taken_with_the_presets_steps():
    found = best([result(1e-3, 0.80, 1.30), result(3e-3, 0.79, 1.22), result(1e-2, 0.60, 1.20)])
    assert found["intent"]["lora"] == {"learning_rate": 3e-3, "steps": 300, "eval_every": 75}


def test_the_best_and_what_forgets_less_train_with_the_other_seeds():
    runs = [result(1e-3, 0.79, 1.20), result(2e-3, 0.80, 1.30), result(3e-3, 0.81, 1.40), result(4e-3, 0.805, 1.35)]
    told = finals([*runs, result(1e-2, 0.60, 1.10)])
    assert len(told) == FINALISTS * len(SEEDS)
    assert {loose["learning_rate"] for _, _, loose, _ in told} == {3e-3, 4e-3, 1e-3}


def test_what_was_good_with_one_seed_only_is_not_taken():
    runs = [result(1e-3, score, seed=seed) for seed, score in enumerate((0.80, 0.60, 0.61))]
    runs += [result(3e-3, score, seed=seed) for seed, score in enumerate((0.78, 0.79, 0.77))]
    assert best([*runs, result(1e-2, 0.99)])["intent"]["lora"]["learning_rate"] == 3e-3


def test_a_run_that_failed_is_logged_and_not_taken(tmp_path):
    told = attempt(("intent", "bitfit", {"learning_rate": 1e-2, "steps": 1, "eval_every": 0}, 0))
    assert "no biases" in told["error"]
    file = tmp_path / "log.jsonl"
    assert logged(file) == []
    file.write_text(json.dumps(told) + "\n", encoding="utf-8")
    assert best(logged(file)) == {}


def test_a_preset_is_found_again_in_the_log():
    longer = result(3e-3, 0.9, steps=90)
    tried = pairs([result(1e-3, 0.5), longer, result(3e-3, 0.7), result(3e-3, 0.6, seed=1)])["intent", "lora"]
    for steps, score in ((40, 0.65), (60, 0.65), (90, 0.9)):  # 40 is nearest to 60
        found = trial(tried, {"learning_rate": 3e-3, "steps": steps})
        assert found
        assert found["score"] == pytest.approx(score)
    assert trial(tried, {"learning_rate": 3e-3, "target_modules": "all-linear", "steps": 40}) is None


def test_the_table_has_a_row_for_each_preset():
    rows = [line for line in table() if line.startswith("| ")][1:]
    assert len(rows) == sum(map(len, _found().values()))


@pytest.mark.parametrize("name", datasets())
def test_presets_are_settings_that_their_methods_have(name):
    for key, loose in _found().get(name, {}).items():
        plan = methods.default_plan(key, data=Data(source=name))
        assert plan.training.learning_rate == loose["learning_rate"]
        assert plan.training.steps == pace(name, key)["steps"]
        assert plan.training.batch_size == pace(name, key)["batch_size"]
        methods.settings(plan)
