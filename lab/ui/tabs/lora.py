"""The lesson `lora` and its exhibits."""

from __future__ import annotations

from lab.ui.exhibits.lora import counting, files, flow, sweep, versus
from lab.ui.exhibits.parts import model_choice
from lab.ui.lab import Lab
from lab.ui.lesson import Lesson


def build(lab: Lab) -> None:
    """Place the lesson, each section with its exhibits."""
    lesson = Lesson("lora")
    lesson.introduction()
    model = model_choice(lab, "lora")
    for number, place in (
        ("2.1", flow.place),
        ("2.2", counting.place_counts),
        ("2.3", counting.place_code),
        ("2.4", versus.place),
        ("2.5", files.place),
        ("2.6", sweep.place),
    ):
        with lesson.section(number, open=number == "2.1"):
            place(lab, model)
