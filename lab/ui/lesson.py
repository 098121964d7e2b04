"""A lesson: text from `assets/lessons/NAME.md`, with exhibits between its sections.

The file begins with `# Title` and an introduction; each `## 2.1 Heading` begins a section. A tab places them:

    lesson = Lesson("lora")
    lesson.introduction()
    with lesson.section("2.1"):
        with exhibit("Rank against parameters"):
            ...                                # Gradio components, or lab.ui.figure.Figure

Each section ends in what `assets/js/lesson.js` gives it: a link to it with its controls as they stand, a written
answer, a mark that it is done.

In the text, `[rank](#knob-rank)` points at a control of the bench, `[try it](#set?method=lora&rank=4)` sets it,
`[chat](#view-chat)` opens a view and `[QLoRA](#tab-qlora)` a tab.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NotRequired

import gradio as gr
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from lab.paths import ASSETS
from lab.server.schema import bounded
from lab.ui import controls
from lab.ui.component import Widget
from lab.ui.listeners import listen

#: The formulas' brackets in Markdown.
MATH: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]

#: The folded section that is being built: what stands in it is computed when a person unfolds it, not before.
FOLDED: ContextVar[gr.Accordion | None] = ContextVar("folded", default=None)


@with_config(ConfigDict(extra="ignore"))
class FootValue(TypedDict):
    """What the foot of a section sends: its own facts, and the controls' values that a link asks for."""

    tab: Annotated[str, Field(max_length=200)]
    number: Annotated[str, Field(max_length=200)]
    heading: Annotated[str, Field(max_length=200)]
    first: bool
    set: NotRequired[Annotated[dict[str, list[str]], bounded(values=500, characters=50_000)] | None]


@dataclass(frozen=True)
class Section:
    """One section's number ("2.1"), heading and Markdown text."""

    number: str
    heading: str
    text: str


class Lesson:
    """The lesson of that name. A lesson without a file is an empty one."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _parts(self) -> tuple[str, tuple[Section, ...]]:
        file = ASSETS / "lessons" / f"{self.name}.md"
        return parse(file.read_text(encoding="utf-8") if file.is_file() else "")

    @property
    def sections(self) -> tuple[Section, ...]:
        return self._parts[1]

    def introduction(self) -> None:
        """Place the title and the introduction, and how far one is."""
        text(self._parts[0])
        listed = [{"number": item.number, "heading": item.heading} for item in self.sections]
        Widget("lesson", {"tab": self.name, "sections": listed})

    @contextmanager
    def section(self, number: str, open: bool = False) -> Iterator[None]:
        """Place a section's text, foldable; what is built inside the context follows it.

        Raises KeyError for a number that the file does not have.
        """
        found = next((item for item in self.sections if item.number == number), None)
        if found is None:
            raise KeyError(f"assets/lessons/{self.name}.md has no section {number}")
        title = f"{found.number}  {found.heading}"
        with gr.Accordion(
            title, open=open, elem_classes="lab-section", elem_id=f"section-{number.replace('.', '-')}"
        ) as fold:
            text(found.text)
            token = FOLDED.set(None if open else fold)
            try:
                yield
            finally:
                FOLDED.reset(token)
            about = {"tab": self.name, "number": number, "heading": found.heading, "first": open}
            foot = Widget("section", about, events=("input",), payload=FootValue)
            linked(foot, number, controls.linkable(fold))

    def show(self) -> None:
        """Place the whole lesson without exhibits; the first section stands open."""
        self.introduction()
        for index, item in enumerate(self.sections):
            with self.section(item.number, open=index == 0):
                pass


def linked(foot: Widget, number: str, known: Mapping[str, Any]) -> None:
    """Let the section's foot note what a person sets, and set what a link asks for."""
    for name, item in known.items():
        about = ", ".join(map(json.dumps, (number, name)))
        script = f"(value) => {{ Lab.touch({about}, value, {json.dumps(item.value)}); return []; }}"
        listen(item.input, None, [item], None, js=script)

    def put(told: FootValue) -> list[Any]:
        asked = told.pop("set", None)
        if asked is None:
            return [told | {"kept": None}, *[gr.skip()] * len(known)]
        kept, ignored = asked_for(asked, known)
        return [told | {"kept": kept, "ignored": ignored}, *[kept.get(name, gr.skip()) for name in known]]

    listen(foot.input, put, [foot], [foot, *known.values()])


def asked_for(asked: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The values that a link gives to the controls of a section, and one sentence about what cannot be had."""
    kept: dict[str, Any] = {}
    bad = []
    for name, given in asked.items():
        try:
            kept[name] = controls.read(known[name], list(given))
        except (KeyError, ValueError):
            bad.append(str(known[name].label if name in known else name)[:60])
    if not bad:
        return kept, ""
    return kept, f"The link asks for something that this section cannot have; it was left as it is: {', '.join(bad)}."


def text(markdown: str) -> gr.Markdown:
    """Lesson text with formulas."""
    return gr.Markdown(markdown, elem_classes="lab-lesson-text", latex_delimiters=MATH)


@contextmanager
def exhibit(title: str = "", elem_id: str | None = None) -> Iterator[None]:
    """A framed group for one exhibit: its controls, its picture and its measurement."""
    with gr.Column(elem_classes="lab-exhibit", elem_id=elem_id):
        if title:
            gr.Markdown(f"**{title}**", elem_classes="lab-lesson-text")
        yield


def parse(markdown: str) -> tuple[str, tuple[Section, ...]]:
    """The introduction and the sections of a lesson's file."""
    pieces = re.split(r"^## +", markdown, flags=re.MULTILINE)
    sections = []
    for piece in pieces[1:]:
        heading, _, body = piece.partition("\n")
        number, _, title = heading.strip().partition(" ")
        sections.append(Section(number, title.strip(), body.strip()))
    return pieces[0].strip(), tuple(sections)
