"""5.2: the sum for a large model, term by term, and the same measured on the lesson's model."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr

from lab import methods
from lab.events import Memory
from lab.insight import cost
from lab.insight.presets import PRESETS, preset
from lab.models.precision import base_bytes, bits_per_weight
from lab.plan import Precision, Training
from lab.plots import cost as plots
from lab.ui.controls import Checkbox, Dropdown, Slider
from lab.ui.exhibits.parts import live, size, table, trial
from lab.ui.exhibits.watch import Trials, button
from lab.ui.exhibits.why.calculator import whole
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

CARD = "NVIDIA A100 80 GB"


@lru_cache(maxsize=64)
def trained(name: str, rank: int) -> int:
    """LoRA's parameters on every linear map of a preset, as QLoRA has it."""
    method = methods.METHODS["lora"]
    return method.trainable(method.Settings(rank=rank, target_modules=("all-linear",)), preset(name))


def sums(name: str, rank: float, weights: str, double: bool, length: float, optimizer: str) -> tuple[Any, str]:
    """Full fine-tuning, LoRA on 16 bits and QLoRA, category by category."""
    shape, count = preset(name), trained(name, int(rank))
    training = Training(batch_size=1, max_length=int(length), gradient_checkpointing=True)
    scheme, base = cost.SCHEMES["bf16"], Precision(weights, double, "bf16")
    sixteen = Precision("bf16")
    rows = [
        ("Full, 16 bits", cost.training_memory(shape, shape.total, True, sixteen, scheme, "adamw", training)),
        ("LoRA, 16 bits", cost.training_memory(shape, count, False, sixteen, scheme, optimizer, training)),
        (f"QLoRA, {weights}", cost.training_memory(shape, count, False, base, scheme, optimizer, training)),
    ]
    full, lora, few = (memory for _, memory in rows)
    told = [
        ["base", f"{shape.total / 1e9:.1f}B × {bits_per_weight(base):.4g} bits", size(few.weights)],
        ["LoRA, A and B", f"{count / 1e6:,.0f}M × 2 bytes", size(few.adapter)],
        ["gradients", f"{count / 1e6:,.0f}M × 2 bytes", size(few.gradients)],
        ["optimizer", f"{count / 1e6:,.0f}M × {few.optimizer / count:.0f} bytes", size(few.optimizer)],
        ["activations", f"{int(length)} tokens, recomputed", size(few.activations)],
        ["**QLoRA**", "", f"**{size(cost.total(few))}**"],
        ["LoRA on 16 bits", "", size(cost.total(lora))],
        ["full, 16 bits", "2 + 2 + 8 bytes each", f"**{size(cost.total(full))}**"],
    ]
    whole_bits = size(base_bytes(shape, base))
    words = table(["term", "how", "bytes"], told) + (
        f"\n\nQLoRA takes {cost.total(full) / cost.total(few):.3g} times less. Embeddings, norms and output layer "
        f"stay in 16 bits within the {whole_bits} of the base."
    )
    if name == "LLaMA 65B":
        words += " The paper: **more than 780 GB** in 16 bits, **under 48 GB** with QLoRA."
    return plots.memory_bars(rows, [("48 GB", 48e9), ("80 GB", 80e9)]), words


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The sum and its measurement."""
    with exhibit("The sum, term by term", elem_id="qlora-sum"):
        name = Dropdown(list(PRESETS), value="LLaMA 65B", label="Model", elem_id="sum-model")
        rank = Slider(1, 256, 64, step=1, label="Rank, on every linear map", elem_id="sum-rank")
        with gr.Row():
            weights = Dropdown(["nf4", "fp4", "int8"], value="nf4", label="Base in", elem_id="sum-weights")
            double = Checkbox(True, label="Double quantization")
        length = Slider(64, 4096, 512, step=64, label="Sequence length", elem_id="sum-length")
        optimizer = Dropdown([(v[0], k) for k, v in cost.OPTIMIZERS.items()], value="adamw8bit", label="Optimizer")
        figure = Figure(label="Memory of full fine-tuning, LoRA and QLoRA by category")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="sum-words")
        live(lab, "qlora", sums, [name, rank, weights, double, length, optimizer], [figure, words])
    with exhibit("Measured on the lesson's model", elem_id="qlora-measured"):

        def plans(base: str) -> dict[str, Any]:
            given = {"eval_rows": 16, "reply_rows": 2, "target_modules": ("all-linear",)}
            few = {key: value for key, value in given.items() if key != "target_modules"}
            lora = trial(base, "lora", "sentiment", 4, given)
            return {
                "Full": trial(base, whole().key, "sentiment", 4, few),
                "LoRA": lora,
                "QLoRA": methods.with_values(lora, {"weights": "nf4"}),
            }

        picture = Figure(label="Measured memory by category")
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="sum-measured-words")
        button(lab, "qlora", "Train four steps of each", Trials(lab, "5.2 Memory", plans), [model], [picture, said],
               measured, "sum-measure")  # fmt: skip


def measured(runs: dict[str, Any]) -> tuple[Any, str]:
    """Each run's peak by category, beside the estimate made before it began."""
    bars: list[tuple[str, Memory]] = []
    rows = []
    for label, run in runs.items():
        history = run.history()
        if history.steps:
            peak = history.peak
            bars.append((label, peak))
            rows.append([label, size(peak.weights), size(peak.adapter), size(peak.gradients), size(peak.optimizer),
                         size(peak.activations), size(peak.total)])  # fmt: skip
    if not bars:
        return "The first step has not been made yet.", ""
    head = ["", "base", "adapter", "gradients", "optimizer", "activations", "peak at once"]
    return plots.memory_bars(bars, title="Measured peaks"), table(head, rows)
