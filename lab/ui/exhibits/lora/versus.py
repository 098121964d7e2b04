"""2.4: LoRA against full fine-tuning on the same rows, for the same steps, from the same seed."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lab.plots.cost import panels
from lab.plots.style import colour
from lab.ui.controls import Number, Slider
from lab.ui.exhibits.found import outcomes
from lab.ui.exhibits.parts import data_choice, methods, trial
from lab.ui.exhibits.watch import Trials, button
from lab.ui.exhibits.why.calculator import whole
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit


def four(runs: dict[str, Any]) -> tuple[Any, str]:
    """Score, seconds, peak and what was forgotten, of the runs so far."""
    told = {label: run.history() for label, run in runs.items()}
    last = [h.last for h in told.values()]
    general = [
        h.last.general - h.base.general
        if h.last and h.base and h.last.general is not None and h.base.general is not None
        else None
        for h in told.values()
    ]
    values = [
        [item.score if item else None for item in last],
        [h.seconds if h.steps and h.last else None for h in told.values()],
        [float(h.peak.total) if h.steps else None for h in told.values()],
        general,
    ]
    titles = ["Score", "Seconds", "Peak memory, bytes", "Forgotten, bits per byte"]
    shades = [colour(run.plan.method) for run in runs.values()]
    words = outcomes(runs)
    if len(told) > 1 and all(last):
        (whole_, first), *_, (few, second) = told.items()
        words += (
            f"\n\n{few} trains {second.started.trainable / first.started.trainable:.2%} of the parameters, holds "
            f"{second.peak.total / first.peak.total:.0%} of the memory and scores "
            f"{100 * (second.last.score - first.last.score):+.1f} points against {whole_}."
        )
    return panels(titles, list(told), values, shades, [".0%", ".1f", ".3s", ".3f"]), words


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The duel."""

    def plans(name: str, data: str, steps: float, seed: float) -> dict[str, Any]:
        pair = (whole(), methods.METHODS["lora"])
        return {item.title: trial(name, item.key, data, int(steps), seed=int(seed)) for item in pair}

    with exhibit("Same data, same steps, same seed", elem_id="lora-versus"):
        with gr.Row():
            data = data_choice(value="intent", elem_id="versus-data")
            seed = Number(0, label="Seed", precision=0, minimum=0)
        steps = Slider(4, 400, 60, step=4, label="Steps", elem_id="versus-steps")
        figure = Figure("Press the button: both are trained, one after the other.", label="LoRA and full fine-tuning")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="versus-words")
        button(lab, "lora", "Train both and compare", Trials(lab, "2.4 Both", plans), [model, data, steps, seed],
               [figure, words], four, "versus-train")  # fmt: skip
