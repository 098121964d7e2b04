"""The written-out shapes against the real classes."""

from __future__ import annotations

import pytest
from transformers import GPT2Config, LlamaConfig

from lab.insight.presets import PRESETS, gpt, llama, preset
from lab.models.shape import derive
from lab.plan import GENERATE


@pytest.mark.parametrize(("kv", "tied"), [(4, False), (2, True)])
def test_a_llama_is_what_transformers_builds(kv, tied):
    real = derive(
        LlamaConfig(
            hidden_size=64, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=kv,
            intermediate_size=96, vocab_size=100, max_position_embeddings=128, tie_word_embeddings=tied,
        ),
        GENERATE,
    )  # fmt: skip
    ours = llama(64, 3, 4, kv, 96, 100, 128, tied)
    assert {(item.name, item.shape) for item in ours.parameters} == {(i.name, i.shape) for i in real.parameters}
    assert ours.targets == real.targets
    assert [(m.name, m.role, m.inputs, m.outputs) for m in ours.projections] == [
        (m.name, m.role, m.inputs, m.outputs) for m in real.projections
    ]


def test_a_gpt_has_the_parameters_of_transformers():
    real = derive(GPT2Config(n_embd=64, n_layer=3, n_head=4, vocab_size=100, n_positions=128), GENERATE)
    assert gpt(64, 3, 4, 100, 128).total == real.total
    assert preset("GPT-2 124M").total == 124_439_808


@pytest.mark.parametrize(
    ("name", "billions"),
    [("GPT-3 175B", 174.6), ("LLaMA 65B", 65.3), ("LLaMA 7B", 6.74), ("Llama 3.1 8B", 8.03), ("Llama 3.2 3B", 3.21)],
)
def test_totals_are_the_published_ones(name, billions):
    assert preset(name).total / 1e9 == pytest.approx(billions, rel=0.002)


def test_every_preset_can_be_made():
    assert all(preset(name).total > 10**8 for name in PRESETS)
