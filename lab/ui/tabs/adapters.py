"""The lesson `adapters` and its exhibits."""

from __future__ import annotations

from lab.ui.exhibits.adapters.hub import hub
from lab.ui.exhibits.adapters.inside import module, placements
from lab.ui.exhibits.adapters.speed import speed
from lab.ui.exhibits.adapters.tasks import bytes_for_tasks, switch
from lab.ui.exhibits.parts import model_choice
from lab.ui.lab import Lab
from lab.ui.lesson import Lesson


def build(lab: Lab) -> None:
    """Place the lesson's text, section by section, each with its exhibits."""
    lesson = Lesson("adapters")
    lesson.introduction()
    model = model_choice(lab, "adapters")
    with lesson.section("3.1", open=True):
        trials = placements(lab, model)
    with lesson.section("3.2"):
        module(lab, model, trials)
    with lesson.section("3.3"):
        bytes_for_tasks(lab, model)
        switch(lab, model)
    with lesson.section("3.4"):
        speed(lab, model)
    with lesson.section("3.5"):
        hub(lab, model)
