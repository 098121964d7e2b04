"""How a result depends on the settings: a heat map of two of them, and parallel coordinates of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from lab.compare.results import PUBLISHED, QUANTITIES, Arm, Outcome, arms
from lab.compare.statistics import summary
from lab.plots.compare import looks, said
from lab.plots.style import NEUTRAL, figure, wrapped

#: One hue from light to dark, so that more ink is more.
SCALE = [[0, "#dbe9f6"], [0.5, "#4a90c4"], [1, "#08306b"]]


def varied(outcomes: Sequence[Outcome]) -> list[str]:
    """The choices in which members of one method differ, the method's own settings first, and "method" itself.

    What every method has (the data, the precision) counts wherever it differs; a learning rate does not where each
    method only has its own.
    """
    measured = [item for item in outcomes if item.choices]
    names = dict.fromkeys(name for item in measured for name in item.choices)

    def differs(name: str) -> bool:
        values: dict[str, set[str]] = {}
        for item in measured:
            if name in item.choices:
                values.setdefault(item.method, set()).add(str(item.choices[name]))
        shared = name in ("method", "model") or name.startswith(("precision.", "data."))
        if shared:
            return len(set().union(*values.values())) > 1
        return any(len(options) > 1 for options in values.values())

    return sorted(filter(differs, names), key=lambda name: ("." in name, name in ("method", "model")))


def heat(outcomes: Sequence[Outcome], across: str, up: str, quantity: str = "score") -> go.Figure | None:
    """A quantity's mean for each pair of values of two settings; None if no member has both."""
    cells: dict[tuple[Any, Any], list[float]] = {}
    for item in outcomes:
        number = QUANTITIES[quantity][3](item)
        if item.complete and number is not None and across in item.choices and up in item.choices:
            cells.setdefault((_value(item.choices[across]), _value(item.choices[up])), []).append(number)
    if not cells:
        return None
    xs = sorted({x for x, _ in cells}, key=_order)
    ys = sorted({y for _, y in cells}, key=_order)
    means = [[(cell := summary(cells.get((x, y), []))) and cell.mean for x in xs] for y in ys]
    texts = [["" if mean is None else said(quantity, mean) for mean in row] for row in means]
    return figure(
        [
            {
                "type": "heatmap",
                "x": [str(x) for x in xs],
                "y": [str(y) for y in ys],
                "z": means,
                "text": texts,
                "texttemplate": "%{text}",
                "colorscale": SCALE,
                "xgap": 2,
                "ygap": 2,
                "colorbar": {"thickness": 10, "outlinewidth": 0, "title": {"text": QUANTITIES[quantity][0]}},
                "hovertemplate": f"{across} = %{{x}}<br>{up} = %{{y}}<br>%{{text}}<extra></extra>",
            }
        ],
        x=across,
        y=up,
        hovermode="closest",
        height=120 + 42 * len(ys),
        xaxis_type="category",
        yaxis_type="category",
    )


def _value(value: Any) -> Any:
    return "+".join(map(str, value)) or "default" if isinstance(value, list | tuple) else value


def _order(value: Any) -> tuple[int, Any]:
    number = isinstance(value, int | float)
    return (0, value) if number else (1, str(value))


#: The axes of the parallel coordinates, left to right, where they were measured.
AXES = ("trainable", "memory", "seconds", "bytes", "latency", "forgetting", "loss", "score")


def parallel(outcomes: Sequence[Outcome]) -> go.Figure | None:
    """One line an arm across all that was measured. Up is better on every axis; the ends carry the values."""
    groups = [arm for arm in arms(outcomes) if arm.complete and arm.first.status != PUBLISHED]
    names = [name for name in AXES if sum(arm.of(name) is not None for arm in groups) > 1]
    if len(groups) < 2 or len(names) < 2:
        return None
    ends = {name: _ends(groups, name) for name in names}
    styles = looks(groups)
    traces = []
    for arm in groups:
        look = styles[arm.name]
        measured = [name for name in names if arm.of(name)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": arm.name,
                "x": [names.index(name) for name in measured],
                "y": [_height(arm.of(name).mean, *ends[name]) for name in measured],
                "line": {"color": look["colour"], "dash": look["dash"], "width": 1.8},
                "marker": {"symbol": look["marker"], "size": 7, "color": look["colour"]},
                "text": [f"{QUANTITIES[name][0]}: {said(name, arm.of(name).mean)}" for name in measured],
                "customdata": [[arm.complete[0].run]] * len(measured),
                "hovertemplate": f"{arm.name}<br>%{{text}}<extra></extra>",
            }
        )
    plot = figure(traces, hovermode="closest", height=420, margin={"l": 60, "r": 20, "t": 46, "b": 56})
    plot.update_layout(
        legend={"orientation": "v", "x": 1.03, "xanchor": "left", "y": 1, "yanchor": "top"}, hoverdistance=30
    )
    plot.update_xaxes(
        tickvals=list(range(len(names))),
        ticktext=[wrapped(QUANTITIES[name][0].replace(", bits per byte", "")) for name in names],
        tickangle=0,
        tickfont_size=10.5,
        range=[-0.35, len(names) - 0.65],
    )
    plot.update_yaxes(visible=False, range=[-0.12, 1.12])
    for index, name in enumerate(names):
        worst, best = ends[name]
        for height, value in ((1.07, best), (-0.07, worst)):
            plot.add_annotation(
                x=index, y=height, text=_end(name, value), showarrow=False, font={"size": 10, "color": NEUTRAL}
            )
    return plot


def _end(name: str, value: float) -> str:
    """A value at the end of an axis, short enough to stand beside its neighbours'."""
    if QUANTITIES[name][1] != "count" or value < 10_000:
        return said(name, value)
    return f"{value / 1e6:.3g}M" if value >= 1e6 else f"{value / 1e3:.3g}k"


def _ends(groups: Sequence[Arm], name: str) -> tuple[float, float]:
    """The worst and the best mean of a quantity."""
    means = [mean.mean for arm in groups if (mean := arm.of(name))]
    return (max(means), min(means)) if QUANTITIES[name][2] else (min(means), max(means))


def _height(value: float, worst: float, best: float) -> float:
    """Where a value stands between worst (0) and best (1); on a logarithmic axis where it spans much."""
    if worst == best:
        return 0.5
    low, high = min(worst, best), max(worst, best)
    if low > 0 and high / low > 20:
        value, worst, best = math.log(value), math.log(worst), math.log(best)
    return (value - worst) / (best - worst)
