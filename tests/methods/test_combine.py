"""Several adapters on one base: switch, combine, merge."""

from __future__ import annotations

import copy

import pytest
import torch

from lab.errors import LabError
from lab.methods import METHODS, combine
from lab.plan import CLASSIFY, GENERATE
from tests import tiny
from tests.methods.cases import allowed, grounds, settings


def disturbed(key: str, family: str, task: str, seed: int, **extra):
    """The method on a tiny model, with something in it that training could have put there."""
    method, chosen, shape = METHODS[key], settings(key, **extra), tiny.shape(family, task)
    torch.manual_seed(seed)
    model = method.apply(tiny.model(family, task), chosen, shape).eval()
    with torch.no_grad():
        for item in model.parameters():
            if item.requires_grad:
                item.add_(torch.randn_like(item) * 0.05)
    return model


def logits(model, batch):
    with torch.no_grad():
        return model(**batch).logits


MERGEABLE = [
    (key, family, task)
    for key, method in METHODS.items()
    for family, task in (("llama", GENERATE), ("gpt2", GENERATE), ("bert", CLASSIFY), ("t5", GENERATE))
    if method.mergeable and allowed(key, {}, family, task)
]


@pytest.mark.parametrize(("key", "family", "task"), MERGEABLE)
def test_merged_is_the_same_model(key, family, task):
    model = disturbed(key, family, task, 1)
    batch = tiny.batch(family, task)
    with METHODS[key].disabled(model) as base:
        plain = logits(base, batch)
    before = logits(model, batch)
    assert (before - plain).abs().max() > 1e-3  # the adapter does something
    merged = combine.merge(METHODS[key], model)
    assert (logits(merged, batch) - before).abs().max() < 1e-3 * before.abs().max()
    assert not any("lora" in name or "base_layer" in name for name, _ in merged.named_parameters())


def test_an_adapter_that_broke_is_not_merged():
    model = disturbed("lora", "llama", GENERATE, 1)
    with torch.no_grad():
        next(item for name, item in model.named_parameters() if "lora_A" in name).fill_(float("nan"))
    with pytest.raises(LabError, match="not finite"):
        combine.merge(METHODS["lora"], model)


@pytest.mark.parametrize("key", [key for key, method in METHODS.items() if not method.mergeable])
def test_what_cannot_be_merged_says_so(key):
    model = disturbed(key, "llama", GENERATE, 1)
    with pytest.raises(LabError, match="cannot be merged"):
        combine.merge(METHODS[key], model)


@pytest.mark.parametrize("key", [key for key in METHODS if key not in ("full", "bitfit", "last_layers", "head")])
def test_adapters_are_switched_without_loading_the_base_again(key, tmp_path):
    family = "llama"
    batch = tiny.batch(family, GENERATE)
    expected = {}
    for number, name in enumerate(("first", "second")):
        model = disturbed(key, family, GENERATE, number)
        METHODS[key].save(model, tmp_path / name)
        expected[name] = logits(model, batch)
    assert (expected["first"] - expected["second"]).abs().max() > 1e-3
    both = METHODS[key].load(tiny.model(family, GENERATE), tmp_path / "first")
    combine.attach(both, "second", tmp_path / "second")
    for name, adapter in (("second", "second"), ("first", "default"), ("second", "second")):
        combine.switch(both, adapter)
        torch.testing.assert_close(logits(both, batch), expected[name], rtol=1e-4, atol=1e-5)
    assert not any(item.requires_grad for item in both.parameters())


@pytest.fixture(scope="module")
def two_loras():
    model = disturbed("lora", "llama", GENERATE, 0)
    other = disturbed("lora", "llama", GENERATE, 1)
    model.add_adapter("other", copy.deepcopy(other.peft_config["default"]))
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, item in other.named_parameters():
            if "lora_" in name:
                own[name.replace(".default", ".other")].copy_(item)
    return model


def update(model, name):
    """The change of a weight matrix under the adapters that act."""
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    return layer.get_delta_weight(name)


@pytest.mark.parametrize("kind", combine.KINDS)
def test_every_kind_of_combination(two_loras, kind):
    torch.manual_seed(0)
    combine.combine(two_loras, {"default": 0.7, "other": 0.3}, kind, density=0.5)
    assert two_loras.active_adapters == ["combined"]
    delta = update(two_loras, "combined")
    assert torch.isfinite(delta).all()
    assert delta.abs().max() > 0
    if kind == "cat":
        wanted = 0.7 * update(two_loras, "default") + 0.3 * update(two_loras, "other")
        torch.testing.assert_close(delta, wanted, rtol=1e-4, atol=1e-6)


def test_svd_of_full_rank_is_the_sum(two_loras):
    if "combined" in two_loras.peft_config:
        combine.switch(two_loras, "default")
        two_loras.delete_adapter("combined")
    two_loras.add_weighted_adapter(["default", "other"], [0.7, 0.3], "combined", combination_type="svd", svd_rank=8)
    wanted = 0.7 * update(two_loras, "default") + 0.3 * update(two_loras, "other")
    torch.testing.assert_close(update(two_loras, "combined"), wanted, rtol=1e-3, atol=1e-5)


def test_what_cannot_be_combined_says_so(two_loras):
    with pytest.raises(LabError, match="no adapter 'third'"):
        combine.combine(two_loras, {"third": 1.0}, "linear")
    with pytest.raises(LabError, match="no combination 'mean'"):
        combine.combine(two_loras, {"default": 1.0}, "mean")
    with pytest.raises(LabError, match="no adapter 'third'"):
        combine.switch(two_loras, "third")
    bottleneck = disturbed("bottleneck", "llama", GENERATE, 0)
    with pytest.raises(LabError, match="Only LoRA"):
        combine.combine(bottleneck, {"default": 1.0}, "linear")


def test_heads_cannot_be_combined(tmp_path):
    METHODS["lora"].save(disturbed("lora", "bert", CLASSIFY, 0), tmp_path / "a")
    METHODS["lora"].save(disturbed("lora", "bert", CLASSIFY, 1), tmp_path / "b")
    model = METHODS["lora"].load(tiny.model("bert", CLASSIFY), tmp_path / "a")
    combine.attach(model, "b", tmp_path / "b")
    with pytest.raises(LabError, match="head"):
        combine.combine(model, {"default": 0.5, "b": 0.5}, "cat")


def test_unequal_ranks(tmp_path):
    METHODS["lora"].save(disturbed("lora", "llama", GENERATE, 0), tmp_path / "a")
    METHODS["lora"].save(disturbed("lora", "llama", GENERATE, 1, rank=2), tmp_path / "b")
    model = METHODS["lora"].load(tiny.model("llama", GENERATE), tmp_path / "a")
    combine.attach(model, "b", tmp_path / "b")
    with pytest.raises(LabError, match="same rank"):
        combine.combine(model, {"default": 0.5, "b": 0.5}, "linear")
    combine.combine(model, {"default": 0.5, "b": 0.5}, "cat")
    with pytest.raises(LabError, match="cannot be called"):
        combine.attach(model, "b", tmp_path / "b")


def test_an_adapter_of_another_base_says_which_dimension(tmp_path):
    METHODS["lora"].save(disturbed("lora", "llama", GENERATE, 0), tmp_path / "a")
    with pytest.raises(LabError, match=r"\(\d+, 4\)|\(4, \d+\)"):
        METHODS["lora"].load(tiny.model("qwen3", GENERATE), tmp_path / "a")
    assert len(grounds()) == 19
