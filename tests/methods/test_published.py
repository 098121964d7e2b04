"""Published parameter counts, from configurations alone: no weight is loaded."""

from __future__ import annotations

import pytest

from lab.knobs import build
from lab.methods import METHODS
from lab.models.shape import derive
from lab.plan import CLASSIFY, GENERATE


@pytest.fixture(scope="module")
def three():
    """Llama-3.2-3B."""
    from transformers import LlamaConfig

    return derive(
        LlamaConfig(
            hidden_size=3072, intermediate_size=8192, num_hidden_layers=28, num_attention_heads=24,
            num_key_value_heads=8, head_dim=128, vocab_size=128_256, tie_word_embeddings=True,
        ),
        GENERATE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def eight():
    """Llama-3.1-8B."""
    from transformers import LlamaConfig

    return derive(
        LlamaConfig(
            hidden_size=4096, intermediate_size=14_336, num_hidden_layers=32, num_attention_heads=32,
            num_key_value_heads=8, vocab_size=128_256, tie_word_embeddings=False,
        ),
        GENERATE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def roberta():
    from transformers import RobertaConfig

    return derive(
        RobertaConfig(vocab_size=50_265, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1), CLASSIFY
    )


def count(key, shape, **given):
    return METHODS[key].trainable(build(METHODS[key].Settings, given), shape)


def test_llama_3b(three):
    assert three.total == 3_212_749_824
    assert count("lora", three, rank=32) == 28 * 32 * ((3072 + 3072) + (3072 + 1024)) == 9_175_040
    assert count("prefix", three, virtual_tokens=50) == 50 * 28 * 2 * 1024 == 2_867_200


def test_llama_8b(eight):
    assert eight.total == 8_030_261_248
    assert count("full", eight) == 8_030_261_248
    assert count("lora", eight, rank=8) == 32 * 8 * ((4096 + 4096) + (4096 + 1024)) == 3_407_872
    assert count("lora", eight, rank=16, target_modules="all-linear") == 41_943_040
    assert count("layernorm", eight) == (2 * 32 + 1) * 4096
    assert count("ia3", eight) == 32 * (1024 + 1024 + 14_336)
    assert count("prompt", eight, virtual_tokens=20) == 20 * 4096


def test_roberta_base(roberta):
    """0.3M in the LoRA paper (table 2), which leaves the classification head out."""
    head = sum(item.count for item in roberta.head_parameters())
    assert count("lora", roberta, rank=8) - head == 12 * 2 * 8 * (768 + 768) == 294_912
    assert count("head", roberta) == head == 768 * 768 + 768 + 768 * 2 + 2


@pytest.mark.parametrize("factor", [2, 16])
def test_a_bottleneck(eight, factor):
    """Houlsby et al. 2019, section 2.1: 2md + d + m."""
    d, m = 4096, 4096 // factor
    assert count("bottleneck", eight, reduction_factor=factor) == 32 * (2 * m * d + d + m)
    assert count("bottleneck", eight, reduction_factor=factor, placement="houlsby") == 64 * (2 * m * d + d + m)


def test_vera(eight):
    """Kopiczko et al. 2024, table 1: L·(d_model + r) for each kind of matrix."""
    assert count("vera", eight, rank=1024, target_modules="q_proj") == 32 * (4096 + 1024)
