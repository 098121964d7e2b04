"""The ledger against the device: `python -m benchmarks.ledger` on a machine with a CUDA GPU.

A Llama of about 1.1 billion random weights is trained for a few steps by several methods on several precisions; the
ledger's largest sum of an instant stands beside `torch.cuda.max_memory_allocated` of the same step. Prints a Markdown
table and, last, the largest deviation.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import tempfile
from pathlib import Path
from typing import Any

from lab import methods
from lab.knobs import build
from lab.models import loading
from lab.plan import GENERATE, Precision, Training

#: (method, settings, base precision, gradient checkpointing)
ROWS: tuple[tuple[str, dict[str, Any], Precision, bool], ...] = (
    ("full", {}, Precision(weights="bf16"), False),
    ("lora", {}, Precision(weights="fp32"), False),
    ("lora", {}, Precision(weights="bf16"), False),
    ("lora", {"target_modules": "all-linear", "rank": 64}, Precision(weights="bf16"), True),
    ("lora", {}, Precision(weights="int8"), False),
    ("lora", {}, Precision(weights="nf4"), False),
    ("lora", {"target_modules": "all-linear", "rank": 64}, Precision(weights="nf4"), True),
    ("lora", {"dora": True}, Precision(weights="bf16"), False),
    ("bottleneck", {}, Precision(weights="bf16"), False),
    ("prefix", {}, Precision(weights="bf16"), False),
    ("prompt", {}, Precision(weights="bf16"), False),
    ("ia3", {}, Precision(weights="bf16"), False),
    ("layernorm", {}, Precision(weights="bf16"), False),
    ("last_layers", {"count": 2}, Precision(weights="bf16"), False),
)


def base(folder: Path, width: int, layers: int) -> str:
    """A folder with a random Llama in bf16."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers, num_attention_heads=width // 64,
        num_key_value_heads=max(1, width // 256), vocab_size=32_000, max_position_embeddings=4096, pad_token_id=0,
    )  # fmt: skip
    with torch.device("cuda"):
        model = LlamaForCausalLM(config).bfloat16()
    model.save_pretrained(str(folder), safe_serialization=True)
    return str(folder)


def measure(
    place: str, key: str, given: dict[str, Any], precision: Precision, checkpointing: bool, rows: int, length: int
):
    """(ledger's memory of the last step, allocated bytes before the model came)."""
    import torch

    from lab.training.memory.ledger import Ledger, held, storages
    from lab.training.optimizers import optimizer
    from lab.training.step import OptimizerStep

    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    method, shape = methods.METHODS[key], loading.shape(place, GENERATE)
    settings = method.prepare(build(method.Settings, given), 100)
    training = Training(learning_rate=1e-4, gradient_checkpointing=checkpointing)
    reason = method.compatible(settings, shape, precision, training)
    assert reason is None, reason
    model = loading.load(place, GENERATE, 2, precision, "cuda")
    own = storages(held(model))
    model = method.apply(model, settings, shape)
    model.train()
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    chosen = optimizer(method.groups(model, settings, training), training, "cuda")
    ids = torch.randint(1, 32_000, (rows, length), device="cuda")
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
    steps = itertools.count(1)
    step = OptimizerStep(
        model,
        chosen,
        "cuda",
        after_update=lambda: method.after_step(model, settings, next(steps), 100),
        meter=Ledger(model, own, chosen, "cuda"),
    )
    for _ in range(3):
        memory = step([batch]).memory
    return memory, before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--length", type=int, default=512)
    options = parser.parse_args()
    import torch

    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {options.rows} × {options.length} tokens\n")
    heads = ("Weights", "Adapter", "Gradients", "Optimizer", "Activations", "At once", "Device", "Deviation")
    print(f"| Method | Base | {' | '.join(heads)} |")
    print("|---|---|" + "---:|" * len(heads))
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        place = base(Path(folder), options.width, options.layers)
        for key, given, precision, checkpointing in ROWS:
            memory, before = measure(place, key, given, precision, checkpointing, options.rows, options.length)
            device = memory.device - before
            apart = memory.at_once / device - 1
            worst = max(worst, abs(apart))
            parts = (
                memory.weights, memory.adapter, memory.gradients, memory.optimizer, memory.activations,
                memory.at_once, device,
            )  # fmt: skip
            told = ", ".join(f"{name} {value}" for name, value in given.items())
            name = methods.METHODS[key].title + (f" ({told})" if told else "") + ", checkpointed" * checkpointing
            cells = " | ".join(f"{part / 2**20:,.0f}" for part in parts)
            print(f"| {name} | {precision.weights} | {cells} | {apart:+.1%} |", flush=True)
    print(f"\nMiB. Largest deviation {worst:.1%}.")


if __name__ == "__main__":
    main()
