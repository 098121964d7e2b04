from __future__ import annotations

import pytest
import torch

from lab.errors import LabError
from lab.insight.attention import attention
from lab.methods import METHODS
from lab.plan import GENERATE
from tests import tiny

IDS = [5, 17, 60, 200, 31, 90]
N = 4


def adapted(family: str, method: str, n: int = N, **given: bool):
    torch.manual_seed(3)
    settings = METHODS[method].Settings(virtual_tokens=n, **given)
    made = METHODS[method].apply(tiny.model(family, GENERATE), settings, tiny.shape(family, GENERATE))
    return made.eval()


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen3", "gemma"])
def test_its_shape_and_that_no_share_is_above_one(family):
    told = attention(adapted(family, "prefix"), tiny.tokenizer(), IDS)
    assert told.weights.shape == (2, 4, len(IDS), N)
    assert float(told.weights.min()) >= 0
    assert float(told.weights.sum(-1).max()) <= 1 + 1e-6
    assert len(told.tokens) == len(IDS)


def test_it_is_the_softmax_over_prefix_and_text():
    """By hand for GPT-2's first layer: q and k from its own matrix, the prefix's keys from its parameters."""
    model = adapted("gpt2", "prefix")
    base = model.get_base_model()
    block = base.transformer.h[0]
    with torch.inference_mode():
        places = torch.arange(N, N + len(IDS))  # the text stands behind the prefix
        x = block.ln_1(base.transformer.wte(torch.tensor(IDS)) + base.transformer.wpe(places))
        q, k, _ = (part.view(len(IDS), 4, 8).transpose(0, 1) for part in block.attn.c_attn(x).split(32, dim=-1))
        prefix = model.prompt_encoder["default"].embedding.weight.view(N, 4, 4, 8)[:, 0].transpose(0, 1)
        scores = q @ torch.cat([prefix, k], 1).transpose(1, 2) / 8**0.5
        future = torch.ones(len(IDS), N + len(IDS)).triu(N + 1).bool()
        wanted = scores.masked_fill(future, -torch.inf).softmax(-1)[..., :N]
    told = attention(model, tiny.tokenizer(), IDS)
    assert torch.allclose(told.weights[0], wanted, atol=1e-5)
    assert told.by_token(0, 2) == pytest.approx(wanted[2].sum(-1).tolist(), abs=1e-5)
    assert told.by_head()[0] == pytest.approx(wanted.sum(-1).mean(-1).tolist(), abs=1e-5)


def test_the_first_token_sees_the_prefix_and_itself_only():
    told = attention(adapted("llama", "prompt"), tiny.tokenizer(), IDS)
    assert told.weights.shape == (2, 4, len(IDS), N), "the virtual tokens' own rows are left out"
    first = told.even()[0]
    assert first == N / (N + 1)
    assert told.even()[-1] == N / (N + len(IDS))


def test_means_are_means():
    told = attention(adapted("llama", "prefix"), tiny.tokenizer(), IDS)
    assert told.by_token() == pytest.approx(told.weights.sum(-1).mean((0, 1)).tolist())
    assert told.to_each(1, 3) == [pytest.approx(row) for row in told.weights[1, 3].tolist()]


def test_the_way_of_computing_is_put_back():
    model = adapted("llama", "prefix")
    before = model.get_base_model().config._attn_implementation
    attention(model, tiny.tokenizer(), IDS)
    assert model.get_base_model().config._attn_implementation == before != "eager"


def test_what_has_no_virtual_tokens_is_told():
    shape = tiny.shape("llama", GENERATE)
    lora = METHODS["lora"].apply(tiny.model("llama", GENERATE), METHODS["lora"].Settings(), shape)
    with pytest.raises(LabError, match="no virtual tokens"):
        attention(lora, tiny.tokenizer(), IDS)
    with pytest.raises(LabError, match="no text"):
        attention(adapted("llama", "prefix"), tiny.tokenizer(), [])
