"""The sums against the figures of the papers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import methods
from lab.events import Memory
from lab.insight import cost
from lab.insight.presets import preset
from lab.plan import Precision, Training

GPT3, LLAMA65 = preset("GPT-3 175B"), preset("LLaMA 65B")
ONE = Training(batch_size=1, max_length=512, gradient_checkpointing=True)


def rank(value: int, targets: tuple[str, ...] = ("q_proj", "v_proj")) -> int:
    lora = methods.METHODS["lora"]
    return lora.trainable(replace(lora.Settings(), rank=value, target_modules=targets), GPT3)


def test_gpt3_checkpoint_shrinks_ten_thousand_times():
    """350 GB to 35 MB at rank 4 on query and value (Hu et al. 2021, section 4.2)."""
    whole, adapter = 2 * GPT3.total, 2 * rank(4)
    assert whole == pytest.approx(350e9, rel=0.01)
    assert adapter / 2**20 == pytest.approx(35, rel=0.04)
    assert whole / adapter == pytest.approx(10_000, rel=0.1)


def test_gpt3_training_memory_falls_to_the_frozen_weights():
    """1.2 TB to 350 GB: the paper's figure lies between the sums without and with gradients."""
    full = cost.training_memory(GPT3, GPT3.total, True, Precision(), cost.SCHEMES["pure"], "adamw", ONE)
    states = full.weights + full.optimizer
    assert states < 1.2e12 < states + full.gradients
    lora = cost.training_memory(GPT3, rank(4), False, Precision(weights="bf16"), cost.SCHEMES["pure"], "adamw", ONE)
    assert lora.weights == pytest.approx(350e9, rel=0.01)
    assert lora.adapter + lora.gradients + lora.optimizer < 0.001 * lora.weights


def test_65b_in_16_bits_needs_780_gb():
    """16-bit fine-tuning of LLaMA 65B: over 780 GB (Dettmers et al. 2023, section 1); NF4 fits a 48 GB card."""
    full = cost.training_memory(LLAMA65, LLAMA65.total, True, Precision(), cost.SCHEMES["bf16"], "adamw", ONE)
    assert full.weights + full.gradients + full.optimizer == 12 * LLAMA65.total
    assert 780e9 < cost.total(full) < 800e9
    lora = methods.METHODS["lora"]
    trained = lora.trainable(replace(lora.Settings(), rank=64, target_modules=("all-linear",)), LLAMA65)
    base = Precision("nf4", True, "bf16")
    few = cost.training_memory(LLAMA65, trained, False, base, cost.SCHEMES["bf16"], "adamw8bit", ONE)
    assert few.weights == pytest.approx(LLAMA65.total * 4.127 / 8, rel=0.03)
    assert cost.total(few) < 48e9


def test_schemes_count_each_byte():
    full = cost.training_memory(LLAMA65, LLAMA65.total, True, Precision(), cost.SCHEMES["mixed"], "adamw", ONE)
    assert full.weights + full.adapter + full.gradients + full.optimizer == 16 * LLAMA65.total
    none = cost.training_memory(LLAMA65, LLAMA65.total, True, Precision(), cost.SCHEMES["fp32"], "sgd", ONE)
    assert (none.weights, none.optimizer) == (4 * LLAMA65.total, 0)


def test_flops_are_six_or_four_for_each_parameter():
    n = LLAMA65.total
    assert cost.flops(LLAMA65, n, 10) == 60 * n
    assert cost.flops(LLAMA65, 0, 10) == 40 * n
    assert cost.flops(LLAMA65, 0, 10, checkpointing=True) == 60 * n
    assert cost.gpu_seconds(1e15, cost.Gpu(80e9, 1e14), 0.5) == 20


def test_tasks_share_a_base():
    found = cost.deployment(100, 350e9, 35e6)
    assert found.copies == 35e12
    assert found.shared == pytest.approx(353.5e9)  # the example of the LoRA paper's section 4.2: 354 GB
    assert cost.cards(350e9, cost.GPUS["NVIDIA A100 80 GB"]) == 5


def test_paging_moves_no_more_than_the_optimizer_has():
    memory = Memory(weights=50, adapter=5, gradients=5, optimizer=20, activations=30)
    assert [cost.paged(memory, capacity) for capacity in (200, 110, 100, 90, 10)] == [0, 0, 10, 20, 20]
