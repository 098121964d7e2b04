"""Pictures of quantization: levels on the weights' histogram, families of levels, errors, curves of training."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import plotly.graph_objects as go

from lab.plots.style import HELD_OUT, NEUTRAL, figure

BLUE = "#0072b2"

#: One colour and dash for each way to store a number.
STORED: dict[str, tuple[str, str]] = {
    "fp32": ("#7a7f87", "solid"),
    "bf16": ("#0072b2", "solid"),
    "fp16": ("#56b4e9", "dash"),
    "int8": ("#d55e00", "solid"),
    "nf4": ("#009e73", "solid"),
    "fp4": ("#cc79a7", "dash"),
}


def histogram(
    edges: Sequence[float], counts: Sequence[int], levels: Sequence[float], after: Sequence[int]
) -> go.Figure:
    """How many weights lie where (in units of their block's largest), the levels, and how many each level gets."""
    middles = [(a + b) / 2 for a, b in itertools.pairwise(edges)]
    most = max(counts, default=1) or 1
    heights = [count / (max(after, default=1) or 1) * most for count in after]
    return figure(
        [
            go.Bar(x=middles, y=list(counts), name="weights", marker={"color": BLUE, "opacity": 0.55}),
            go.Scatter(
                x=[x for level in levels for x in (level, level, None)],
                y=[y for height in heights for y in (0, height, None)],
                name="levels, by their use",
                mode="lines",
                line={"color": HELD_OUT, "width": 1.6},
                hoverinfo="skip",
            ),
        ],
        "",
        "weight / largest of its block",
        "",
        height=260,
        bargap=0,
        yaxis_tickformat="~s",
        legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0, "font": {"size": 11}},
    )


def families(rows: Sequence[tuple[str, Sequence[float], str]], spread: float) -> go.Figure:
    """Levels of several formats as ticks under the density of normal weights with this spread (of their largest)."""
    xs = [index / 100 for index in range(-100, 101)]
    density = [math.exp(-((x / spread) ** 2) / 2) for x in xs]
    traces: list[go.Scatter] = [
        go.Scatter(x=xs, y=[len(rows) + 0.9 * value for value in density], name="normal weights", mode="lines",
                   line={"color": NEUTRAL, "width": 1.4}, hoverinfo="skip", showlegend=False)
    ]  # fmt: skip
    for row, (name, levels, shade) in enumerate(reversed(rows)):
        traces.append(
            go.Scatter(
                x=list(levels),
                y=[row + 0.35] * len(levels),
                name=name,
                mode="markers",
                marker={"symbol": "line-ns", "size": 18, "line": {"width": 1.6, "color": shade}},
                hovertemplate=f"{name}: %{{x:.4f}}<extra></extra>",
                showlegend=False,
            )
        )
    names = [name for name, _, _ in reversed(rows)]
    return figure(
        traces,
        "",
        "level / largest",
        height=120 + 46 * len(rows),
        hovermode="closest",
        yaxis={
            "tickvals": [row + 0.35 for row in range(len(rows))],
            "ticktext": names,
            "showgrid": False,
            "zeroline": False,
            "range": [0, len(rows) + 1],
            "automargin": True,
        },
    )


def bars(names: Sequence[str], values: Sequence[float], title: str, tick: str, log: bool = False) -> go.Figure:
    """One bar for each way to store numbers, in its colour."""
    return figure(
        [
            go.Bar(
                x=list(names),
                y=list(values),
                marker={"color": [STORED.get(name.split()[0].lower(), (BLUE, ""))[0] for name in names]},
                texttemplate=f"%{{y:{tick}}}",
                textposition="auto",
                hovertemplate=f"%{{x}}: %{{y:{tick}}}<extra></extra>",
            )
        ],
        title,
        height=230,
        showlegend=False,
        hovermode="closest",
        yaxis_tickformat=tick,
        yaxis_type="log" if log else "linear",
    )


def curves(
    rows: Sequence[tuple[str, Sequence[float], Sequence[float]]], title: str, y: str, tick: str = ""
) -> go.Figure:
    """One curve for each way to store numbers: (name, steps, values)."""
    return figure(
        [
            go.Scatter(
                x=list(xs),
                y=list(ys),
                name=name,
                mode="lines",
                line={"color": STORED.get(name, (BLUE, "solid"))[0], "dash": STORED.get(name, (BLUE, "solid"))[1]},
            )
            for name, xs, ys in rows
        ],
        title,
        "step",
        y,
        height=250,
        yaxis_tickformat=tick,
    )


def compare_bytes(names: Sequence[str], measured: Sequence[float], predicted: Sequence[float]) -> go.Figure:
    """Measured and predicted bytes of each precision, side by side."""
    return figure(
        [
            go.Bar(x=list(names), y=list(measured), name="measured", marker={"color": BLUE}),
            go.Bar(x=list(names), y=list(predicted), name="predicted", marker={"color": NEUTRAL}),
        ],
        "Bytes of the base as loaded",
        height=240,
        barmode="group",
        yaxis_tickformat=".3s",
        yaxis_ticksuffix="B",
        yaxis_rangemode="tozero",
    )


def paging(lengths: Sequence[int], needed: Sequence[float], moved: Sequence[float], capacity: float) -> go.Figure:
    """What a step needs by sequence length, the card's memory, and the optimizer state that has to move out."""
    plot = figure(
        [
            go.Scatter(x=list(lengths), y=list(needed), name="needed", line={"color": BLUE, "width": 2}),
            go.Scatter(x=list(lengths), y=list(moved), name="moved out", fill="tozeroy", line={"color": "#e69f00"}),
        ],
        "",
        "sequence length",
        height=240,
        yaxis_tickformat=".3s",
        yaxis_ticksuffix="B",
        yaxis_rangemode="tozero",
        xaxis={
            "type": "log",
            "tickvals": list(lengths),
            "title": {"text": "sequence length", "standoff": 4, "font": {"size": 11.5}},
        },
    )
    return plot.add_hline(y=capacity, line={"color": NEUTRAL, "dash": "dash", "width": 1.2}, annotation_text="card",
                          annotation_font_size=10)  # fmt: skip
