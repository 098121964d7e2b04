"""Figures of the lesson on prefix tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from lab.history import History, smoothed
from lab.insight.ablation import Ablated
from lab.insight.families import Placed
from lab.insight.neighbours import Neighbours
from lab.methods import METHODS
from lab.plots.style import HELD_OUT, NEUTRAL, colour, dash, faded, figure

#: At most so many virtual tokens are drawn one by one.
DRAWN = 24
TEXT = 6

#: Light to dark in the colour of the family, on both themes.
SCALE = [[0.0, "rgba(0,158,115,0.06)"], [0.5, "rgba(0,158,115,0.55)"], [1.0, "rgba(0,120,90,1)"]]


def places(layers: int, tokens: int, everywhere: bool, words: Sequence[str] = ()) -> go.Figure:
    """Where the learned vectors stand: columns are positions, rows the input and the layers above it.

    `everywhere` for keys and values of every layer (prefix tuning); else the input only. What is learned is filled,
    what the model computes from it is outlined, the text is grey.
    """
    tint = colour("prefix" if everywhere else "prompt")
    shown = min(tokens, DRAWN)
    names = list(words[:TEXT]) or [f"word {position + 1}" for position in range(TEXT)]
    rows = ["input", *[f"layer {number}" for number in range(layers)]]
    groups: dict[str, tuple[list, list, list, dict]] = {
        "learned": ([], [], [], {"color": tint, "symbol": "square"}),
        "computed from it": ([], [], [], {"color": tint, "symbol": "square-open"}),
        "the text": ([], [], [], {"color": NEUTRAL, "symbol": "square-open"}),
    }
    for row, name in enumerate(rows):
        for position in range(shown):
            if row == 0 and everywhere:
                continue  # a prefix has no input
            kind = "learned" if everywhere or row == 0 else "computed from it"
            _put(groups[kind], position, row, f"virtual token {position + 1}, {name}: {_what(everywhere, row)}")
        for position, word in enumerate(names):
            _put(groups["the text"], shown + 1 + position, row, f"{word}, {name}")
    size = max(4.0, min(12.0, 230 / (shown + TEXT)))
    traces = [
        go.Scatter(
            x=xs, y=ys, text=texts, name=name, mode="markers", hoverinfo="text", marker={"size": size, **marker}
        )
        for name, (xs, ys, texts, marker) in groups.items()
        if xs
    ]
    middle = f"{tokens} virtual tokens" + ("" if shown == tokens else f" ({shown} drawn)")
    return figure(
        traces,
        height=90 + 15 * len(rows),
        hovermode="closest",
        xaxis={"tickvals": [(shown - 1) / 2, shown + (len(names) + 1) / 2], "ticktext": [middle, "the text"],
               "showgrid": False},
        yaxis={"tickvals": [0, *range(1, len(rows), max(1, len(rows) // 6))],
               "ticktext": [rows[0], *rows[1 :: max(1, len(rows) // 6)]], "showgrid": False},
    )  # fmt: skip


def _put(group: Sequence[Any], x: float, y: float, text: str) -> None:
    for values, value in zip(group, (x, y, text)):
        values.append(value)


def _what(everywhere: bool, row: int) -> str:
    if everywhere:
        return "a learned key and value"
    return "a learned vector in a word's place" if row == 0 else "computed from the vector below"


def heads(shares: Sequence[Sequence[float]], layer: int | None = None, head: int | None = None) -> go.Figure:
    """The share of attention that goes to the prefix, by layer and head; the chosen one is framed."""
    trace = go.Heatmap(
        z=[list(row) for row in shares],
        colorscale=SCALE,
        zmin=0,
        zmax=max(0.01, max(max(row) for row in shares)),
        colorbar={"tickformat": ".0%", "thickness": 9, "outlinewidth": 0},
        hovertemplate="layer %{y}, head %{x}: %{z:.1%}<extra></extra>",
        xgap=1,
        ygap=1,
    )
    frames = []
    if layer is not None or head is not None:
        x = (-0.5, len(shares[0]) - 0.5) if head is None else (head - 0.5, head + 0.5)
        y = (-0.5, len(shares) - 0.5) if layer is None else (layer - 0.5, layer + 0.5)
        frames = [
            {"type": "rect", "x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1], "line": {"color": HELD_OUT, "width": 2}}
        ]
    return figure(
        [trace],
        x="head",
        y="layer",
        height=110 + 15 * len(shares),
        shapes=frames,
        hovermode="closest",
        xaxis_dtick=1,
        yaxis_dtick=max(1, len(shares) // 6),
    )


def tokens(names: Sequence[str], shares: Sequence[float], even: Sequence[float]) -> go.Figure:
    """The share that each token of the text pays to the prefix, against looking at everything alike."""
    places_ = list(range(len(names)))
    shown = [name.strip() or "␣" for name in names]
    traces = [
        go.Bar(x=places_, y=list(shares), marker_color=colour("prefix"), name="to the prefix",
               hovertext=shown, hovertemplate="%{hovertext}: %{y:.1%}<extra></extra>"),
        go.Scatter(x=places_, y=list(even), mode="lines", name="everything alike",
                   line={"color": NEUTRAL, "dash": "dot"}, hovertemplate="%{y:.1%}<extra></extra>"),
    ]  # fmt: skip
    ticks = {"tickvals": places_, "ticktext": shown, "tickangle": -50} if len(names) <= 40 else {}
    return figure(traces, y="attention", height=250, yaxis_tickformat=".0%", yaxis_range=[0, 1], xaxis=ticks)


def each(names: Sequence[str], weights: Sequence[Sequence[float]]) -> go.Figure:
    """The attention of each token (rows) to each virtual token (columns)."""
    trace = go.Heatmap(
        z=[list(row) for row in weights],
        colorscale=SCALE,
        colorbar={"tickformat": ".0%", "thickness": 9, "outlinewidth": 0},
        hovertemplate="%{customdata} → virtual token %{x}: %{z:.2%}<extra></extra>",
        customdata=[[name] * len(weights[0]) for name in names],
    )
    rows = list(range(len(names)))
    ticks = {"tickvals": rows, "ticktext": [name.strip() or "␣" for name in names]} if len(names) <= 30 else {}
    return figure(
        [trace],
        x="virtual token",
        height=min(460, 90 + 14 * len(names)),
        hovermode="closest",
        yaxis={"autorange": "reversed", **ticks},
    )


def ablation(result: Ablated) -> go.Figure:
    """By how much the loss rises without one layer's prefix (left) and without one virtual token (right)."""
    by_token, by_layer = result.changes()
    tint = colour("prefix")
    traces = [
        go.Bar(x=list(range(len(by_layer))), y=by_layer, name="without one layer's prefix", marker_color=tint),
        go.Bar(x=list(range(len(by_token))), y=by_token, name="without one virtual token",
               marker_color=faded(tint, 0.55), xaxis="x2", yaxis="y2"),
    ]  # fmt: skip
    change = result.without - result.whole
    axis = {"zeroline": True, "showgrid": True, "automargin": True}
    return figure(
        traces,
        title=f"Loss {result.whole:.3f}; without any prefix {result.without:.3f} ({change:+.3f})",
        height=340,
        margin={"l": 44, "r": 12, "t": 56, "b": 34},
        hovermode="closest",
        xaxis={"domain": [0, 1], "anchor": "y", "title": {"text": "layer"}},
        yaxis={"domain": [0.62, 1], "anchor": "x", "title": {"text": "change"}, **axis},
        xaxis2={"domain": [0, 1], "anchor": "y2", "title": {"text": "virtual token"}},
        yaxis2={"domain": [0, 0.38], "anchor": "x2", "title": {"text": "change"}, **axis},
    )


def counts(families: Sequence[Placed]) -> go.Figure:
    """What each method trains on this model, on a logarithmic axis."""
    shown = [item for item in families if not item.reason]
    trace = go.Bar(
        y=[item.title for item in shown],
        x=[item.trainable for item in shown],
        orientation="h",
        marker_color=[colour(item.key) for item in shown],
        text=[f"{item.trainable:,}" for item in shown],
        textposition="auto",
        hovertemplate="%{x:,} parameters<extra></extra>",
    )
    return figure(
        [trace], x="trained parameters", height=80 + 32 * len(shown), xaxis_type="log", yaxis_autorange="reversed",
        hovermode="closest",
    )  # fmt: skip


def curves(histories: Mapping[str, History]) -> go.Figure:
    """The loss of several runs, smoothed; `histories` are by the keys of their methods."""
    traces = [
        go.Scatter(
            x=[step.step for step in history.steps],
            y=smoothed(step.loss for step in history.steps),
            name=METHODS[key].title,
            mode="lines",
            line={"color": colour(key), "width": 2, "dash": dash(key)},
        )
        for key, history in histories.items()
        if history.steps
    ]
    return figure(traces, x="step", y="training loss", height=240)


def mixture(weights: Sequence[float], rows: Mapping[str, Sequence[float]], weight: float | None = None) -> go.Figure:
    """The loss on each style's held-out rows along the line between the two prefixes."""
    shades = (colour("prefix"), colour("bottleneck"))
    marks = ("circle", "diamond")
    traces = [
        go.Scatter(x=list(weights[: len(values)]), y=list(values), name=f"on rows of {name}", mode="lines+markers",
                   line={"color": shade, "width": 2}, marker={"symbol": mark, "size": 7})
        for (name, values), shade, mark in zip(rows.items(), shades, marks)
    ]  # fmt: skip
    lines = []
    if weight is not None:
        lines = [{"type": "line", "x0": weight, "x1": weight, "yref": "paper", "y0": 0, "y1": 1,
                  "line": {"color": NEUTRAL, "dash": "dot"}}]  # fmt: skip
    return figure(traces, x="weight w of the second", y="loss", height=240, xaxis_range=[-0.03, 1.03], shapes=lines)


def cosines(result: Neighbours, key: str = "prompt") -> go.Figure:
    """The cosine of each learned vector with its nearest token, against words among themselves and chance."""
    best = [row[0] for row in result.rows]
    numbers = list(range(1, len(best) + 1))
    traces = [
        go.Bar(x=numbers, y=[item.cosine for item in best], marker_color=colour(key), name="nearest token",
               hovertext=[item.text for item in best], hovertemplate="“%{hovertext}” %{y:.3f}<extra></extra>"),
        *[
            go.Scatter(x=[numbers[0] - 0.5, numbers[-1] + 0.5], y=[value, value], mode="lines", name=name,
                       line={"color": shade, "dash": style, "width": 1.6})
            for name, value, shade, style in (
                ("a word and its nearest word", result.words, HELD_OUT, "dash"),
                ("a random direction", result.chance, NEUTRAL, "dot"),
            )
        ],
    ]  # fmt: skip
    return figure(traces, x="virtual token", y="cosine", height=250, hovermode="closest")
