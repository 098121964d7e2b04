"""The controls of an exhibit: what they may be sent, what a link holds of them, what an example was made with.

Anybody can send a listener any JSON in place of a control's value, so the controls are Gradio's own with a check
before the value goes on: what the control could not have been set to is refused with a sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from lab.errors import LabError
from lab.server.schema import check_json
from lab.ui.guard import shown

CONTROLS = (gr.Slider, gr.Number, gr.Checkbox, gr.CheckboxGroup, gr.Radio, gr.Dropdown, gr.Textbox)

#: Characters of a text that a link may carry, and that a box may be sent.
LONGEST = 2000


class Checked:
    """What the lab's controls add to Gradio's: `preprocess` refuses what the control could not hold."""

    def preprocess(self, payload: Any) -> Any:
        """The value as the control's listeners get it. Raises gr.Error with a sentence for any other JSON."""
        try:
            value = accept(self, check_json(payload, values=2_000))
        except LabError as error:
            raise shown(error) from None
        return super().preprocess(value)  # type: ignore[misc]


class Slider(Checked, gr.Slider): ...


class Number(Checked, gr.Number): ...


class Checkbox(Checked, gr.Checkbox): ...


class CheckboxGroup(Checked, gr.CheckboxGroup): ...


class Radio(Checked, gr.Radio): ...


class Dropdown(Checked, gr.Dropdown): ...


class Textbox(Checked, gr.Textbox): ...


def accept(control: Any, value: Any) -> Any:
    """The value if the control can be set to it, a choice in the form in which the control lists it.

    An empty list of own entries gives "" and an empty box of text too. Raises LabError for anything else.
    """
    label = f"'{control.label}'"
    if isinstance(control, gr.CheckboxGroup):
        if not isinstance(value, list | None):
            raise LabError(f"{label} must be a list of its choices.")
        return list(dict.fromkeys(_choice(control, item) for item in value or ()))
    if isinstance(control, gr.Checkbox):
        if not isinstance(value, bool | None):
            raise LabError(f"{label} must be true or false.")
        return bool(value)
    if isinstance(control, gr.Slider | gr.Number):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise LabError(f"{label} must be a number.")
        return _bounded(control, value)
    if isinstance(control, gr.Textbox):
        return _text(control, "" if value is None else value)
    own = getattr(control, "allow_custom_value", False)
    if value is None and (own or not control.choices):
        return "" if own else None
    return _text(control, value) if own and isinstance(value, str) else _choice(control, value)


def _text(control: Any, value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise LabError(f"'{control.label}' must be a text of at most {LONGEST:,} characters.", "Write less.")
    return value


def _choice(control: Any, value: Any) -> Any:
    """The control's own form of a choice: a choice of 1 can be sent as 1.0 or true, and stays 1."""
    for _, choice in control.choices or ():
        if choice == value:
            return choice
    raise LabError(f"'{control.label}' has no such choice.", "Choose one that it lists.")


def _bounded(control: Any, value: float) -> float:
    """The number. Raises LabError if it is out of the control's bounds or between its whole steps."""
    low, high = control.minimum, control.maximum
    if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
        bounds = f" from {low:g} to {high:g}" if low is not None and high is not None else " within its bounds"
        raise LabError(f"'{control.label}' must be a number{bounds}.")
    step = getattr(control, "step", None)
    whole = getattr(control, "precision", None) == 0 or (isinstance(step, int) and step > 0)
    if whole and value != int(value):
        raise LabError(f"'{control.label}' must be a whole number.")
    return int(value) if whole else value


def name(control: Any) -> str:
    """A control's `elem_id`, or its label in small letters: "sequence-length"."""
    return str(control.elem_id or re.sub(r"\W+", "-", str(control.label).lower()).strip("-"))


def inside(block: Any) -> Iterator[Any]:
    """Everything that stands in a block, in its order."""
    for child in getattr(block, "children", ()):
        yield child
        yield from inside(child)


def controls(block: Any) -> dict[str, Any]:
    """The controls in a block that a person sets, by name."""
    return {
        name(item): item for item in inside(block) if isinstance(item, CONTROLS) and item.interactive is not False
    }


def linkable(block: Any) -> dict[str, Any]:
    """Those that a link may hold: not the lists that are filled with what was trained here."""
    return {
        key: item
        for key, item in controls(block).items()
        if not isinstance(item, gr.Dropdown) or item.allow_custom_value or len(item.choices or ()) > 1
    }


def read(control: Any, given: Sequence[str]) -> Any:
    """The value that a link gives a control. Raises ValueError if the control cannot have it."""
    try:
        return _read(control, given)
    except LabError as error:
        raise ValueError(error.message) from None


def _read(control: Any, given: Sequence[str]) -> Any:
    if isinstance(control, gr.CheckboxGroup):
        return [_named(control, item) for item in given if item]
    if len(given) != 1:
        raise ValueError("one value is needed")
    text = given[0]
    if isinstance(control, gr.Checkbox):
        if text not in ("true", "false"):
            raise ValueError("true or false is needed")
        return text == "true"
    if isinstance(control, gr.Slider | gr.Number):
        return _bounded(control, float(text))
    text = _text(control, text)
    return text if isinstance(control, gr.Textbox) else _named(control, text)


def _named(control: Any, text: str) -> Any:
    """The choice whose value is written so."""
    for _, value in control.choices or ():
        if str(value) == text:
            return value
    if getattr(control, "allow_custom_value", False) and text:
        return text
    raise ValueError("not one of the choices")
