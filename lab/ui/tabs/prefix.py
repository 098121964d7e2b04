"""The lesson `prefix` and its exhibits."""

from __future__ import annotations

from lab.ui.exhibits.parts import model_choice
from lab.ui.exhibits.prefix.anatomy import numbers, where
from lab.ui.exhibits.prefix.kinds import families, nearest, prompts
from lab.ui.exhibits.prefix.steering import ablating, steering
from lab.ui.exhibits.prefix.styles import styles
from lab.ui.lab import Lab
from lab.ui.lesson import Lesson


def build(lab: Lab) -> None:
    """Place the lesson's text, section by section, each with its exhibits."""
    lesson = Lesson("prefix")
    lesson.introduction()
    model = model_choice(lab, "prefix")
    with lesson.section("4.1", open=True):
        numbers(lab, model)
    with lesson.section("4.2"):
        ablating(lab, steering(lab, model))
    with lesson.section("4.3"):
        where(lab, model)
    with lesson.section("4.4"):
        families(lab, model)
    with lesson.section("4.5"):
        styles(lab, model)
    with lesson.section("4.6"):
        nearest(lab, prompts(lab, model))
