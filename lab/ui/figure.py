"""A plotly figure on the page, in the page's theme. It changes in place: zoom and hidden traces stay.

`gr.Plot` would rebuild the chart at each value and put an older plotly in its place.
"""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go

from lab.ui.component import Widget


class Figure(Widget):
    """A figure as a component: give it, or return to it, a plotly figure, a sentence (shown instead) or None.

    `label` is what a screen reader says of the picture.
    """

    def __init__(self, value: go.Figure | str | None = None, label: str = "", **arguments: Any) -> None:
        self.label_text = label
        super().__init__("figure", value, **arguments)

    def postprocess(self, value: go.Figure | str | None) -> dict[str, Any]:  # type: ignore[override]
        if value is None:
            return {}
        if isinstance(value, str):
            return {"text": value}
        if isinstance(value, dict):
            return value
        return {"figure": json.loads(value.to_json()), "label": self.label_text or _title(value)}


def _title(figure: go.Figure) -> str:
    return str(figure.layout.title.text or "Figure")
