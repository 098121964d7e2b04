"""1.2: the model as a map of its tensors, frozen against trained."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from lab import methods
from lab.errors import LabError
from lab.insight.tree import nodes
from lab.plan import GENERATE, Precision
from lab.plots.cost import treemap
from lab.plots.style import colour
from lab.ui.controls import Dropdown
from lab.ui.exhibits.parts import live, percent, shape_of, table
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit


def draw(model: str, key: str) -> tuple[Any, str]:
    """The map and its sum. Raises LabError for a method that does not fit the model."""
    shape, method = shape_of(model), methods.method(key)
    settings = method.Settings()
    reason = method.compatible(settings, shape, Precision())
    if reason:
        raise LabError(reason.message, reason.hint)
    terms = method.terms(settings, shape)
    count = sum(term.count for term in terms)
    words = (
        f"{method.summary} **{count:,}** parameters are trained of **{shape.total:,}**: "
        f"{percent(count / shape.total)}. "
        f"By formula: {method.formula}."
    )
    return treemap(nodes(shape, terms), colour(key)), words


def apply(model: str, key: str, stop: threading.Event) -> Iterator[Any]:
    """Put the method on the real model and count."""
    from lab.insight.applied import apply as applied

    yield applied(methods.default_plan(key, model=model), GENERATE)


def counted(items: list[Any]) -> str:
    """What the model itself says beside what the formula promised."""
    found = items[-1]
    rows = [
        ["parameters of the original", f"{found.original:,}"],
        ["parameters now", f"{found.total:,}"],
        ["require a gradient", f"{found.trainable:,}"],
        ["promised by the formula", f"{found.formula:,}"],
    ]
    return table(["counted in the real model", ""], rows)


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The map, and the count in the real model."""
    able = [(item.title, item.key) for item in methods.METHODS.values() if GENERATE in item.tasks]
    with exhibit("What is frozen, what is trained", elem_id="why-map"):
        key = Dropdown(able, value="lora", label="Method", elem_id="map-method")
        figure = Figure(label="Map of the model's tensors by size, the trained ones in colour")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="map-words")
        live(lab, "why", draw, [model, key], [figure, words])
        found = gr.Markdown(elem_classes="lab-lesson-text", elem_id="map-counted")
        button(
            lab, "why", "Count in the real model", Measurement(apply), [model, key], [found], counted, "map-measure"
        )
