"""What exhibits share: the model that they measure, tables, numbers as people write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from lab import methods
from lab.data import catalogue as data_catalogue
from lab.errors import LabError
from lab.models.catalogue import DEFAULT, models
from lab.plan import GENERATE, Data, Plan
from lab.ui.controls import Dropdown
from lab.ui.guard import guarded
from lab.ui.lab import Lab
from lab.ui.listeners import listen


def model_choice(lab: Lab, tab: str) -> gr.Dropdown:
    """The model that the tab's exhibits measure. It follows the bench's form (`follow_the_bench`)."""
    choice = Dropdown(
        _listed(),
        value=DEFAULT,
        allow_custom_value=True,
        label="Model that this lesson measures",
        info="Follows the bench; a Hub id or a folder works too.",
        elem_id=f"{tab}-model",
    )
    lab.followers[tab] = choice
    return choice


def _listed(more: str = "") -> list[tuple[str, str]]:
    """The models that a list offers, and one more that it has not."""
    known = {name: card.title for name, card in models().items()}
    return [(title, name) for name, title in (known | ({more: more} if more and more not in known else {})).items()]


def follow_the_bench(lab: Lab) -> None:
    """Let the choice of the open tab take the model of that tab's form when it changes: one request, one tab."""
    if lab.form is None or not lab.followers:
        return

    def follow(form: Any, *now: str) -> Any:
        wanted = str(form["plan"].get("model") or "")[:500]
        found = [
            gr.Dropdown(choices=_listed(wanted), value=wanted)
            if wanted and tab == form["tab"] and wanted != one
            else gr.skip()
            for tab, one in zip(lab.followers, now, strict=True)
        ]
        return found if len(found) > 1 else found[0]

    choices = list(lab.followers.values())
    listen(lab.form.input, follow, [lab.form, *choices], choices)


def data_choice(task: str = "", value: str = "", elem_id: str | None = None) -> gr.Dropdown:
    """The embedded data sets, all or those of one task."""
    found = [(card.title, name) for name, card in data_catalogue.datasets().items() if task in ("", card.task)]
    return Dropdown(found, value=value or (found[0][1] if found else None), label="Data", elem_id=elem_id)


def shape_of(model: str) -> Any:
    """The shape of a model that writes. Raises LabError if there is none of that name."""
    from lab.models import loading

    return loading.shape(model, GENERATE)


def module_choice(lab: Lab, tab: str, model: gr.Dropdown, elem_id: str, roles: tuple[str, ...] = ()) -> gr.Dropdown:
    """A list of the model's linear maps (those with one of the roles, if any are given), kept up to date."""
    choice = Dropdown([], label="Matrix", elem_id=elem_id, allow_custom_value=True)

    def fill(name: str, now: str | None) -> Any:
        try:
            found = shape_of(name).projections
        except LabError:
            return gr.Dropdown(choices=[], value=None)
        names = [item.name for item in found if not roles or item.role in roles]
        return gr.Dropdown(choices=names, value=now if now in names else names[len(names) // 2] if names else None)

    lab.opened(tab, fill, [model, choice], choice)
    listen(model.change, fill, [model, choice], choice)
    return choice


def live(
    lab: Lab, tab: str, work: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any], at_open: bool = True
) -> None:
    """Answer every control at once, only the newest of quick changes. A LabError stands in the first output."""
    answer = sentence(work, len(outputs))
    watched = [item for item in inputs if not isinstance(item, gr.State)]
    triggers = [item.input if isinstance(item, gr.Slider) else item.change for item in watched]
    if at_open:
        triggers.append(lab.seen(tab))
    # One listener for all: of two the slower would have the last word, though it answers what was asked first.
    listen(partial(gr.on, triggers), answer, list(inputs), list(outputs), trigger_mode="always_last")


def sentence(work: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The work, with a LabError said in place of its first result."""

    @guarded
    def answered(*arguments: Any) -> Any:
        try:
            return work(*arguments)
        except LabError as error:
            words = f"{error.message} {error.hint}"
            return words if count == 1 else [words, *[gr.skip()] * (count - 1)]

    return answered


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; all columns but the first are right-aligned. A wide one is turned, for a narrow page."""
    if len(head) > max(4, len(rows) + 1):
        head, *rows = zip(head, *rows)
    lines = ["| " + " | ".join(head) + " |", "|:--" + "|--:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def size(count: float) -> str:
    """Bytes in decimal units, as papers and data sheets count: 350 GB."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB", "PB"))


def amount(count: float) -> str:
    """A number of parameters: 18.9M."""
    return _scaled(count, ("", "k", "M", "B", "T")).replace(" ", "")


def _scaled(count: float, units: tuple[str, ...]) -> str:
    place = 0
    while abs(count) >= 999.5 and place < len(units) - 1:
        count, place = count / 1000, place + 1
    digits = f"{count:.0f}" if place == 0 or count >= 99.5 else f"{count:.3g}"
    return f"{digits} {units[place]}".strip()


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    for length, unit in ((365.25 * 86400, "years"), (86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def percent(share: float) -> str:
    """A share: 0.011%, 12.4%."""
    return f"{100 * share:.3g}%"


def trial(model: str, method: str, data: str, steps: int, given: dict[str, Any] | None = None, **parts: Any) -> Plan:
    """A short plan for an exhibit: the method's own defaults, `steps` steps, evaluated before and after."""
    plan = methods.default_plan(method, model=model, data=Data(source=data))
    short = {"steps": int(steps), "eval_every": 0, "eval_rows": 96, "reply_rows": 16, "batch_size": 8}
    plan = methods.with_values(plan, {**short, **(given or {})})
    return replace(plan, **parts) if parts else plan
