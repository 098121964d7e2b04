"""The page of the methods is what the descriptors say, and importing them loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from lab.knobs import knobs
from lab.methods import METHODS, default_plan, docs, others, settings, with_values
from lab.methods.base import FAMILIES, Config


def test_the_page_is_current():
    assert docs.PAGE.read_text(encoding="utf-8") == docs.page(), "run python -m lab.methods.docs"


@pytest.mark.parametrize("key", METHODS)
def test_every_method_is_described_whole(key):
    method = METHODS[key]
    assert method.key == key
    assert method.family in FAMILIES
    assert method.summary.endswith(".")
    assert method.formula
    assert method.lesson
    assert method.tasks
    assert method.training["learning_rate"] > 0
    assert method.paper or method.family == "baseline"
    if method.paper:
        assert method.paper.url.startswith("https://arxiv.org/abs/")
        assert method.paper.place
    for item in knobs(method.Settings):
        assert item.help.endswith("."), item.name
        assert item.coerce(item.default) == item.default, item.name
    assert len(knobs(method.Settings)) == len(method.Settings.__dataclass_fields__)


@pytest.mark.parametrize("key", METHODS)
def test_the_description_is_plain_json(key):
    told = json.loads(json.dumps(docs.describe(key)))
    assert told["key"] == key
    assert [item["name"] for item in told["settings"]] == [item.name for item in knobs(METHODS[key].Settings)]


@pytest.mark.parametrize("key", METHODS)
def test_a_default_plan_survives_its_link(key):
    plan = default_plan(key)
    again = type(plan).from_link(plan.to_link())
    assert settings(again) == settings(plan)
    assert with_values(plan, {"steps": 3}).training.steps == 3


def test_a_configuration_is_printed_as_it_is_built():
    config = Config("LoraConfig", {"r": 4, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM"})
    names: dict = {}
    exec(f"from {config.module} import {config.cls}\nmade = {config.source()}", names)
    assert names["made"].to_dict() == config.build().to_dict()


def test_importing_the_methods_loads_no_torch():
    code = "import sys, lab.methods, lab.methods.combine, lab.methods.docs, lab.models.shape\n" + (
        "assert not {'torch', 'peft', 'transformers', 'gradio', 'bitsandbytes'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_other_type_has_settings_of_its_own():
    found = others()
    assert len(found) >= 30
    assert not {method.title for method in found.values()} & {"Lora", "Bottleneck"}
    for method in found.values():
        assert method.Settings()
        assert {item.name for item in knobs(method.Settings)} <= set(method.fields)
