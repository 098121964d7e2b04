"""The bench as components: the form, the instrument and the chat. There is one, and every exercise uses it."""

from __future__ import annotations

from typing import Annotated, Any

import gradio as gr
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from lab import methods
from lab.data import catalogue as data_catalogue
from lab.errors import LabError
from lab.plots.style import LEDGER
from lab.server.schema import PlanTable
from lab.ui.bench import chat, form
from lab.ui.component import Widget
from lab.ui.lab import Lab


@with_config(ConfigDict(extra="ignore"))
class FormValue(TypedDict):
    """What listeners get of the form: the plan in it and the open tab."""

    plan: PlanTable
    tab: Annotated[str, Field(max_length=100)]


def bench(lab: Lab, starts: dict[str, dict[str, str]]) -> Widget:
    """Place the bench. `starts` gives, by tab, the loose settings with which its form opens.

    The form is returned: its value's "plan" is the plan in it, and its `input` fires when that has another model.
    """
    with gr.Row(elem_id="bench-row"):
        with gr.Column(elem_id="bench-form"):
            picked = Widget(
                "form",
                {"spec": form.spec(), "plans": plans(starts)},
                events=("input",),
                elem_id="form",
                payload=FormValue,
            )
        with gr.Column(elem_id="bench-stage"):
            Widget("stage", {"ledger": [list(item) for item in LEDGER]}, elem_id="stage")
            chat.place(lab)
    return picked


def plans(starts: dict[str, dict[str, str]]) -> dict[str, dict[str, Any]]:
    """The form that each tab opens with."""
    base = form.form(methods.default_plan(data=_data()))
    found = {}
    for name, start in starts.items():
        rest = dict(start)
        lesson = rest.pop("lesson", "")
        taught = next((item.key for item in methods.METHODS.values() if item.lesson == lesson), None)
        if taught:
            rest["method"] = taught
        try:
            found[name] = form.given(base, rest)
        except LabError:
            found[name] = base
    return found


def _data() -> Any:
    from lab.plan import Data

    known = data_catalogue.datasets()
    default = Data()
    return default if default.source in known or not known else Data(source=next(iter(known)))
