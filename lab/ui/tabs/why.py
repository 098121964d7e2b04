"""The lesson `why` and its exhibits."""

from __future__ import annotations

from lab.ui.exhibits.parts import model_choice
from lab.ui.exhibits.why import benefits, calculator, map, spectrum
from lab.ui.lab import Lab
from lab.ui.lesson import Lesson


def build(lab: Lab) -> None:
    """Place the lesson, each section with its exhibits."""
    lesson = Lesson("why")
    lesson.introduction()
    model = model_choice(lab, "why")
    for number, room in (("1.1", calculator), ("1.2", map), ("1.3", benefits), ("1.4", spectrum)):
        with lesson.section(number, open=number == "1.1"):
            room.place(lab, model)
