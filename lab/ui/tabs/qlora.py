"""The lesson `qlora` and its exhibits."""

from __future__ import annotations

from lab.ui.exhibits.parts import model_choice
from lab.ui.exhibits.qlora import adapting, bits, levels, sum
from lab.ui.lab import Lab
from lab.ui.lesson import Lesson


def build(lab: Lab) -> None:
    """Place the lesson, each section with its exhibits."""
    lesson = Lesson("qlora")
    lesson.introduction()
    model = model_choice(lab, "qlora")
    for number, place in (
        ("5.1", bits.place),
        ("5.2", sum.place),
        ("5.3", levels.place),
        ("5.4", adapting.place_rounding),
        ("5.5", adapting.place_loading),
    ):
        with lesson.section(number, open=number == "5.1"):
            place(lab, model)
