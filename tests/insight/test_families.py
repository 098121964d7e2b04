from __future__ import annotations

import pytest

from lab.insight.families import place
from lab.methods import METHODS
from lab.plan import GENERATE
from tests import tiny


def test_prefix_tuning_takes_keys_and_values_in_every_layer():
    told = place("prefix", {"virtual_tokens": 10}, tiny.shape("llama", GENERATE))
    assert told.trainable == told.kept == 10 * 2 * 2 * 2 * 8  # n · L · 2 · key/value heads · head width
    assert told.cache == 4 * told.kept
    assert (told.context, told.layers, told.mergeable) == (10, 2, False)


def test_prompt_tuning_takes_vectors_of_the_model_s_width_but_caches_in_every_layer():
    told = place("prompt", {"virtual_tokens": 10}, tiny.shape("llama", GENERATE))
    assert (told.trainable, told.kept, told.layers) == (320, 320, 0)
    assert told.cache == place("prefix", {"virtual_tokens": 10}, tiny.shape("llama", GENERATE)).cache


def test_p_tuning_keeps_what_its_network_makes():
    told = place("ptuning", {"virtual_tokens": 10, "encoder_width": 16}, tiny.shape("llama", GENERATE))
    assert told.kept == 320 < told.trainable == 320 + 2 * 32 * 16 + 16 * 16 + 2 * 16 + 32


def test_a_width_of_zero_is_the_model_s():
    shape = tiny.shape("llama", GENERATE)
    assert place("ptuning", {"encoder_width": 0}, shape) == place("ptuning", {"encoder_width": 32}, shape)
    made = METHODS["ptuning"].apply(tiny.model("llama", GENERATE), METHODS["ptuning"].Settings(), shape)
    learned = sum(item.numel() for item in made.parameters() if item.requires_grad)
    assert learned == METHODS["ptuning"].trainable(METHODS["ptuning"].Settings(), shape) == 20 * 32 + 3 * 32 * 33


def test_lora_and_adapters_take_no_context():
    shape = tiny.shape("llama", GENERATE)
    lora, adapter = place("lora", {"rank": 4}, shape), place("bottleneck", {"reduction_factor": 4.0}, shape)
    assert (lora.context, lora.cache, lora.mergeable, lora.layers) == (0, 0, True, 2)
    assert (adapter.context, adapter.mergeable, adapter.layers) == (0, False, 2)
    assert lora.flops == 2 * lora.trainable
    assert adapter.flops == 2 * 2 * (2 * 32 * 8)  # two layers, two maps of 32×8; biases are added, not multiplied


@pytest.mark.parametrize("key", ["lora", "bottleneck", "prefix", "prompt", "ptuning"])
def test_a_classifier_s_head_is_not_counted(key):
    shape = tiny.shape("llama", "classify")
    head = sum(item.count for item in shape.head_parameters())
    assert place(key, {}, shape).trainable == METHODS[key].trainable(METHODS[key].Settings(), shape) - head


def test_a_misfit_says_why():
    assert "keys and values" in place("prefix", {}, tiny.shape("distilbert", "classify")).reason
