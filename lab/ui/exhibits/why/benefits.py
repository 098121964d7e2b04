"""1.3: four benefits, each with the button that measures it here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr

from lab import methods
from lab.plan import GENERATE
from lab.plots.cost import panels
from lab.plots.style import colour
from lab.ui.controls import Dropdown, Slider
from lab.ui.exhibits.found import done
from lab.ui.exhibits.parts import data_catalogue, percent, size, table, trial
from lab.ui.exhibits.watch import Trials, button
from lab.ui.exhibits.why.calculator import little, steps_of, whole
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit


def colours(runs: dict[str, Any]) -> list[str]:
    """The colour of each run's method."""
    return [colour(run.plan.method) for run in runs.values()]


def computation(runs: dict[str, Any]) -> tuple[Any, str]:
    """Seconds a step and the peak of memory."""
    told = {label: run.history() for label, run in runs.items()}
    seconds = [h.seconds / len(h.steps) if h.steps else None for h in told.values()]
    peaks = [float(h.peak.total) if h.steps else None for h in told.values()]
    figure = panels(
        ["Seconds a step", "Peak memory, bytes"], list(told), [seconds, peaks], colours(runs), [".3f", ".3s"]
    )
    if None in seconds:
        return figure, ""
    whole_, *_, few = told
    return figure, (
        f"{few} takes {percent(seconds[-1] / seconds[0])} of the time of {whole_} "  # type: ignore[operator]
        f"and {percent(peaks[-1] / peaks[0])} of its memory."  # type: ignore[operator]
    )


def storage(runs: dict[str, Any]) -> tuple[Any, str]:
    """Bytes that each run left on the disk."""
    sizes = [float(run.bytes) or None for run in runs.values()]
    figure = panels(["Bytes on the disk"], list(runs), [sizes], colours(runs), [".3s"])
    if None in sizes:
        return figure, ""
    return figure, f"The files: {', '.join(f'{label} {size(run.bytes)}' for label, run in runs.items())}."


def forgetting(runs: dict[str, Any]) -> tuple[Any, str]:
    """Score, and bits per byte of general prose, before and after."""
    told = {label: run.history() for label, run in runs.items()}
    names: list[str] = []
    scores: list[float] = []
    general: list[float] = []
    shades: list[str] = []
    rows: list[list[str]] = []
    for (label, history), shade in zip(told.items(), colours(runs)):
        base, last = history.base, history.last
        if base and not names:
            names, scores, general, shades = ["base"], [base.score], [base.general], ["#9aa3ae"]
        if base and last:
            names.append(label)
            scores.append(last.score)
            general.append(last.general)
            shades.append(shade)
            if base.general and last.general:
                rows.append(
                    [label, f"{base.general:.4f}", f"{last.general:.4f}", f"{last.general - base.general:+.4f}"]
                )
    figure = panels(["Score of the task", "Bits per byte of prose"], names, [scores, general], shades, [".0%", ".3f"])
    return figure, table(["forgotten", "before", "after", "change"], rows) if rows else ""


@lru_cache(maxsize=8)
def _shared(runs: tuple[Any, ...]) -> Any:
    from lab.insight.adapter_files import shared

    return shared(list(runs))


def together(runs: dict[str, Any]) -> tuple[Any, str]:
    """Bytes of the tasks on one base, once all are trained."""
    ready = done(runs)
    if len(ready) < len(runs):
        return f"{len(ready)} of {len(runs)} tasks are trained.", ""
    found = _shared(tuple(ready.values()))
    figure = panels(
        ["Bytes in memory"],
        ["a copy for each", "one base for all"],
        [[float(found.copies), float(found.together)]],
        ["#9aa3ae", colour(next(iter(ready.values())).plan.method)],
        [".3s"],
    )
    rows = []
    for label, run in ready.items():
        history = run.history()
        if history.base and history.last:
            rows.append([label, f"{history.base.score:.0%}", f"{history.last.score:.0%}"])
    return figure, table(["on one base", "score before", "score after"], rows) + (
        f"\n\nBase {size(found.base)}, adapters {', '.join(size(item) for item in found.adapters)}."
    )


def tasks_of(model: str, key: str, steps: float) -> dict[str, Any]:
    """The method on each of the embedded sets whose task is to write."""
    sets = [name for name, card in data_catalogue.datasets().items() if card.task == GENERATE]
    return {name: trial(model, key, name, int(steps)) for name in sets}


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The four measurements."""
    with exhibit("Measure each benefit", elem_id="why-benefits"):
        key = Dropdown(little(), value="lora", label="Method, against full fine-tuning", elem_id="benefit-method")
        steps = Slider(4, 200, 40, step=4, label="Steps, for 3 and 4", elem_id="benefit-steps")
        short = Trials(lab, "1.3 Eight steps", lambda m, k: steps_of(m, k, 8))
        longer = Trials(
            lab,
            "1.3 Forgetting",
            lambda m, k, n: {
                item.title: trial(m, item.key, "persona", int(n)) for item in (whole(), methods.method(k))
            },
        )
        several = Trials(lab, "1.3 Tasks", tasks_of)
        for title, label, work, inputs, show, name in (
            ("1 · Computation and memory", "Measure time and memory", short, [model, key], computation, "compute"),
            ("2 · Storage", "Measure the files", short, [model, key], storage, "storage"),
            (
                "3 · Forgetting",
                "Train both and see what is forgotten",
                longer,
                [model, key, steps],
                forgetting,
                "forget",
            ),
            ("4 · Several tasks", "Train two tasks on one base", several, [model, key, steps], together, "tasks"),
        ):
            gr.Markdown(f"**{title}**", elem_classes="lab-lesson-text")
            figure = Figure(label=title)
            words = gr.Markdown(elem_classes="lab-lesson-text", elem_id=f"benefit-{name}-words")
            button(lab, "why", label, work, inputs, [figure, words], show, f"benefit-{name}")
