"""The comparison of methods."""

from __future__ import annotations

from lab.ui.lab import Lab
from lab.ui.lesson import Lesson


def build(lab: Lab) -> None:
    """Place the comparison's text."""
    Lesson("compare").show()
