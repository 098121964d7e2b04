"""2.1: one token through one matrix of the real model and its detour, with the numbers that are there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from lab.errors import LabError
from lab.ui.component import Widget
from lab.ui.controls import Dropdown, Slider, Textbox
from lab.ui.exhibits.found import saved
from lab.ui.exhibits.parts import live, module_choice
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

ZERO, RANDOM = "B = 0: as training starts", "B random: to see it flow"


def pair(lab: Lab, model: str, module: str, which: str, rank: int) -> tuple[Any, Any]:
    """A and B: fresh ones of this rank, or those of a run. Raises LabError for a run that has none there."""
    from lab.insight.adapter_files import factors
    from lab.insight.forward import drawn
    from lab.insight.weights import matrix

    if which in (ZERO, RANDOM):
        d, k = matrix(model, module).shape
        return drawn(rank, k, d, zero=which == ZERO)
    found = factors(lab.runs.get(which).adapter)
    if module not in found:
        raise LabError(f"This run has no update at '{module}'.", f"It has one at {next(iter(found))}, for example.")
    return found[module]


def low_rank_runs(lab: Lab) -> list[tuple[str, str]]:
    """The finished runs whose adapter holds matrices A and B, by name."""
    from lab.insight.adapter_files import factors

    found = []
    for run in saved(lab).values():
        try:
            factors(run.adapter)
            found.append((run.name, run.id))
        except LabError:
            continue
    return found


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The flow and its check against peft."""

    def draw(name: str, module: str, text: str, which: str, rank: float, alpha: float) -> Any:
        from lab.insight.forward import flow

        if not module:
            return {"text": "Choose a matrix."}
        try:
            a, b = pair(lab, name, module, which, int(rank))
            found = flow(name, module, text, a, b, alpha)
        except LabError as error:
            return {"text": f"{error.message} {error.hint}"}
        told = {key: [float(f"{v:.4g}") for v in getattr(found, key)] for key in ("x", "ax", "bax", "wx", "h")}
        return told | {
            "token": found.token,
            "scale": found.scale,
            "k": len(found.x),
            "d": len(found.h),
            "r": len(found.ax),
        }

    def check(
        name: str, module: str, text: str, which: str, rank: float, alpha: float, stop: threading.Event
    ) -> Iterator[Any]:
        from lab.insight import forward

        a, b = pair(lab, name, module, which, int(rank))
        found = forward.flow(name, module, text, a, b, alpha)
        yield found, forward.check(name, module, text, a, b, alpha)

    def told(items: list[Any]) -> str:
        found, difference = items[-1]
        return (
            f"Over all tokens, the largest difference between these numbers and those of peft's own layer in the "
            f"running model is **{difference:.1e}**. The detour has {found.share:.1%} of the length of Wx."
        )

    with exhibit("x flows", elem_id="lora-flow"):
        text = Textbox("The lighthouse keeper opened the door.", label="Your sentence", elem_id="flow-text")
        module = module_choice(lab, "lora", model, "flow-module")
        which = Dropdown([ZERO, RANDOM], value=RANDOM, label="Adapter", elem_id="flow-which")
        rank = Slider(1, 64, 4, step=1, label="Rank r (of a fresh pair)", elem_id="flow-rank")
        alpha = Slider(1, 128, 8, step=1, label="Alpha", elem_id="flow-alpha")
        widget = Widget("flow", {"text": "Open the lesson."}, elem_id="flow")
        controls = [model, module, text, which, rank, alpha]
        live(lab, "lora", draw, controls, [widget])
        lab.opened("lora", lambda: gr.Dropdown(choices=[ZERO, RANDOM, *low_rank_runs(lab)]), outputs=which)
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="flow-checked")
        button(lab, "lora", "Check against peft", Measurement(check), controls, [said], told, "flow-check")
