"""The comparison of methods: built, run, looked at and taken away by one widget (`assets/js/compare*.js`)."""

from __future__ import annotations

from lab.ui.comparing import Comparing
from lab.ui.component import Widget
from lab.ui.lab import Lab


def build(lab: Lab) -> None:
    """Place the comparison."""
    Widget("compare", functions=Comparing(lab).functions(), elem_id="compare")
