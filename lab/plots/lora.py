"""Pictures of a low-rank update: the matrices to scale, and where the saving ends."""

from __future__ import annotations

import plotly.graph_objects as go

from lab.plots.style import NEUTRAL, faded, figure

FROZEN = "#9aa3ae"


def to_scale(d: int, k: int, rank: int, shade: str) -> go.Figure:
    """W (d×k) and its update B (d×r) times A (r×k), all at one scale."""
    gap = 0.12 * max(d, k)
    left = k + 2 * gap
    boxes = [
        ("W", 0, 0, k, d, FROZEN, f"W: {d}×{k}"),
        ("B", left, 0, rank, d, shade, f"B: {d}×{rank}"),
        ("A", left + rank + gap, d - rank, k, rank, shade, f"A: {rank}×{k}"),
    ]
    return figure(
        [
            go.Scatter(
                x=[x, x + width, x + width, x, x],
                y=[y, y, y + height, y + height, y],
                fill="toself",
                fillcolor=faded(colour, 0.55),
                line={"color": colour, "width": 1},
                mode="lines",
                name=label,
                hoverinfo="name",
            )
            for _, x, y, width, height, colour, label in boxes
        ],
        height=250,
        hovermode="closest",
        showlegend=True,
        legend={"orientation": "h", "y": -0.05, "yanchor": "top", "x": 0},
        xaxis={"visible": False},
        yaxis={"visible": False, "scaleanchor": "x"},
        margin={"l": 6, "r": 6, "t": 8, "b": 30},
        uirevision=f"{d}x{k}",
    )


def break_even(d: int, k: int, rank: int, shade: str) -> go.Figure:
    """Parameters of BA by rank against the d·k of W; they meet at d·k / (d + k)."""
    even = d * k / (d + k)
    top = max(2, min(min(d, k), round(1.6 * even)))
    ranks = sorted({1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, top, rank} & set(range(1, top + 1)) | {rank, top})
    plot = figure(
        [
            go.Scatter(
                x=ranks, y=[r * (d + k) for r in ranks], name="BA: r·(d+k)", line={"color": shade, "width": 2.2}
            ),
            go.Scatter(x=[1, max(top, rank)], y=[d * k] * 2, name="W: d·k", line={"color": NEUTRAL, "dash": "dash"}),
            go.Scatter(
                x=[rank],
                y=[rank * (d + k)],
                name="chosen",
                mode="markers",
                marker={"color": shade, "size": 10},
                showlegend=False,
            ),
        ],
        f"Break-even at r* = {even:.1f}",
        "rank r",
        "parameters",
        height=240,
        xaxis={
            "type": "log",
            "tickvals": [1, 4, 16, 64, 256, 1024, 4096],
            "title": {"text": "rank r", "standoff": 4, "font": {"size": 11.5}},
        },
        yaxis={
            "type": "log",
            "tickformat": "~s",
            "dtick": 1,
            "title": {"text": "parameters", "standoff": 4, "font": {"size": 11.5}},
        },
    )
    return plot.add_vline(x=even, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
