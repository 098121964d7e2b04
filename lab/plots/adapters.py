"""Figures of the lesson on adapters."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lab.insight.activations import Norms
from lab.insight.blocks import ADAPTER, ADD, ATTENTION, FEED_FORWARD, NORMED, PARALLEL, Part
from lab.insight.latency import BASE, BOTTLENECK, MERGED, PAPER, UNMERGED, Timing
from lab.insight.storage import Storage
from lab.plots.style import HELD_OUT, NEUTRAL, colour, faded, figure

MAIN, SIDE = 0.36, 0.82  # where the main path and a parallel branch stand, in shares of the width
HALF = 0.27  # half of a box's width

BARE = {"visible": False, "fixedrange": True}


def block(parts: Sequence[Part], norms: Sequence[Norms] = ()) -> go.Figure:
    """One block from its input (below) to its output (above), the adapters to the scale of d : m.

    `norms` of this block stand beside the adapters that they belong to.
    """
    tint = colour("bottleneck")
    height = 1.0
    shapes: list[dict] = []
    notes: list[dict] = [_note(MAIN, 0.35, "h: one token's numbers", size=11)]
    hover = go.Scatter(x=[], y=[], mode="markers", marker={"size": 26, "opacity": 0}, hoverinfo="text", text=[])
    xs, ys, texts = [], [], []
    skip = height - 0.25  # where the residual path leaves
    norms_of = {item.module: item for item in norms}
    top = height
    for part in parts:
        if part.kind == PARALLEL:
            middle = top - 1.0 + 0.35
            shapes += _bottle(SIDE, middle, part, tint, 0.15)
            shapes += [
                _line(MAIN, middle - 0.72, SIDE, middle - 0.72, tint),
                _line(SIDE, middle - 0.72, SIDE, middle - 0.3, tint),
                _line(SIDE, middle + 0.3, SIDE, middle + 0.9, tint),
                _line(SIDE, middle + 0.9, MAIN, middle + 0.9, tint),
            ]
            notes.append(_note(SIDE, middle - 0.5, _norm_text(norms_of.get(part.module)) or part.title, size=10.5))
            point = (SIDE, middle)
        elif part.kind == ADD:
            shapes.append(_circle(MAIN, top + 0.3, 0.16))
            notes.append(_note(MAIN, top + 0.3, "+", size=14))
            shapes += [
                _line(0.03, skip, MAIN, skip, NEUTRAL, "dot"),
                _line(0.03, skip, 0.03, top + 0.3, NEUTRAL, "dot"),
                _line(0.03, top + 0.3, MAIN - 0.03, top + 0.3, NEUTRAL, "dot"),
            ]
            point = (MAIN, top + 0.3)
            top += 0.75
            skip = top - 0.08
        elif part.kind == ADAPTER:
            shapes += _bottle(MAIN, top + 0.35, part, tint, HALF)
            notes.append(_note(0.66, top + 0.35, _norm_text(norms_of.get(part.module)) or part.title, anchor="left"))
            point = (MAIN, top + 0.35)
            top += 0.95
        else:
            tall = 0.34 if part.kind == NORMED else 0.62
            shapes.append(_box(MAIN, top, tall, NEUTRAL, 0.10 if part.kind == NORMED else 0.22))
            notes.append(_note(MAIN, top + tall / 2, part.title))
            point = (MAIN, top + tall / 2)
            top += tall + 0.28
        xs.append(point[0])
        ys.append(point[1])
        texts.append(_told(part, norms_of.get(part.module)))
    shapes.insert(0, _line(MAIN, 0.55, MAIN, top, NEUTRAL))
    notes.append(_note(MAIN, top + 0.2, "to the next block", size=11))
    hover.x, hover.y, hover.text = xs, ys, texts
    return figure(
        [hover],
        height=int(70 + 44 * top),
        shapes=shapes,
        annotations=notes,
        xaxis={**BARE, "range": [0, 1.02]},
        yaxis={**BARE, "range": [0.1, top + 0.5]},
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        hovermode="closest",
        showlegend=False,
    )


def _told(part: Part, norms: Norms | None) -> str:
    lines = [part.title if part.kind in (ATTENTION, FEED_FORWARD, NORMED) else part.module or "residual addition"]
    lines += [f"{role}: {outputs} × {inputs}" for role, outputs, inputs in part.shapes]
    if part.count:
        lines.append(f"{part.count:,} parameters, {'trained' if part.kind in (ADAPTER, PARALLEL) else 'frozen'}")
    if norms:
        lines.append(f"norm {norms.before:.3g}, pushed by {norms.added:.3g}, then {norms.after:.3g}")
    return "<br>".join(lines)


def _norm_text(norms: Norms | None) -> str:
    return f"‖y‖ {norms.before:.3g} → {norms.after:.3g}<br>pushed by {norms.share:.0%}" if norms else ""


def _note(x: float, y: float, text: str, size: float = 11.5, anchor: str = "center") -> dict:
    return {
        "x": x, "y": y, "text": text, "showarrow": False, "font": {"size": size}, "xanchor": anchor, "align": "left",
    }  # fmt: skip


def _box(x: float, bottom: float, tall: float, shade: str, alpha: float) -> dict:
    return {
        "type": "rect", "x0": x - HALF, "x1": x + HALF, "y0": bottom, "y1": bottom + tall,
        "line": {"color": shade, "width": 1}, "fillcolor": faded(shade, alpha),
    }  # fmt: skip


def _circle(x: float, y: float, radius: float) -> dict:
    return {
        "type": "circle", "x0": x - 0.035, "x1": x + 0.035, "y0": y - radius, "y1": y + radius,
        "line": {"color": NEUTRAL, "width": 1}, "fillcolor": faded(NEUTRAL, 0.15),
    }  # fmt: skip


def _bottle(x: float, y: float, part: Part, shade: str, half: float) -> list[dict]:
    """Two trapezoids that meet at the bottleneck, which is m/d of their width (never less than a line)."""
    waist = max(0.008, half * part.width / max(part.outputs, part.inputs))
    shapes = []
    for outer, inner in ((y - 0.3, y), (y + 0.3, y)):
        path = f"M {x - half},{outer} L {x + half},{outer} L {x + waist},{inner} L {x - waist},{inner} Z"
        shapes.append(
            {"type": "path", "path": path, "line": {"color": shade, "width": 1.2}, "fillcolor": faded(shade, 0.45)}
        )
    return shapes


def _line(x0: float, y0: float, x1: float, y1: float, shade: str, dash: str = "solid") -> dict:
    return {
        "type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "line": {"color": shade, "width": 1.3, "dash": dash},
        "layer": "below",
    }  # fmt: skip


def norms(layers: Sequence[Norms]) -> go.Figure:
    """The norms at every adapter: of the sub-layer's output, of what is added and of their sum."""
    names = [f"{item.layer} {item.module.rsplit('.', 1)[-1]}" for item in layers]
    tint = colour("bottleneck")
    traces = [
        go.Bar(x=names, y=[item.before for item in layers], name="before", marker_color=NEUTRAL),
        go.Bar(x=names, y=[item.added for item in layers], name="added", marker_color=faded(tint, 0.55)),
        go.Bar(x=names, y=[item.after for item in layers], name="after", marker_color=tint),
    ]
    return figure(traces, y="mean norm", barmode="group", height=230, xaxis_type="category")


def bend(xs: Sequence[float], ys: Sequence[float], name: str, inner: Sequence[float] = ()) -> go.Figure:
    """The non-linearity, over a histogram of the values that reach it."""
    tint = colour("bottleneck")
    traces: list = [go.Scatter(x=list(xs), y=list(ys), name=name, mode="lines", line={"color": tint, "width": 2.4})]
    low, high = xs[0], xs[-1]
    layout: dict = {"height": 210, "showlegend": False, "hovermode": "closest"}
    if inner:
        reach = max(abs(low), max(abs(value) for value in inner))
        traces.append(
            go.Histogram(
                x=list(inner), name="values", yaxis="y2", marker_color=faded(NEUTRAL, 0.5),
                xbins={"start": -reach, "end": reach, "size": reach / 30},
            )
        )  # fmt: skip
        layout["yaxis2"] = {"overlaying": "y", "side": "right", "showgrid": False, "title": {"text": "how often"}}
    return figure(traces, x="before the non-linearity", y="after", xaxis_range=[low, high], **layout)


def tasks(storage: Storage, count: int, most: int = 100) -> go.Figure:
    """Bytes for 1 to `most` tasks, as full copies and as one base with adapters; the chosen number is marked."""
    numbers = sorted({*range(1, 11), *range(10, most + 1, 5), count})
    tint = colour("bottleneck")
    traces = [
        go.Scatter(x=numbers, y=[storage.copies(n) for n in numbers], name="a full copy each", mode="lines",
                   line={"color": NEUTRAL, "width": 2, "dash": "dash"}),
        go.Scatter(x=numbers, y=[storage.shared(n) for n in numbers], name="one base, N adapters", mode="lines",
                   line={"color": tint, "width": 2.4}),
        go.Scatter(x=[count, count], y=[storage.copies(count), storage.shared(count)], mode="markers",
                   showlegend=False, marker={"size": 9, "color": [NEUTRAL, tint]}, hoverinfo="skip"),
    ]  # fmt: skip
    return figure(
        traces, x="tasks N", y="bytes", height=240, yaxis_tickformat=".3s", yaxis_ticksuffix="B", yaxis_type="log"
    )


LOOKS = {UNMERGED: ("lora", 0.5), MERGED: ("lora", 1.0), BOTTLENECK: ("bottleneck", 1.0)}


def latency(timings: Sequence[Timing]) -> go.Figure:
    """By how much longer than the base each model takes, for each batch and length, and what the paper found."""
    names = [f"batch {item.batch}<br>{item.length} tokens" for item in timings]
    traces: list = [
        go.Bar(
            x=names,
            y=[item.slowdown(variant) for item in timings],
            name=variant,
            marker_color=faded(colour(key), alpha),
            customdata=[[item.median(variant) * 1000, item.median(BASE) * 1000] for item in timings],
            hovertemplate="%{y:+.1%}: %{customdata[0]:.2f} ms against %{customdata[1]:.2f} ms",
        )
        for variant, (key, alpha) in LOOKS.items()
    ]
    paper = {(batch, length): (low, high) for batch, length, low, high in PAPER}
    intervals = [
        (name, paper[item.batch, item.length])
        for name, item in zip(names, timings)
        if (item.batch, item.length) in paper
    ]
    if intervals:
        traces.append(
            go.Scatter(
                x=[name for name, _ in intervals],
                y=[(low + high) / 2 for _, (low, high) in intervals],
                error_y={
                    "type": "data",
                    "array": [(high - low) / 2 for _, (low, high) in intervals],
                    "thickness": 2.5,
                    "width": 8,
                },
                mode="markers",
                marker={"color": HELD_OUT, "size": 6},
                name="adapters in the LoRA paper (a GPU)",
            )
        )
    return figure(traces, y="slower than the base", barmode="group", height=270, yaxis_tickformat="+.0%")
