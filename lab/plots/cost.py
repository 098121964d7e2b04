"""Pictures of what fine-tuning costs: memory by category, storage by tasks, the model as a map of its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from lab.events import Memory
from lab.plots.style import LEDGER, NEUTRAL, figure, wrapped

SI = {"tickformat": ".3s", "ticksuffix": "B"}


def memory_bars(
    rows: Sequence[tuple[str, Memory]], lines: Sequence[tuple[str, float]] = (), title: str = ""
) -> go.Figure:
    """One stacked bar for each row, by category; `lines` are capacities in bytes, drawn across."""
    names = [name for name, _ in rows]
    traces = [
        go.Bar(
            y=names,
            x=[getattr(memory, key) for _, memory in rows],
            name=label,
            orientation="h",
            marker={"color": shade},
            hovertemplate=f"{label}: %{{x:.3s}}B<extra></extra>",
        )
        for key, label, shade in LEDGER
    ]
    largest = max((sum(getattr(memory, key) for key, _, _ in LEDGER) for _, memory in rows), default=1)
    shown = [(name, value) for name, value in lines if value <= 1.3 * largest]
    plot = figure(
        traces,
        title,
        barmode="stack",
        hovermode="closest",
        height=150 + 44 * len(rows),
        margin={"l": 44, "r": 12, "t": (24 if title else 0) + 22 + 11 * max(len(shown) - 1, 0), "b": 84},
        xaxis=SI | {"rangemode": "tozero", "automargin": True, "showgrid": True, "zeroline": False},
        yaxis={"autorange": "reversed", "automargin": True, "showgrid": False},
        legend={
            "orientation": "h",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "x": 0,
            "entrywidth": 98,
            "font": {"size": 10.5},
        },
    )
    for index, (name, value) in enumerate(shown):
        plot.add_vline(
            x=value,
            line={"color": NEUTRAL, "width": 1, "dash": "dot"},
            annotation_text=name,
            annotation_font_size=10,
            annotation_position="top right",
            annotation_yshift=11 * index,  # two cards of like size would write over each other
        )
    return plot


def storage(
    tasks: Sequence[int], copies: Sequence[float], shared: Sequence[float], shade: str, now: int
) -> go.Figure:
    """Bytes by the number of tasks: a full copy for each, against one base with an adapter for each."""
    plot = figure(
        [
            go.Scatter(x=list(tasks), y=list(copies), name="full copies", line={"color": NEUTRAL, "dash": "dash"}),
            go.Scatter(
                x=list(tasks), y=list(shared), name="one base, N adapters", line={"color": shade, "width": 2.2}
            ),
        ],
        "Bytes for N tasks",
        "tasks N",
        height=240,
        xaxis_type="log",
        yaxis=SI | {"type": "log", "automargin": True, "showgrid": True},
    )
    return plot.add_vline(x=now, line={"color": NEUTRAL, "width": 1})


def mixed(cold: str, warm: str, share: float) -> str:
    """A colour between two, as #rrggbb; a share of 0 is the first."""
    pairs = [(int(cold[i : i + 2], 16), int(warm[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * min(1.0, share)):02x}" for a, b in pairs)


def treemap(nodes: Sequence[dict[str, Any]], shade: str) -> go.Figure:
    """The model as nested areas. A node has `id`, `parent` (an id or ""), `label`, `count` and `trained`."""
    colours = [mixed("#c3c9d2", shade, (node["trained"] / node["count"]) ** 0.5) for node in nodes]
    return figure(
        [
            go.Treemap(
                ids=[node["id"] for node in nodes],
                parents=[node["parent"] for node in nodes],
                labels=[node["label"] for node in nodes],
                values=[node["count"] for node in nodes],
                customdata=[node["trained"] for node in nodes],
                branchvalues="total",
                marker={"colors": colours, "line": {"width": 1, "color": "rgba(127,136,148,0.6)"}},
                textfont={"color": "#14181f", "size": 11.5},
                hovertemplate="%{id}<br>%{value:,} parameters<br>%{customdata:,} trained<extra></extra>",
                tiling={"pad": 1},
                pathbar={"visible": True, "textfont": {"color": "#14181f"}},
                maxdepth=6,
            )
        ],
        height=360,
        margin={"l": 2, "r": 2, "t": 22, "b": 2},
        uirevision="treemap",
    )


def panels(
    titles: Sequence[str],
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    colours: Sequence[str],
    ticks: Sequence[str],
) -> go.Figure:
    """Small bar charts beside each other, one for each title: values[title][name], None where it is not known."""
    from plotly.subplots import make_subplots

    columns = 2
    rows = -(-len(titles) // columns)
    plot = make_subplots(rows, columns, subplot_titles=list(titles), vertical_spacing=0.24, horizontal_spacing=0.16)
    for index, (row, tick) in enumerate(zip(values, ticks)):
        bars = [(n, v, c) for n, v, c in zip(names, row, colours) if v is not None]
        plot.add_trace(
            go.Bar(
                x=[wrapped(n) for n, _, _ in bars],
                y=[v for _, v, _ in bars],
                marker={"color": [c for _, _, c in bars]},
                texttemplate=f"%{{y:{tick}}}",
                textposition="auto",
                hovertemplate=f"%{{x}}: %{{y:{tick}}}<extra></extra>",
            ),
            index // columns + 1,
            index % columns + 1,
        )
        plot.update_yaxes(tickformat=tick, row=index // columns + 1, col=index % columns + 1, rangemode="tozero")
    look = figure([]).layout
    plot.update_layout(
        template=look.template, paper_bgcolor=look.paper_bgcolor, plot_bgcolor=look.plot_bgcolor, font=look.font,
        showlegend=False, height=180 * rows + 30, margin={"l": 48, "r": 10, "t": 30, "b": 30}, uirevision="keep",
    )  # fmt: skip
    plot.update_xaxes(tickangle=0, tickfont_size=10.5)
    plot.update_annotations(font_size=12)
    return plot
