"""What cannot work is told before anything is loaded; what is refused would really fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.methods import METHODS
from lab.plan import CLASSIFY, GENERATE, Precision, Training
from tests import tiny
from tests.methods.cases import everywhere, settings
from tests.methods.test_quantized import refused_rightly

PLAIN = Precision()


@pytest.mark.parametrize(
    ("key", "extra", "family", "task"), everywhere(works=False), ids=lambda value: str(value).replace("'", "")
)
def test_what_is_refused_fails(key, extra, family, task):
    """What is allowed works: test_terms.py and test_contract.py."""
    method, chosen, shape = METHODS[key], settings(key, **extra), tiny.shape(family, task)
    reason = method.compatible(chosen, shape, PLAIN)
    assert reason.message.endswith(".")
    assert reason.hint
    if key in ("head", "bitfit"):
        return  # they would find nothing of their own to train, but for a new head
    refused_rightly(method, chosen, shape, tiny.model(family, task), tiny.batch(family, task))


def refusal(key: str, family: str = "llama", task: str = GENERATE, precision=PLAIN, training=None, **extra) -> str:
    reason = METHODS[key].compatible(settings(key, **extra), tiny.shape(family, task), precision, training)
    return "" if reason is None else f"{reason.message} {reason.hint}"


@pytest.mark.parametrize(
    ("key", "extra", "words"),
    [
        ("lora", {"dora": True, "precision": Precision(weights="int8")}, "DoRA does not work on int8"),
        ("lora", {"init": "pissa", "precision": Precision(weights="nf4")}, "whole weights"),
        ("lora", {"init": "pissa", "rank": 32}, "only 16 directions"),
        ("lora", {"init": "orthogonal", "rank": 3}, "even ranks"),
        ("lora", {"init": "olora", "family": "gpt2"}, "Conv1D"),
        ("lora", {"init": "mica", "dora": True}, "exclude"),
        ("lora", {"target_modules": "q_prj"}, "It has 2 layers with: q_proj"),
        ("lora", {"target_modules": "q_proj,k_prj,v_proj"}, "matches k_prj. "),
        ("lora", {"target_modules": "(q_proj"}, "not a regular expression"),
        ("lora", {"target_modules": r".*\.nothing"}, "No module"),
        ("lora", {"layers": "2"}, "in the layers 2"),
        ("lora", {"layers": "3-1"}, "no range"),
        ("lora", {"rank_pattern": "up_proj=2"}, "names none of the targeted modules"),
        ("lora", {"rank_pattern": "q_proj"}, "no pair"),
        ("lora", {"rank_pattern": "q_proj=1.5"}, "whole number"),
        ("lora", {"alpha_pattern": "q_proj=-1"}, "positive"),
        ("adalora", {"target_rank": 6}, "not below"),
        ("adalora", {"training": Training(steps=1)}, "in 1 steps"),
        ("oft", {"block_size": 5}, "Choose the block size 2 or 4 or 8"),
        ("boft", {"block_size": 4, "factors": 2}, "butterfly"),
        ("oft", {"family": "gpt2"}, "Conv1D"),
        ("prefix", {"training": Training(gradient_checkpointing=True)}, "gradient checkpointing"),
        ("prefix", {"family": "distilbert", "task": CLASSIFY}, "keys and values"),
        ("prompt", {"init": "text"}, "none is given"),
        ("prompt", {"virtual_tokens": 200, "family": "gpt2", "training": Training(max_length=128)}, "knows 256"),
        ("prompt", {"family": "t5", "task": CLASSIFY}, "words only"),
        ("bottleneck", {"placement": "parallel", "family": "bert", "task": CLASSIFY}, "no module of its own"),
        ("bitfit", {}, "no biases"),
        ("head", {"family": "gpt2"}, "shares its weights"),
        ("last_layers", {"count": 3}, "has 2 blocks"),
        ("full", {"precision": Precision(weights="nf4")}, "too coarse"),
        ("lora", {"family": "bert"}, "both directions"),
    ],
)
def test_the_reason_is_told(key, extra, words):
    assert words in refusal(key, **extra)


@pytest.mark.parametrize(
    ("key", "extra"),
    [
        ("lora", {"dora": True, "precision": Precision(weights="nf4")}),
        ("lora", {"target_modules": ".*"}),
        ("lora", {"target_modules": ".*q_proj,"}),
        ("lora", {"rank": 32, "dora": True, "rslora": True, "lora_plus": 4}),
        ("oft", {"family": "gpt2", "precision": Precision(weights="nf4")}),
        ("prompt", {"virtual_tokens": 200, "training": Training(max_length=128)}),
        ("prefix", {"training": Training()}),
        ("bitfit", {"family": "qwen2", "precision": Precision(weights="nf4")}),
        ("adalora", {"training": Training(steps=3)}),
    ],
)
def test_what_works_is_allowed(key, extra):
    assert refusal(key, **extra) == ""


def test_an_expression_that_matches_everything_takes_the_blocks_only():
    shape = tiny.shape("bert", CLASSIFY)
    method = METHODS["lora"]
    found = method.matched(settings("lora", target_modules=".*"), shape)
    assert found == shape.projections
    assert not any("pooler" in module.name or "classifier" in module.name for module in found)


def test_a_rank_above_the_matrix_is_warned_of():
    method, shape = METHODS["lora"], tiny.shape("llama", GENERATE)
    assert "no longer low-rank" in method.warnings(settings("lora", rank=64), shape)[0].message
    assert method.warnings(settings("lora", rank=16), shape) == []


def test_learned_positions_end_where_the_table_ends():
    assert tiny.shape("roberta", CLASSIFY).max_length == 255  # its table begins behind the padding's own place
    full = replace(Training(), max_length=251)
    assert "knows 255" not in refusal("prefix", "roberta", CLASSIFY, training=replace(full, max_length=250))
    assert "knows 255" in refusal("prefix", "roberta", CLASSIFY, training=full)
