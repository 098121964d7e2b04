"""The table of all runs."""

from __future__ import annotations

from lab.ui.component import Widget
from lab.ui.lab import Lab


def build(lab: Lab) -> None:
    """Place the table; its script asks the services for the runs."""
    Widget("runs", elem_id="runs-table")
