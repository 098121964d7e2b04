from __future__ import annotations

import pytest
import torch
from transformers import DynamicCache

from lab.errors import LabError
from lab.insight.ablation import Ablated, ablate, hidden, loss
from lab.insight.attention import eager
from lab.plan import GENERATE
from tests import tiny
from tests.insight.test_attention import IDS, N, adapted

FAMILIES = ["llama", "gpt2", "qwen3"]


def batch():
    ids = torch.tensor([IDS])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}


def by_hand(model, keep: list[list[int]]) -> torch.Tensor:
    """The logits with only these virtual tokens in the cache of each layer, the text at the places that it had."""
    base = model.get_base_model()
    layers = len(keep)
    flat = model.prompt_encoder["default"].embedding.weight
    heads = flat.shape[1] // (2 * layers) // 8 if flat.shape[1] // (2 * layers) % 8 == 0 else 1
    cache = DynamicCache()
    width = model.active_peft_config.token_dim // model.active_peft_config.num_attention_heads
    heads = model.active_peft_config.num_attention_heads
    parts = flat.view(N, 2 * layers, heads, width)
    for layer, places in enumerate(keep):
        key, value = (parts[places, 2 * layer + half].transpose(0, 1)[None] for half in (0, 1))
        cache.update(key, value, layer)
    places = torch.arange(N, N + len(IDS))[None]
    return base(input_ids=torch.tensor([IDS]), past_key_values=cache, position_ids=places).logits


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("gone", [0, 3])
def test_a_hidden_token_is_as_if_it_had_never_been(family, gone):
    model = adapted(family, "prefix")
    rest = [place for place in range(N) if place != gone]
    with torch.inference_mode(), eager(model):
        wanted = by_hand(model, [rest, rest])
        whole = model(input_ids=torch.tensor([IDS])).logits
        with hidden(model, tiny.shape(family, GENERATE), [gone]):
            without = model(input_ids=torch.tensor([IDS])).logits
        again = model(input_ids=torch.tensor([IDS])).logits
    assert torch.allclose(without, wanted, atol=1e-5)
    assert not torch.allclose(without, whole, atol=1e-4)
    assert torch.equal(again, whole), "the model is whole again afterwards"


@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_without_any_the_base_speaks(family):
    model = adapted(family, "prefix")
    with torch.inference_mode(), eager(model):
        with hidden(model, tiny.shape(family, GENERATE), range(N)):
            without = model(input_ids=torch.tensor([IDS])).logits
        base = model.get_base_model()(input_ids=torch.tensor([IDS])).logits
    assert torch.allclose(without, base, atol=1e-4), "these positions are relative, so the shift does not show"


def test_one_layer_alone():
    model = adapted("llama", "prefix")
    shape = tiny.shape("llama", GENERATE)
    with torch.inference_mode(), eager(model):
        with hidden(model, shape, range(N), [1]):
            upper = model(input_ids=torch.tensor([IDS])).logits
        with hidden(model, shape, range(N), [0]):
            lower = model(input_ids=torch.tensor([IDS])).logits
        with hidden(model, shape, range(N), [0, 1]):
            both = model(input_ids=torch.tensor([IDS])).logits
        with hidden(model, shape, range(N)):
            everywhere = model(input_ids=torch.tensor([IDS])).logits
    assert torch.equal(both, everywhere)
    assert not torch.allclose(upper, lower, atol=1e-4)


def test_it_goes_through_every_layer_and_token():
    model, shape = adapted("llama", "prefix"), tiny.shape("llama", GENERATE)
    steps = list(ablate(model, shape, batch()))
    last = steps[-1]
    assert [(len(item.layers), len(item.tokens)) for item in steps] == [
        (1, 0),
        (2, 0),
        (2, 1),
        (2, 2),
        (2, 3),
        (2, 4),
    ]
    assert last.whole == pytest.approx(loss(model, batch()), abs=1e-5)
    with eager(model), hidden(model, shape, [2]):
        assert last.tokens[2] == pytest.approx(loss(model, batch()), abs=1e-6)
    tokens, layers = last.changes()
    assert tokens[2] == last.tokens[2] - last.whole
    assert layers[1] == last.layers[1] - last.whole


def test_prompt_tuning_can_be_ablated_too():
    model, shape = adapted("llama", "prompt"), tiny.shape("llama", GENERATE)
    last = list(ablate(model, shape, batch()))[-1]
    assert isinstance(last, Ablated)
    assert len(set(last.tokens)) > 1
    with pytest.raises(LabError, match="no virtual tokens"):
        next(ablate(tiny.model("llama", GENERATE), shape, batch()))
