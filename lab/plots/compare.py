"""Pictures of a comparison, from its outcomes alone. One colour for each method, the same as everywhere.

Every point carries the run behind it in `customdata`, so that a page can open it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lab.compare.results import PUBLISHED, QUANTITIES, Arm, Outcome, arms
from lab.history import smoothed
from lab.methods import METHODS
from lab.plots.style import DASHES, LEDGER, MARKERS, NEUTRAL, colour, dash, faded, figure, marker

#: What an overlay may run along.
ALONG = {"step": "Step", "tokens": "Tokens read", "seconds": "Seconds of training"}

#: What an overlay may show.
SHOWN = {"loss": "Training loss", "held_out": "Validation loss", "score": "Score"}

#: Points of one line beyond which it is thinned for the eye.
POINTS = 1000

#: Points in a figure beyond which lines are drawn by the graphics card.
MANY = 20_000


def hue(method: str) -> str:
    """The method's colour; neutral for one that the lab does not know."""
    return colour(method) if method in METHODS or method.startswith("peft:") else NEUTRAL


def looks(groups: Sequence[Arm]) -> dict[str, dict[str, Any]]:
    """Colour, dash and marker of each arm: the colour is its family's, the rest tells relatives apart."""
    turns: dict[str, int] = {}
    looks_by_arm = {}
    for arm in groups:
        method = arm.first.method
        listed = method in METHODS
        turn = turns[method if listed else ""] = turns.get(method if listed else "", -1) + 1
        # The first arm of a method looks as the method does everywhere, the next ones a step further each.
        dashes, markers = DASHES.index(dash(method)) if listed else 0, MARKERS.index(marker(method)) if listed else 0
        looks_by_arm[arm.name] = {
            "colour": hue(method),
            "dash": DASHES[(dashes + turn) % len(DASHES)],
            "marker": MARKERS[(markers + turn) % len(MARKERS)] + ("-open" if arm.first.status == PUBLISHED else ""),
        }
    return looks_by_arm


def overlay(
    outcomes: Sequence[Outcome],
    shown: str = "loss",
    along: str = "step",
    smooth: float = 0.9,
    log_x: bool = False,
    log_y: bool = False,
    points: int = POINTS,
) -> go.Figure:
    """The curves of all members over each other. `smooth` in [0, 1): the weight of the past (training loss only)."""
    groups = [arm for arm in arms(outcomes) if arm.first.status != PUBLISHED]
    styles = looks(groups)
    count = sum(min(len(item.curve.step), points) for arm in groups for item in arm.members)
    kind = "scattergl" if shown == "loss" and count > MANY else "scatter"
    traces = []
    for arm in groups:
        look = styles[arm.name]
        first = True
        for item in arm.members:
            x, y = _curve(item, shown, along, smooth, points)
            if not len(x):
                continue
            several = len(arm.members) > 1
            traces.append(
                {
                    "type": kind,
                    "x": x,
                    "y": y,
                    "name": arm.name,
                    "legendgroup": arm.name,
                    "showlegend": first,
                    "mode": "lines" if shown == "loss" else "lines+markers",
                    "line": {"color": look["colour"], "dash": look["dash"], "width": 1.3 if several else 1.8},
                    "marker": {"symbol": look["marker"], "size": 6, "color": look["colour"]},
                    "opacity": 0.75 if several else 1.0,
                    "meta": item.run,
                    "hovertemplate": f"{item.label}<br>%{{x}}: %{{y:.3f}}<extra></extra>",
                }
            )
            first = False
    extra: dict[str, Any] = {"hovermode": "closest", "legend": _legend(len(groups)), "height": 380}
    plot = figure(traces, x=ALONG[along], y=SHOWN[shown], **extra)
    plot.update_xaxes(type="log" if log_x else "linear")
    plot.update_yaxes(type="log" if log_y else "linear", tickformat=".0%" if shown == "score" else "")
    return plot


def _curve(item: Outcome, shown: str, along: str, smooth: float, points: int) -> tuple[Any, Any]:
    curve = item.curve
    if shown == "loss":
        xs = {"step": curve.step, "tokens": curve.tokens, "seconds": curve.seconds}[along]
        values = smoothed(curve.loss, smooth) if smooth > 0 else curve.loss
        stride = max(1, math.ceil(len(xs) / points))
        return np.asarray(xs[::stride], dtype=float), np.asarray(values[::stride], dtype=float)
    part = 1 if shown == "held_out" else 2
    x = [curve.at(step, along) for step, *_ in curve.evaluations]
    return np.asarray(x, dtype=float), np.asarray([item[part] for item in curve.evaluations], dtype=float)


def _legend(count: int) -> dict[str, Any]:
    """Beside the picture where there are many names, above it where there are few."""
    if count > 6:
        return {"orientation": "v", "x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top", "font": {"size": 11}}
    return {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right", "font": {"size": 11}}


def scores(outcomes: Sequence[Outcome]) -> go.Figure | None:
    """Each arm's mean score with the 95% interval over its seeds, its members as points, and the base's level."""
    groups = sorted((arm for arm in arms(outcomes) if arm.of("score")), key=lambda arm: arm.of("score").mean)
    if not groups:
        return None
    styles, traces = looks(groups), []
    for arm in groups:
        look, mean_of = styles[arm.name], arm.of("score")
        for item in arm.complete:
            traces.append(_dot(item, item.score, arm.name, look, faded(look["colour"], 0.4), 7))
        bar = {"type": "data", "array": [mean_of.interval or 0], "thickness": 1.4, "width": 5}
        bar["color"] = look["colour"]
        mean = _dot(arm.first, mean_of.mean, arm.name, look, look["colour"], 10)
        traces.append(mean | {"error_x": bar if mean_of.interval else {}})
    base = next((arm.first.score_base for arm in groups if arm.first.score_base is not None), None)
    plot = figure(
        traces,
        x="Score (mean; bar: 95% interval over seeds)",
        showlegend=False,
        hovermode="closest",
        height=70 + 24 * len(groups),
        margin={"l": 190, "r": 16, "t": 10, "b": 40},
    )
    plot.update_xaxes(tickformat=".0%")
    if base is not None:
        plot.add_vline(x=base, line={"color": NEUTRAL, "dash": "dash", "width": 1.2}, annotation_text="base")
    return plot


def _dot(item: Outcome, x: float, y: str, look: dict[str, Any], shade: str, size: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "marker": {"symbol": look["marker"], "size": size, "color": shade},
        "customdata": [[item.run]],
        "hovertemplate": f"{item.label}<br>score %{{x:.1%}}<extra></extra>",
    }


def pareto(
    outcomes: Sequence[Outcome], x: str = "trainable", y: str = "score", log_x: bool = True
) -> go.Figure | None:
    """One quantity against another, a point an arm, with the front of those that none beats in both.

    Published figures are drawn open and have a front of their own: they are of another model and machine.
    """
    groups = [arm for arm in arms(outcomes) if arm.of(x) and arm.of(y)]
    if not groups:
        return None
    styles, traces = looks(groups), []
    for published in (False, True):
        members = [arm for arm in groups if (arm.first.status == PUBLISHED) == published]
        line = [arm for arm in front(members, x, y) if len(members) > 1]
        if line:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": "published front" if published else "front",
                    "x": [arm.of(x).mean for arm in line],
                    "y": [arm.of(y).mean for arm in line],
                    "line": {"color": NEUTRAL, "width": 1.2, "dash": "dot" if published else "solid"},
                    "hoverinfo": "skip",
                }
            )
        best = {arm.name for arm in line}
        for arm in members:
            traces.append(_point(arm, x, y, styles[arm.name], arm.name in best))
    plot = figure(
        traces,
        x=QUANTITIES[x][0],
        y=QUANTITIES[y][0],
        hovermode="closest",
        legend=_legend(sum(arm.first.status != PUBLISHED for arm in groups)),
        height=430,
    )
    across = [arm.of(x).mean for arm in groups]
    log = log_x and min(across) > 0
    _axis(plot.update_xaxes, x, math.log10(max(across) / min(across)) if log else None)
    _axis(plot.update_yaxes, y, None)
    return plot


def _point(arm: Arm, x: str, y: str, look: dict[str, Any], on_front: bool) -> dict[str, Any]:
    across, up = arm.of(x), arm.of(y)
    bars = {"thickness": 1.1, "width": 3, "color": faded(look["colour"], 0.6)}
    best = max(arm.complete, key=lambda item: item.score)
    published = arm.first.status == PUBLISHED
    return {
        "type": "scatter",
        "mode": "markers+text" if on_front and not published else "markers",
        "name": arm.name,
        "showlegend": not published,  # they are many: hovering names them
        "x": [across.mean],
        "y": [up.mean],
        "text": [arm.name],
        "textposition": "top center",
        "textfont": {"size": 10.5},
        "cliponaxis": False,
        "marker": {
            "symbol": look["marker"],
            "size": 12 if on_front else 9,
            "color": look["colour"],
            "line": {"width": 1.5 if on_front else 0, "color": NEUTRAL},
        },
        "error_x": {"type": "data", "array": [across.deviation], **bars} if across.deviation else {},
        "error_y": {"type": "data", "array": [up.deviation], **bars} if up.deviation else {},
        "customdata": [[best.run]],
        "hovertemplate": f"{arm.name}{' (published)' if published else ''}<br>"
        f"{QUANTITIES[x][0]}: {said(x, across.mean)}<br>{QUANTITIES[y][0]}: {said(y, up.mean)}"
        f"<br>{up.count} {'seed' if up.count == 1 else 'seeds'}<extra></extra>",
    }


def front(groups: Sequence[Arm], x: str, y: str) -> list[Arm]:
    """The arms that no other beats in one quantity without losing in the other, from left to right."""

    def worth(arm: Arm, name: str) -> float:
        return -arm.of(name).mean if QUANTITIES[name][2] else arm.of(name).mean

    best = []
    for arm in groups:
        values = worth(arm, x), worth(arm, y)
        others = [(worth(other, x), worth(other, y)) for other in groups if other is not arm]
        if not any(a >= values[0] and b >= values[1] and (a, b) != values for a, b in others):
            best.append(arm)
    return sorted(best, key=lambda arm: arm.of(x).mean)


def ledger(outcomes: Sequence[Outcome]) -> go.Figure | None:
    """The peak of each category of memory, stacked, an arm a bar."""
    groups = [arm for arm in arms(outcomes) if arm.of("memory") and arm.complete[0].ledger.total]
    if not groups:
        return None
    groups.sort(key=lambda arm: -arm.of("memory").mean)
    names = [arm.name for arm in groups]
    traces = []
    for key, title, shade in LEDGER:
        values = [sum(getattr(item.ledger, key) for item in arm.complete) / len(arm.complete) for arm in groups]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": title,
                "y": names,
                "x": values,
                "marker": {"color": shade},
                "customdata": [[arm.complete[0].run] for arm in groups],
                "hovertemplate": "%{y}<br>" + title + ": %{x:.3s}B<extra></extra>",
            }
        )
    return figure(
        traces,
        x="Peak of each category",
        barmode="stack",
        hovermode="closest",
        height=116 + 24 * len(groups),
        margin={"l": 190, "r": 16, "t": 56, "b": 40},  # the legend takes two lines
        xaxis_tickformat=".3s",
        xaxis_ticksuffix="B",
    )


def said(name: str, value: float) -> str:
    """A quantity as people write it."""
    unit = QUANTITIES[name][1]
    if unit == "share":
        return f"{value:.1%}" if value >= 0.01 or not value else f"{value:.2%}"
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "seconds":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.1f} s"
    if unit == "bytes":
        for size, word in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
            if value >= size:
                return f"{value / size:.3g} {word}"
        return f"{value:.0f} B"
    return f"{value:.3f}"


def _axis(update: Callable[..., Any], name: str, decades: float | None) -> None:
    """How an axis writes a quantity; logarithmic where its values span so many `decades`."""
    unit = QUANTITIES[name][1]
    log = decades is not None
    update(
        type="log" if log else "linear",
        tickformat={"share": "~%", "count": "~s", "bytes": "~s"}.get(unit, "~g" if log else ""),
        ticksuffix={"bytes": "B", "seconds": " s"}.get(unit, ""),
        # Powers of ten alone would leave an axis of less than a decade without a number.
        dtick=None if decades is None else 1 if decades > 2 else "D2",
    )
