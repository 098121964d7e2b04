"""1.1: what full fine-tuning costs in memory, time and storage, against a method that trains little."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr

from lab import methods
from lab.errors import LabError
from lab.insight import cost
from lab.insight.presets import PRESETS, preset
from lab.methods.base import FAMILIES
from lab.models.shape import ModelShape
from lab.plan import GENERATE, WEIGHTS, Precision, Training
from lab.plots import cost as plots
from lab.plots.style import colour
from lab.ui.controls import Checkbox, Dropdown, Slider
from lab.ui.exhibits.parts import amount, duration, live, percent, shape_of, size, table, trial
from lab.ui.exhibits.watch import Trials, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

HERE = "The model above"

#: What the LoRA paper reports of GPT-3 (section 4.2), beside the sums.
PAPER = {
    "GPT-3 175B": "The LoRA paper reports **1.2 TB → 350 GB** of memory and a checkpoint of **350 GB → 35 MB** "
    "(rank 4 on query and value). Two 16-bit moments make 1.05 TB without gradients and 1.4 TB with them.",
    "LLaMA 65B": "The QLoRA paper reports **more than 780 GB** for 16-bit fine-tuning.",
}

TASKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)


def little() -> list[tuple[str, str]]:
    """The methods that can write and do not train everything, the families in their order."""
    found = [item for item in methods.METHODS.values() if GENERATE in item.tasks and item.family != FAMILIES[0]]
    return [(item.title, item.key) for item in found]


def whole() -> Any:
    """The baseline that trains every weight."""
    return next(item for item in methods.METHODS.values() if item.family == FAMILIES[0])


@lru_cache(maxsize=256)
def trained(name: str, model: str, key: str, rank: int, everywhere: bool) -> int:
    """Trained parameters of a method on a preset. Where it has a rank and target modules, they are `rank` and the
    query and value projections, or every linear map."""
    method, found = methods.method(key), shape(name, model)
    plan = methods.default_plan(key)
    if "rank" in plan.settings:
        plan = methods.with_values(plan, {"rank": int(rank)})
    if "target_modules" in plan.settings and method.family == "low rank":
        targets = ("all-linear",) if everywhere else found.attention_inputs()
        plan = methods.with_values(plan, {"target_modules": targets})
    return method.trainable(methods.settings(plan), found)


def shape(name: str, model: str) -> ModelShape:
    return shape_of(model) if name == HERE else preset(name)


def calculate(
    name: str, key: str, rank: int, everywhere: bool, scheme: str, weights: str, optimizer: str, batch: int,
    length: int, recompute: bool, tokens: float, gpu: str, utilisation: float, tasks: int, model: str,
) -> tuple[Any, Any, str]:  # fmt: skip
    """The memory figure, the storage figure and the figures in words."""
    found, count = shape(name, model), trained(name, model, key, int(rank), everywhere)
    if not count:
        raise LabError("This method trains nothing of this model.", "Choose another method.")
    training = Training(batch_size=int(batch), max_length=int(length), gradient_checkpointing=recompute)
    kept = cost.SCHEMES[scheme]
    base = Precision(weights=weights, compute="auto" if kept.weight == 4 else "bf16")
    full = cost.training_memory(found, found.total, True, base, kept, optimizer, training)
    few = cost.training_memory(found, count, False, base, kept, optimizer, training)
    title = methods.method(key).title
    card, each = cost.GPUS[gpu], 10.0**tokens
    rows = []
    for label, memory, learns in (("Full", full, found.total), (title, few, count)):
        seconds = cost.gpu_seconds(cost.flops(found, learns, each, recompute), card, utilisation)
        needs = cost.total(memory)
        rows.append([label, amount(learns), size(needs), cost.cards(needs, card), duration(seconds),
                     size(learns * kept.weight)])  # fmt: skip
    full_total, few_total = cost.total(full), cost.total(few)
    checkpoint, adapter = found.total * kept.weight, count * kept.weight
    figure = plots.memory_bars([("Full", full), (title, few)], [(gpu, card.memory)])
    curves = [cost.deployment(n, checkpoint, adapter) for n in TASKS]
    disk = plots.storage(TASKS, [c.copies for c in curves], [c.shared for c in curves], colour(key), int(tasks))
    now = cost.deployment(int(tasks), checkpoint, adapter)
    words = table(["", "trained", "memory", "cards", f"{amount(each)} tokens, one card", "a task's file"], rows)
    words += (
        f"\n\n**{found.total / 1e9:.3g} billion parameters**, {percent(count / found.total)} of them trained: "
        f"{full_total / few_total:.3g}× less memory, a file {checkpoint / adapter:,.0f}× smaller. "
        f"{int(tasks)} tasks take {size(now.copies)} as full copies (on {cost.cards(now.copies, card)} × {gpu}), "
        f"{size(now.shared)} as one base with adapters (on {cost.cards(now.shared, card)})."
    )
    return figure, disk, words + (f"\n\n{PAPER[name]}" if name in PAPER else "")


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The calculator, and its measurement on the lesson's model."""
    with exhibit("Cost calculator", elem_id="why-calculator"):
        with gr.Row():
            name = Dropdown([HERE, *PRESETS], value="GPT-3 175B", label="Model", elem_id="cost-model")
            key = Dropdown(little(), value="lora", label="Against full fine-tuning", elem_id="cost-method")
        rank = Slider(1, 256, 4, step=1, label="Rank, where there is one", elem_id="cost-rank")
        everywhere = Checkbox(False, label="On every linear map, not only query and value", elem_id="cost-everywhere")
        with gr.Row():
            scheme = Dropdown([(item.title, k) for k, item in cost.SCHEMES.items()], value="pure", label="Trained in")
            weights = Dropdown(list(WEIGHTS), value="bf16", label="Frozen base in")
            optimizer = Dropdown(
                [(item[0], k) for k, item in cost.OPTIMIZERS.items()], value="adamw", label="Optimizer"
            )
        with gr.Accordion("Batch, hardware, tasks", open=False), gr.Row():
            batch = Slider(1, 64, 1, step=1, label="Batch size")
            length = Slider(64, 4096, 512, step=64, label="Sequence length")
            recompute = Checkbox(True, label="Gradient checkpointing")
            tokens = Slider(5, 11, 8, step=0.5, label="Training tokens, as a power of ten")
            gpu = Dropdown(list(cost.GPUS), value="NVIDIA A100 80 GB", label="Card")
            utilisation = Slider(0.1, 0.7, 0.4, step=0.05, label="Share of the card's peak that is reached")
        tasks = Slider(1, 1000, 10, step=1, label="Tasks to serve", elem_id="cost-tasks")
        memory = Figure(label="Memory by category, full fine-tuning against the method")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="cost-words")
        disk = Figure(label="Bytes of storage by the number of tasks")
        controls = [name, key, rank, everywhere, scheme, weights, optimizer, batch, length, recompute, tokens, gpu,
                    utilisation, tasks, model]  # fmt: skip
        live(lab, "why", calculate, controls, [memory, disk, words])
    with exhibit("The same, measured here", elem_id="why-measured"):
        gr.Markdown(
            "Eight steps of each on the lesson's model, every byte counted as it is held.",
            elem_classes="lab-lesson-text",
        )
        picture = Figure(label="Measured memory by category")
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="cost-measured-words")
        trials = Trials(lab, "1.1 Cost", lambda m, k: steps_of(m, k, 8))
        button(lab, "why", "Measure both", trials, [model, key], [picture, said], measured, "cost-measure")


def steps_of(model: str, key: str, steps: int, data: str = "sentiment") -> dict[str, Any]:
    """The baseline and the method for a few steps each, hardly evaluated."""
    given = {"eval_rows": 16, "reply_rows": 2}
    return {item.title: trial(model, item.key, data, steps, given) for item in (whole(), methods.method(key))}


def measured(runs: dict[str, Any]) -> tuple[Any, str]:
    """Peaks by category, seconds a step and bytes on the disk of the runs so far."""
    rows, bars = [], []
    for label, run in runs.items():
        history = run.history()
        if not history.steps:
            continue
        bars.append((label, history.peak))
        each = duration(history.seconds / len(history.steps))
        disk = size(run.bytes) if run.bytes else "…"
        rows.append([label, amount(history.started.trainable), size(history.peak.total), each, disk])
    if not bars:
        return "The first step has not been made yet.", ""
    return (
        plots.memory_bars(bars, title="Measured peak by category"),
        table(["", "trained", "peak", "a step", "on disk"], rows),
    )
