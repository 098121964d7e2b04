"""The lesson `qlora` and its exhibits."""

from __future__ import annotations

from lab.ui.lab import Lab
from lab.ui.lesson import Lesson


def build(lab: Lab) -> None:
    """Place the lesson's text, section by section."""
    Lesson("qlora").show()
