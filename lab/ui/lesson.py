"""A lesson: text from `assets/lessons/NAME.md`, with exhibits between its sections.

The file begins with `# Title` and an introduction; each `## 2.1 Heading` begins a section. A tab places them:

    lesson = Lesson("lora")
    lesson.introduction()
    with lesson.section("2.1"):
        with exhibit("Rank against parameters"):
            ...                                # Gradio components, or lab.ui.figure.Figure

In the text, `[rank](#knob-rank)` points at a control of the bench, `[try it](#set?method=lora&rank=4)` sets it,
`[chat](#view-chat)` opens a view and `[QLoRA](#tab-qlora)` a tab.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property

import gradio as gr

from lab.ui.theme import ASSETS

#: The formulas' brackets in Markdown.
MATH: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]

#: The folded section that is being built: what stands in it is computed when a person unfolds it, not before.
FOLDED: ContextVar[gr.Accordion | None] = ContextVar("folded", default=None)


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
        """Place the title and the introduction."""
        text(self._parts[0])

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

    def show(self) -> None:
        """Place the whole lesson without exhibits; the first section stands open."""
        self.introduction()
        for index, item in enumerate(self.sections):
            with self.section(item.number, open=index == 0):
                pass


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
