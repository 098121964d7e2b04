"""3.3: one base, many tasks: bytes for 1 to 100 of them, and going from one to another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from lab import methods
from lab.data import catalogue
from lab.insight.storage import storage, weighed
from lab.plan import GENERATE, Plan
from lab.plots import adapters as plots
from lab.ui.controls import CheckboxGroup, Dropdown, Slider, Textbox
from lab.ui.exhibits import found
from lab.ui.exhibits.parts import duration, live, size, table, trial
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

TAB = "adapters"
METHOD_CHOICES = ["bottleneck", "lora", "prefix", "prompt"]


def bytes_for_tasks(lab: Lab, model: gr.Dropdown) -> None:
    """The curves, and one adapter that is really saved and weighed."""
    with exhibit("Bytes for N tasks", elem_id="exhibit-tasks"):
        with gr.Row():
            choices = [(methods.METHODS[key].title, key) for key in METHOD_CHOICES]
            method = Dropdown(choices, value="bottleneck", label="Method", elem_id="tasks-method")
            count = Slider(1, 100, 10, step=1, label="Tasks N", elem_id="tasks-count")
        said = gr.Markdown("", elem_id="tasks-said", elem_classes="lab-lesson-text")
        picture = Figure(label="Bytes on disk by number of tasks", elem_id="tasks-picture")

        def draw(model: str, method: str, count: float) -> Any:
            told = storage(methods.default_plan(method, model=model), GENERATE)
            number = int(count)
            words = (
                f"{number} tasks: **{size(told.copies(number))}** as full copies, **{size(told.shared(number))}** as "
                f"one base ({size(told.base)}) and {number} × {size(told.adapter)}. "
                f"**{told.saving(number):.3g}** times {'less' if told.saving(number) >= 1 else 'as little'}."
            )
            return words, plots.tasks(told, number)

        live(lab, TAB, draw, [model, method, count], [said, picture])

        def weigh(model: str, method: str, stop: Any) -> Iterator[str]:
            plan = methods.default_plan(method, model=model)
            with tempfile.TemporaryDirectory() as folder:
                file, numbers = weighed(plan, GENERATE, 2, Path(folder) / "adapter")
            told = storage(plan, GENERATE)
            yield table(
                ["", "bytes"],
                [
                    ["predicted: 4 for each trained number", f"{told.adapter:,}"],
                    ["numbers in the file", f"{numbers:,}"],
                    ["the file itself", f"{file:,}"],
                    ["the base", f"{told.base:,}"],
                ],
            )

        result = gr.Markdown("", elem_id="tasks-weighed", elem_classes="lab-lesson-text")
        button(
            lab,
            TAB,
            "Save one and weigh the file",
            Measurement(weigh),
            [model, method],
            [result],
            lambda items: items[-1],
            "tasks-weigh",
        )


def switch(lab: Lab, model: gr.Dropdown) -> None:
    """Several tasks trained on one base, and switched between."""

    def plans(model: str, names: list[str], steps: float) -> dict[str, Plan]:
        return {name: trial(model, "bottleneck", name, int(steps), {"task": GENERATE}) for name in names}

    trials = found.Series(lab, "Task", plans)
    with exhibit("Switch between tasks on one base", elem_id="exhibit-switch"):
        known = [(card.title, name) for name, card in catalogue.datasets().items()]
        names = CheckboxGroup(known, value=["persona", "sentiment"], label="Tasks", elem_id="switch-tasks")
        steps = Slider(5, 300, 60, step=5, label="Steps each", elem_id="switch-steps")
        results = gr.Markdown("", elem_id="switch-results", elem_classes="lab-lesson-text")
        button(
            lab,
            TAB,
            "Train one adapter for each",
            trials,
            [model, names, steps],
            [results],
            lambda runs: found.outcomes(runs),
            "switch-train",
        )
        text = Textbox("Where does Ada live?", label="The same text to each", elem_id="switch-text")

        def measure(text: str, stop: Any) -> Iterator[str]:
            from lab.insight.switching import Bank

            runs = found.done(trials.runs(trials.last()))
            told = Bank(list(runs.values())).measure(text)
            labels = {run.id: label for label, run in runs.items()}
            numbers = table(
                ["", "measured"],
                [
                    ["load the base", duration(told.load)],
                    ["put one more adapter on it", duration(told.attach)],
                    ["switch to another task", duration(told.switch)],
                    ["the base in memory", size(told.base)],
                    ["each adapter in memory", size(sum(told.adapters) / len(told.adapters))],
                ],
            )
            replies = [[labels[key], found.quoted(reply)] for key, reply in told.replies.items()]
            yield numbers + "\n\n" + table(["with the adapter", "the answer"], replies)

        answers = gr.Markdown("", elem_id="switch-answers", elem_classes="lab-lesson-text")
        button(
            lab,
            TAB,
            "Put all on one base and switch",
            Measurement(measure),
            [text],
            [answers],
            lambda items: items[-1],
            "switch-measure",
        )
