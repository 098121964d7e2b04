"""5.4 and 5.5: updates that vanish in low precision, and LoRA on a base in each precision."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from lab import methods
from lab.insight.rounding import STORED as KINDS
from lab.models import precision as stored
from lab.plan import QUANTIZED, WEIGHTS, Precision
from lab.plots.quantization import compare_bytes, curves
from lab.ui.controls import CheckboxGroup, Slider
from lab.ui.exhibits.parts import data_choice, duration, percent, size, table, trial
from lab.ui.exhibits.watch import Measurement, Trials, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit


def vanish(
    model: str, kinds: list[str], data: str, steps: float, rate: float, stop: threading.Event
) -> Iterator[Any]:
    """The same training for each way of storing the adapter, one after the other."""
    from lab.insight.rounding import training

    plan = methods.with_values(trial(model, "lora", data, int(steps)), {"learning_rate": 10.0**rate})
    for kind in kinds:
        yield from training(plan, kind, int(steps), stop)


def progress(items: list[Any]) -> str:
    """How far it is."""
    return f"{items[-1].stored}: step {items[-1].step}." if items else ""


def vanished(items: list[Any]) -> tuple[Any, Any, str]:
    """Loss and share of lost updates by step, and the sums."""
    by: dict[str, list[Any]] = {}
    for item in items:
        by.setdefault(item.stored, []).append(item)
    losses = curves([(k, [p.step for p in v], [p.loss for p in v]) for k, v in by.items()], "Training loss", "")
    shares = curves(
        [(k, [p.step for p in v], [p.lost for p in v]) for k, v in by.items()], "Updates lost in the step", "", ".0%"
    )
    rows = [
        [k, KINDS[k], percent(v[-1].lost_sofar), f"{sum(p.loss for p in v[-5:]) / len(v[-5:]):.4f}"]
        for k, v in by.items()
    ]
    return losses, shares, table(["adapter in", "bits", "updates lost", "last losses"], rows)


def place_rounding(lab: Lab, model: gr.Dropdown) -> None:
    """5.4."""
    with exhibit("Updates that vanish", elem_id="qlora-rounding"):
        kinds = CheckboxGroup(list(KINDS), value=list(KINDS), label="Adapter stored in", elem_id="rounding-kinds")
        with gr.Row():
            data = data_choice(value="intent", elem_id="rounding-data")
            steps = Slider(4, 200, 30, step=2, label="Steps", elem_id="rounding-steps")
        rate = Slider(-6, -2, -4, step=0.25, label="Learning rate, as a power of ten", elem_id="rounding-rate")
        shares = Figure("Press the button: the same adapter, four ways to store it.", label="Share of updates lost")
        losses = Figure(label="Training loss by the way the adapter is stored")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="rounding-words")
        button(lab, "qlora", "Train and count lost updates", Measurement(vanish, progress),
               [model, kinds, data, steps, rate], [losses, shares, words], vanished, "rounding-train")  # fmt: skip


def able() -> str:
    """What the precisions need, and whether this device has it."""
    where = stored.device()
    rows = []
    for kind in WEIGHTS:
        reason = stored.compatible(Precision(kind), where)
        rows.append([kind, f"{stored.bits_per_weight(Precision(kind)):.4g}", reason.message if reason else "yes"])
    paged = "moves its state when the card is full" if where == "cuda" else "is the plain 8-bit form here"
    return table(["precision", "bits", f"on {stored.device_title()}"], rows) + f"\n\nThe paged optimizer {paged}."


def weigh(model: str, kinds: list[str], stop: threading.Event) -> Iterator[Any]:
    """The base as loaded in each precision."""
    from lab.insight.applied import footprint

    for kind in kinds:
        yield kind, *footprint(model, Precision(kind))


def weighed(items: list[Any]) -> tuple[Any, str]:
    """Measured and predicted bytes."""
    names, measured, predicted = zip(*items)
    first = measured[0]
    rows = [[n, size(m), size(p), percent(m / first)] for n, m, p in items]
    return compare_bytes(names, measured, predicted), table(["", "measured", "predicted", f"of {names[0]}"], rows)


def learned(runs: dict[str, Any]) -> tuple[Any, str]:
    """Loss curves and figures of LoRA on each base."""
    told = {label: run.history() for label, run in runs.items()}
    figure = curves(
        [(label, [s.step for s in h.steps], [s.loss for s in h.steps]) for label, h in told.items() if h.steps],
        "Training loss of LoRA by the base's precision",
        "",
    )
    rows = [
        [label, size(h.peak.weights), size(h.peak.total), duration(h.seconds / len(h.steps)),
         f"{h.last.loss:.4f}" if h.last else "…", f"{h.last.score:.1%}" if h.last else "…"]
        for label, h in told.items() if h.steps
    ]  # fmt: skip
    return figure, table(["base in", "base", "peak", "a step", "loss", "score"], rows) if rows else ""


def place_loading(lab: Lab, model: gr.Dropdown) -> None:
    """5.5."""
    with exhibit("Load it, adapt it, watch it", elem_id="qlora-loading"):
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="loading-able")
        lab.opened("qlora", able, outputs=said)
        kinds = CheckboxGroup(list(WEIGHTS), value=list(WEIGHTS), label="Base in", elem_id="loading-kinds")
        figure = Figure(label="Measured and predicted bytes of the base in each precision")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="loading-words")
        button(lab, "qlora", "Load and weigh", Measurement(weigh, lambda items: ""), [model, kinds], [figure, words],
               weighed, "loading-weigh")  # fmt: skip

        def plans(name: str, chosen: list[str], data: str, steps: float) -> dict[str, Any]:
            return {
                kind: methods.with_values(trial(name, "lora", data, int(steps)), {"weights": kind}) for kind in chosen
            }

        with gr.Row():
            data = data_choice(value="intent", elem_id="loading-data")
            steps = Slider(4, 200, 30, step=2, label="Steps of LoRA", elem_id="loading-steps")
        some = CheckboxGroup(
            list(WEIGHTS),
            value=["fp32", *(k for k in QUANTIZED if k != "fp4")],
            label="Train on",
            elem_id="loading-some",
        )
        losses = Figure("Press the button: LoRA on each base.", label="Loss of LoRA by the base's precision")
        told = gr.Markdown(elem_classes="lab-lesson-text", elem_id="loading-trained")
        button(lab, "qlora", "Train LoRA on each", Trials(lab, "5.5 Precision", plans), [model, some, data, steps],
               [losses, told], learned, "loading-train")  # fmt: skip
