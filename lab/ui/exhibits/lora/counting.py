"""2.2 and 2.3: the numbers in BA against those in W, and the code that makes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from lab import methods
from lab.errors import LabError
from lab.methods.targeting import TargetedMethod
from lab.plan import CLASSIFY, GENERATE, Plan
from lab.plots.lora import break_even, to_scale
from lab.plots.style import colour
from lab.ui.controls import CheckboxGroup, Radio, Slider
from lab.ui.exhibits.parts import live, module_choice, percent, shape_of, table
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit
from lab.ui.listeners import listen


def counts(d: float, k: float, rank: float) -> tuple[Any, Any, str]:
    """The matrices to scale, the break-even and the sum in words."""
    d, k, rank = int(d), int(k), int(rank)
    ba, w, even = rank * (d + k), d * k, d * k / (d + k)
    against = (
        f"{w / ba:.4g} times fewer" if ba < w else f"{ba / w:.3g} times as many: no saving above r* = {even:.1f}"
    )
    words = table(
        ["", "size", "numbers"],
        [["W", f"{d}×{k}", f"{w:,}"], ["B", f"{d}×{rank}", f"{d * rank:,}"], ["A", f"{rank}×{k}", f"{rank * k:,}"],
         ["BA together", "r·(d+k)", f"{ba:,}"]],
    )  # fmt: skip
    shade = colour("lora")
    return (
        to_scale(d, k, rank, shade),
        break_even(d, k, rank, shade),
        f"{words}\n\n{percent(ba / w)} of W, {against}.",
    )


def place_counts(lab: Lab, model: gr.Dropdown) -> None:
    """2.2."""

    def sizes(name: str, module: str) -> Any:
        try:
            found = next((item for item in shape_of(name).projections if item.name == module), None)
        except LabError:  # the list of its matrices is empty, and the bench says why
            found = None
        return [found.outputs, found.inputs] if found else [gr.skip(), gr.skip()]

    def count(name: str, rank: float, stop: threading.Event) -> Iterator[Any]:
        from lab.insight.applied import apply

        given = {"rank": int(rank), "target_modules": shape_of(name).attention_inputs()}
        plan = methods.with_values(methods.default_plan("lora", model=name), given)
        shape, lora = shape_of(name), methods.METHODS["lora"]
        assert isinstance(lora, TargetedMethod)
        targets = lora.matched(methods.settings(plan), shape)
        yield apply(plan, GENERATE), [(shape.short(item), item.outputs, item.inputs) for item in targets], int(rank)

    def told(items: list[Any]) -> str:
        found, targets, rank = items[-1]
        kinds = {item: targets.count(item) for item in targets}
        rows = [[f"{n} × {name}", f"{d}×{k}", f"{n * rank * (d + k):,}"] for (name, d, k), n in kinds.items()]
        return table(["targets", "W", "r·(d+k)"], [*rows, ["sum", "", f"{found.formula:,}"],
                     ["counted in the real model", "", f"{found.trainable:,}"]])  # fmt: skip

    with exhibit("BA against W, to scale", elem_id="lora-counts"):
        module = module_choice(lab, "lora", model, "count-module")
        d = Slider(8, 16384, 384, step=8, label="Outputs d", elem_id="count-d")
        k = Slider(8, 16384, 384, step=8, label="Inputs k", elem_id="count-k")
        rank = Slider(1, 1024, 8, step=1, label="Rank r", elem_id="count-rank")
        scale = Figure(label="W, B and A drawn to one scale")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="count-words")
        curve = Figure(label="Parameters of BA by rank, and where they meet those of W")
        live(lab, "lora", counts, [d, k, rank], [scale, curve, words])
        measured = listen(module.change, sizes, [model, module], [d, k])
        listen(measured.then, counts, [d, k, rank], [scale, curve, words])
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="count-counted")
        button(
            lab, "lora", "Count in the real model", Measurement(count), [model, rank], [said], told, "count-measure"
        )


def planned(model: str, rank: float, alpha: float, targets: list[str], task: str) -> tuple[Plan, str]:
    """The plan of the form. Raises LabError for settings that do not fit."""
    given = {"rank": int(rank), "alpha": alpha, "target_modules": tuple(targets or ())}
    return methods.with_values(methods.default_plan("lora", model=model), given), task


def code(model: str, rank: float, alpha: float, targets: list[str], task: str) -> str:
    """The lines that load the base and put LoRA on it."""
    from lab.models import loading
    from lab.models.shape import auto_class

    plan, _ = planned(model, rank, alpha, targets, task)
    method, settings = methods.method(plan.method), methods.settings(plan)
    shape = loading.shape(model, task, 2)
    reason = method.compatible(settings, shape, plan.precision)
    if reason:
        return f"# {reason.message}\n# {reason.hint}"
    auto = auto_class(loading.config(model), task).__name__
    place = f"assets/models/{model}" if loading.kind(model) == "embedded" else model
    lines = method.source(settings, shape)
    imports = [line for line in lines if line.startswith("from ")]
    rest = [line for line in lines if line not in imports]
    labels = ", num_labels=2" if task == CLASSIFY else ""
    load = f'model = {auto}.from_pretrained("{place}"{labels})'
    original = 'print(f"original: {sum(p.numel() for p in model.parameters()):,}")'
    return "\n".join([*imports, f"from transformers import {auto}", "", load, original, *rest])


def place_code(lab: Lab, model: gr.Dropdown) -> None:
    """2.3."""

    def run(
        name: str, rank: float, alpha: float, targets: list[str], task: str, stop: threading.Event
    ) -> Iterator[Any]:
        from lab.insight.applied import apply

        plan, wanted = planned(name, rank, alpha, targets, task)
        yield apply(plan, wanted)

    def told(items: list[Any]) -> str:
        found = items[-1]
        share = percent(found.trainable / found.original)
        return (
            f"```\noriginal: {found.original:,}\n{found.printed}\n```\n\n"
            f"**{found.trainable:,}** parameters are trained instead of **{found.original:,}**: {share}, "
            f"{found.original / found.trainable:,.0f} times fewer."
        )

    def fill(name: str, now: list[str]) -> Any:
        try:
            shape = shape_of(name)
        except LabError:
            return gr.CheckboxGroup(choices=[], value=[])
        kept = [item for item in now or [] if item in shape.targets]
        return gr.CheckboxGroup(choices=list(shape.targets), value=kept or list(shape.attention_inputs()))

    with exhibit("The code, live", elem_id="lora-code"):
        with gr.Row():
            rank = Slider(1, 256, 8, step=1, label="r", elem_id="code-rank")
            alpha = Slider(1, 512, 16, step=1, label="lora_alpha", elem_id="code-alpha")
        targets = CheckboxGroup([], label="target_modules", elem_id="code-targets")
        task = Radio([("SEQ_CLS", CLASSIFY), ("CAUSAL_LM", GENERATE)], value=CLASSIFY, label="task_type")
        shown = gr.Markdown(elem_classes="lab-lesson-text", elem_id="code-shown")
        controls = [model, rank, alpha, targets, task]
        live(lab, "lora", lambda *given: f"```python\n{code(*given)}\n```", controls, [shown])
        lab.opened("lora", fill, [model, targets], targets)
        listen(model.change, fill, [model, targets], targets)
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="code-printed")
        button(lab, "lora", "Run it", Measurement(run), controls, [said], told, "code-run")
