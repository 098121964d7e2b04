"""Pictures of spectra, of scores against size, and of subspaces."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lab.plots.style import NEUTRAL, figure, marker


def energy(curves: Sequence[tuple[str, Sequence[float], str, str]], rank: int, title: str) -> go.Figure:
    """Cumulative energy by rank. A curve is (name, shares for r = 1, 2, …, colour, dash); `rank` is marked."""
    plot = figure(
        [
            go.Scatter(
                x=list(range(1, len(shares) + 1)),
                y=list(shares),
                name=name,
                mode="lines",
                line={"color": shade, "dash": dash, "width": 2},
                hovertemplate="%{y:.1%}",
            )
            for name, shares, shade, dash in curves
        ],
        title,
        "rank r",
        "energy held",
        height=300,
        yaxis_tickformat=".0%",
        yaxis_range=[0, 1.02],
        xaxis={
            "type": "log",
            "tickvals": [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024],
            "title": {"text": "rank r", "standoff": 4, "font": {"size": 11.5}},
        },
        legend={"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0, "font": {"size": 11}},
        margin={"l": 44, "r": 12, "t": 34, "b": 60},
    )
    return plot.add_vline(x=rank, line={"color": NEUTRAL, "width": 1.2, "dash": "dot"})


def scores(points: Sequence[tuple[str, str, float, float, str]], base: float | None, title: str) -> go.Figure:
    """Score, called `title`, against the number of trained parameters.

    A point is (label, method's key, parameters, score, colour).
    """
    plot = figure(
        [
            go.Scatter(
                x=[count],
                y=[score],
                name=label,
                mode="markers+text",
                text=[label],
                textposition="top center",
                textfont={"size": 10},
                marker={"color": shade, "symbol": marker(key), "size": 10},
                hovertemplate=f"{label}: %{{x:,}} parameters, %{{y:.1%}}<extra></extra>",
                cliponaxis=False,
            )
            for label, key, count, score, shade in points
        ],
        "",
        "trained parameters",
        title,
        height=300,
        showlegend=False,
        hovermode="closest",
        xaxis={
            "type": "log",
            "dtick": 1,
            "tickformat": "~s",
            "title": {"text": "trained parameters", "standoff": 4, "font": {"size": 11.5}},
        },
        yaxis_tickformat=".0%",
    )
    if base is not None:
        plot.add_hline(y=base, line={"color": NEUTRAL, "dash": "dash", "width": 1.2}, annotation_text="base",
                       annotation_font_size=10)  # fmt: skip
    return plot


def heat(
    values: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    shown: str,
    low: float | None = None,
    high: float | None = None,
    x: str = "",
    y: str = "",
    written: bool = True,
) -> go.Figure:
    """A heat map with its numbers written in it (`shown` is their format); None leaves a cell empty."""
    return figure(
        [
            go.Heatmap(
                z=[list(row) for row in values],
                x=list(columns),
                y=list(rows),
                zmin=low,
                zmax=high,
                colorscale="Cividis",
                texttemplate=f"%{{z:{shown}}}" if written else None,
                textfont={"size": 11},
                colorbar={"thickness": 9, "tickformat": shown, "outlinewidth": 0},
                hoverongaps=False,
                hovertemplate=f"%{{y}}, %{{x}}: %{{z:{shown}}}<extra></extra>",
                xgap=1,
                ygap=1,
            )
        ],
        title,
        x,
        y,
        height=max(200, 90 + 34 * len(rows)) if written else 300,
        hovermode="closest",
        xaxis={
            "type": "category",
            "showgrid": False,
            "automargin": True,
            "title": {"text": x, "standoff": 4, "font": {"size": 11.5}},
        },
        yaxis={
            "type": "category",
            "showgrid": False,
            "automargin": True,
            "title": {"text": y, "standoff": 4, "font": {"size": 11.5}},
        },
    )


def matrix(values: Sequence[Sequence[float]], title: str) -> go.Figure:
    """The entries of a matrix as colours, zero in the middle."""
    largest = max((abs(value) for row in values for value in row), default=0.0) or 1.0
    return figure(
        [
            go.Heatmap(
                z=[list(row) for row in values],
                zmin=-largest,
                zmax=largest,
                colorscale="RdBu",
                colorbar={"thickness": 9, "outlinewidth": 0, "tickformat": ".2~g"},
                hovertemplate="row %{y}, column %{x}: %{z:.4g}<extra></extra>",
            )
        ],
        title,
        height=210,
        hovermode="closest",
        xaxis={"showgrid": False, "zeroline": False},
        yaxis={"autorange": "reversed", "showgrid": False, "zeroline": False},
    )
