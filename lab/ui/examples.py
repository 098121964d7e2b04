"""Examples: what a button of an exhibit found when `python -m benchmarks.exercises --keep` pressed it.

An example is a file `assets/examples/BUTTON.json`: the settings that the controls had, the sentence beside the
button, and the figures and texts that changed. It is shown, marked as one, until a person presses the button.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from lab.paths import ASSETS
from lab.ui.figure import Figure

FOLDER = ASSETS / "examples"

COMMAND = "python -m benchmarks.exercises --keep"


@dataclass(frozen=True)
class Example:
    """`settings` are the controls' values by name, `labels` what the page calls them; a part is a text, or a figure
    as `Figure` sends it to the page."""

    made: str
    machine: str
    versions: dict[str, str]
    settings: dict[str, Any]
    labels: dict[str, str]
    said: str
    parts: tuple[Any, ...]

    def head(self) -> str:
        """Where it comes from, in one paragraph."""
        told = "; ".join(f"{self.labels[name]}: {_words(value)}" for name, value in self.settings.items())
        return (
            f"**Example** {self.said}\n\nMade on {self.made} by `{COMMAND}` on {self.machine}, torch "
            f"{self.versions['torch']}. {told}{'.' if told else ''} Press the button to make your own."
        )


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def file(button: str) -> Path:
    return FOLDER / f"{button}.json"


@lru_cache(maxsize=64)
def load(button: str) -> Example | None:
    """The example of the button with that `elem_id`, if one is kept."""
    if not file(button).is_file():
        return None
    found = json.loads(file(button).read_text(encoding="utf-8"))
    return Example(**{**found, "parts": tuple(found["parts"])})


def keep(button: str, example: Example) -> None:
    """Write an example's file."""
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(asdict(example), ensure_ascii=False, separators=(",", ":"))
    file(button).write_text(text + "\n", encoding="utf-8")


def place(button: str) -> tuple[gr.Column, list[Any]] | None:
    """Room for a button's example: the column and its parts, empty until `load(button).parts` are put in."""
    example = load(button)
    if example is None:
        return None
    with gr.Column(elem_classes="lab-example", elem_id=f"{button}-example") as column:
        gr.Markdown(example.head(), elem_classes="lab-lesson-text")
        parts = [
            Figure(label=part.get("label", "")) if isinstance(part, dict) else
            gr.Markdown(elem_classes="lab-lesson-text")
            for part in example.parts
        ]  # fmt: skip
    return column, parts


def values(button: str) -> Any:
    """What the parts of a button's example show."""
    example = load(button)
    found = list(example.parts) if example else []
    return found[0] if len(found) == 1 else found
