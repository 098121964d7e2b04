"""Where methods changed the base, layer by layer, and the spectrum of what they added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from lab.compare.where import Change
from lab.plots.style import figure

#: Singular values that are drawn.
SHOWN = 64


def layers(changes: Sequence[Change], looks: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Left: ‖ΔW‖ / ‖W‖ by layer. Right: the singular values of the most changed matrix, the largest as 1."""
    traces = []
    for item in changes:
        look = looks[item.arm]
        line = {"color": look["colour"], "dash": look["dash"], "width": 1.8}
        dots = {"symbol": look["marker"], "size": 6, "color": look["colour"]}
        share = {"type": "scatter", "mode": "lines+markers", "name": item.arm, "legendgroup": item.arm}
        top = item.spectrum[0] if item.spectrum and item.spectrum[0] else 1.0
        values = [value / top for value in item.spectrum[:SHOWN]]
        traces += [
            {**share, "x": list(item.size), "y": list(item.size.values()), "line": line, "marker": dots,
             "hovertemplate": f"{item.arm}<br>layer %{{x}}: %{{y:.2%}}<extra></extra>"},
            {**share, "x": list(range(1, len(values) + 1)), "y": values, "line": line, "mode": "lines",
             "showlegend": False, "xaxis": "x2", "yaxis": "y2",
             "hovertemplate": f"{item.arm}, {item.module}<br>direction %{{x}}: %{{y:.2g}}<extra></extra>"},
        ]  # fmt: skip
    plot = figure(traces, x="Layer", y="‖ΔW‖ / ‖W‖", hovermode="closest", height=360)
    plot.update_layout(
        xaxis={"domain": [0, 0.44], "dtick": 1},
        yaxis={"type": "log"},
        xaxis2={"domain": [0.56, 1], "title": {"text": "Direction of the most changed matrix"}, "anchor": "y2"},
        yaxis2={
            "type": "log",
            "title": {"text": "Singular value, the largest is 1"},
            "anchor": "x2",
            "range": [-4, 0.1],
        },
    )
    return plot
