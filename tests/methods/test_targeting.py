"""A person's expressions become names of modules before peft hears of them."""

from __future__ import annotations

import json
import re
import warnings
from typing import Any

import pytest
from peft.utils.other import get_pattern_key

from lab.errors import LabError
from lab.knobs import build, knobs
from lab.methods import METHODS, others
from lab.methods.base import Config
from lab.methods.targeting import TargetedMethod, spelled_out
from lab.models.shape import ModelShape
from lab.plan import GENERATE, Precision
from tests import tiny
from tests.alarm import within
from tests.methods.cases import SMALL
from tests.methods.test_other import FIT
from tests.models.test_patterns import CATASTROPHIC

#: The number that a field by module stands in for, by type and field. Another field must be added here, where it is
#: held that its expressions are resolved.
BY_MODULE = {
    ("peft:c3a", "block_size_pattern"): "block_size",
    ("peft:delora", "rank_pattern"): "r",
    ("peft:delora", "lambda_pattern"): "delora_lambda",
    ("peft:fourierft", "n_frequency_pattern"): "n_frequency",
    ("peft:hira", "rank_pattern"): "r",
    ("peft:loha", "rank_pattern"): "r",
    ("peft:loha", "alpha_pattern"): "alpha",
    ("peft:lokr", "rank_pattern"): "r",
    ("peft:lokr", "alpha_pattern"): "alpha",
    ("peft:osf", "rank_pattern"): "effective_rank",
    ("peft:waveft", "n_frequency_pattern"): "n_frequency",
}

#: Those of which the number decides how many parameters are trained. (HiRA's layers of peft 0.21 do not use theirs.)
COUNTED = {
    (key, name): number
    for (key, name), number in BY_MODULE.items()
    if number not in ("alpha", "delora_lambda") and key != "peft:hira"
}

#: Types whose targets are no projections, or that need what a plan does not hold.
ELSEWHERE = ("peft:adaption_prompt", "peft:shadow", "peft:poly", "peft:trainable_tokens")


def typed(key: str, **given: Any) -> Any:
    method = METHODS.get(key) or others()[key]
    return build(method.Settings, {**SMALL.get(key, {}), **FIT.get(key, {}), **given})


def config(key: str, shape: ModelShape, **given: Any) -> Config:
    method: Any = METHODS.get(key) or others()[key]
    return method.config(typed(key, **given), shape)


def test_every_field_by_module_is_known() -> None:
    found = {
        (key, name)
        for key, method in others().items()
        for name in (item.name for item in knobs(method.Settings))
        if "pattern" in name
    }
    assert found == set(BY_MODULE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("key", "name"), sorted(COUNTED))
@pytest.mark.parametrize("family", ["llama", "t5"])
def test_peft_gives_the_modules_what_the_expression_says(key: str, name: str, family: str) -> None:
    """The same as with that number for all, at the modules that match; the default's at the others."""
    method, shape = others()[key], tiny.shape(family, GENERATE)
    default, other = (8, 4) if name == "block_size_pattern" else (4, 2)
    number = COUNTED[key, name]
    layer = next(str(item.layer) for item in shape.projections)
    expression = rf".*\.{layer}\..*q(_proj)?"

    def counts(**given: Any) -> dict[str, int]:
        model = method.apply(tiny.model(family, GENERATE), typed(key, **given), shape)
        found: dict[str, int] = {}
        for parameter, item in model.named_parameters():
            module = next((m.name for m in shape.projections if f".{m.name}." in parameter), "")
            found[module] = found.get(module, 0) + item.numel() * item.requires_grad
        return found

    def by_module(given: str) -> dict[str, Any]:
        return {number: default, name: given}

    mixed = counts(**by_module(json.dumps({expression: other})))
    plain, changed = counts(**{number: default}), counts(**{number: other})
    matched = {item.name for item in shape.projections if re.fullmatch(expression, item.name)}
    assert any(plain[module] != changed[module] for module in matched & plain.keys())
    for module, count in mixed.items():
        assert count == (changed if module in matched else plain)[module], module


@pytest.mark.parametrize(("key", "name"), sorted(set(BY_MODULE) - set(COUNTED)))
def test_numbers_that_count_nothing_are_found_too(key: str, name: str) -> None:
    shape = tiny.shape("bert", GENERATE)
    keys = config(key, shape, **{name: json.dumps({r".*\.1\..*query": 3, "value": 5})}).arguments[name]
    for module in others()[key].matched(typed(key), shape):
        expected = 5 if module.role == "value" else 3 if module.layer == 1 else None
        assert keys.get(get_pattern_key(keys, module.name)) == expected


@pytest.mark.parametrize("family", ["llama", "bert", "gpt2", "t5"])
def test_ranks_and_alphas_of_lora_are_names(family: str) -> None:
    shape = tiny.shape(family, GENERATE)
    method: Any = METHODS["lora"]
    given = {"target_modules": "all-linear", "rank_pattern": r".*\.1\..*=2", "alpha_pattern": f"{shape.targets[0]}=3"}
    arguments = config("lora", shape, **given).arguments
    names = {re.escape(module.name) for module in shape.projections} | {re.escape(name) for name in shape.targets}
    assert set(arguments["rank_pattern"]) <= names
    assert list(arguments["alpha_pattern"]) == [re.escape(shape.targets[0])]
    chosen = typed("lora", **given)
    model = method.apply(tiny.model(family, GENERATE), chosen, shape)
    trained = {name: item.shape for name, item in model.named_parameters() if ".lora_A." in name}
    for module in shape.projections:
        rank = 2 if ".1." in module.name else 4
        assert trained[f"base_model.model.{module.name}.lora_A.default.weight"][0] == rank
        assert method.module_terms(module, chosen, shape)[0].shape[0] == rank


def test_one_name_stands_for_modules_that_share_a_number() -> None:
    shape = tiny.shape("llama", GENERATE)
    modules = shape.matching(("q_proj", "v_proj"))
    assert spelled_out({".*(q|v)_proj": 4}, modules, shape) == {"q_proj": 4, "v_proj": 4}
    assert spelled_out({r".*0\..*q_proj": 4}, modules, shape) == {r"model\.layers\.0\.self_attn\.q_proj": 4}
    assert spelled_out({r".*0\..*": 4, "q_proj": 8}, modules, shape) == {
        r"model\.layers\.0\.self_attn\.q_proj": 4,
        r"model\.layers\.1\.self_attn\.q_proj": 8,
        r"model\.layers\.0\.self_attn\.v_proj": 4,
    }
    with pytest.raises(LabError, match="'k_proj' names none"):
        spelled_out({"k_proj": 4}, modules, shape)


TARGETED = [key for key, method in {**METHODS, **others()}.items() if isinstance(method, TargetedMethod)]


def fields() -> list[tuple[str, str]]:
    """Every setting of a method that takes expressions."""
    names = ("target_modules", "exclude_modules")
    return [
        (key, item.name)
        for key in TARGETED
        for item in knobs((METHODS.get(key) or others()[key]).Settings)
        if item.name in names or item.name.endswith("_pattern")
    ]


def written(key: str, name: str, text: str) -> str:
    """The expression as the setting takes it."""
    if not name.endswith("_pattern"):
        return text
    return f"{text}=4" if key in METHODS else json.dumps({text: 4})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("key", "name"), fields())
def test_no_expression_keeps_the_lab_busy(key: str, name: str) -> None:
    method, shape = METHODS.get(key) or others()[key], tiny.shape("llama", GENERATE)
    for text in CATASTROPHIC:
        with within(20), warnings.catch_warnings():
            chosen = typed(key, **{name: written(key, name, text)})
            reason = method.compatible(chosen, shape, Precision())
            assert reason is not None or name == "exclude_modules"


@pytest.mark.parametrize(("key", "name"), fields())
def test_peft_is_handed_names_alone(key: str, name: str) -> None:
    """In every argument that peft matches, an escaped name and no other sign of an expression."""
    if key in ELSEWHERE:
        return
    shape = tiny.shape("llama", GENERATE)
    arguments = config(key, shape, **{name: written(key, name, r".*[01]\..*(q|v)_proj")}).arguments
    assert "exclude_modules" not in arguments
    assert isinstance(arguments["target_modules"], list)
    texts = list(arguments["target_modules"])
    for field, value in arguments.items():
        texts += value if field.endswith("_pattern") else []
    known = {text for item in shape.projections for text in (item.name, shape.short(item))}
    known |= {write(text) for text in known for write in (re.escape, lambda text: rf"(^|\.){text}$")}
    assert set(texts) <= known


EXCLUDING = [key for key, name in fields() if name == "exclude_modules" and key not in ELSEWHERE]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", EXCLUDING)
@pytest.mark.parametrize("excluded", ['["v_proj"]', r".*\.0\..*"])
def test_excluded_modules_are_left_out(key: str, excluded: str) -> None:
    method, shape = others()[key], tiny.shape("llama", GENERATE)
    chosen = typed(key, exclude_modules=excluded)
    left = [module.name for module in method.matched(chosen, shape)]
    assert left == [
        item.name
        for item in shape.matching(shape.attention_inputs())
        if (item.role == "query" if excluded == '["v_proj"]' else item.layer == 1)
    ]
    reached = {term.module for term in method.terms(chosen, shape)}
    assert {
        module for module in (m.name for m in shape.projections) if any(module in name for name in reached)
    } <= set(left)


@pytest.mark.filterwarnings("ignore")
def test_layers_and_excluded_modules_hold_together() -> None:
    shape = tiny.shape("llama", GENERATE)
    chosen = typed("peft:loha", exclude_modules='["v_proj"]', layers_to_transform="[1]")
    assert [m.name for m in others()["peft:loha"].matched(chosen, shape)] == ["model.layers.1.self_attn.q_proj"]
    assert {term.module for term in others()["peft:loha"].terms(chosen, shape)} == {"model.layers.1.self_attn.q_proj"}
    for wrong in ('["a"]', "[true]", '{"a": 1}', "nonsense"):
        reason = others()["peft:loha"].compatible(typed("peft:loha", layers_to_transform=wrong), shape, Precision())
        assert "no list of layers" in str(reason)
