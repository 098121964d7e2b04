"""The controls of an exhibit by name: what a link holds of them and what an example was made with."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

CONTROLS = (gr.Slider, gr.Number, gr.Checkbox, gr.CheckboxGroup, gr.Radio, gr.Dropdown, gr.Textbox)

#: Characters of a text that a link may carry.
LONGEST = 2000


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
    if isinstance(control, gr.CheckboxGroup):
        return [_chosen(control, item) for item in given if item]
    if len(given) != 1:
        raise ValueError("one value is needed")
    text = given[0]
    if isinstance(control, gr.Checkbox):
        return text == "true" if text in ("true", "false") else _refuse()
    if isinstance(control, gr.Slider | gr.Number):
        return _number(control, text)
    if len(text) > LONGEST:
        raise ValueError("too long")
    return text if isinstance(control, gr.Textbox) else _chosen(control, text)


def _chosen(control: Any, text: str) -> Any:
    for _, value in control.choices or ():
        if str(value) == text:
            return value
    return text if getattr(control, "allow_custom_value", False) and text else _refuse()


def _number(control: Any, text: str) -> float:
    value = float(text)
    low, high = control.minimum, control.maximum
    if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
        raise ValueError("out of bounds")
    step = getattr(control, "step", None)
    whole = getattr(control, "precision", None) == 0 or (isinstance(step, int) and step > 0)
    if whole and value != int(value):
        raise ValueError("a whole number is needed")
    return int(value) if whole else value


def _refuse() -> Any:
    raise ValueError("not one of the choices")
