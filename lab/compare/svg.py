"""A plotly figure as plain SVG: what a report holds in place of a script of five megabytes.

It draws what the lab's figures are made of (lines, points, error bars, stacked bars, heat maps, level lines, notes)
in the colours of the page that holds it (`var(--ink)` and `var(--line)`); hovering shows the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from lab.compare.axes import Axis, is_number, tick

WIDTH = 860
DASH = {"dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "11 4", "longdashdot": "11 3 2 3"}

#: Outlines of the markers, within one unit of their middle.
SHAPES = {
    "circle": "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
    "square": "M-.9-.9H.9V.9H-.9Z",
    "diamond": "M0-1.2 1.2 0 0 1.2-1.2 0Z",
    "triangle-up": "M0-1.1 1 .8H-1Z",
    "triangle-down": "M0 1.1 1-.8H-1Z",
    "x": "M-1-.5-.5-1 0-.5.5-1 1-.5.5 0 1 .5.5 1 0 .5-.5 1-1 .5-.5 0Z",
    "cross": "M-.35-1H.35V-.35H1V.35H.35V1H-.35V.35H-1V-.35H-.35Z",
    "star": "M0-1.3.4-.4 1.3-.4.6.2.8 1.1 0 .6-.8 1.1-.6.2-1.3-.4-.4-.4Z",
    "pentagon": "M0-1.1 1.05-.3.65.9H-.65L-1.05-.3Z",
    "hexagon": "M-.55-1H.55L1.1 0 .55 1H-.55L-1.1 0Z",
    "hourglass": "M-1-1H1L-1 1H1Z",
    "bowtie": "M-1-1 1 1V-1L-1 1Z",
}


def svg(figure: Any, label: str) -> str:
    """The figure as one SVG element. `label` says what it shows."""
    layout = figure.layout
    height = int(layout.height or 360)
    margin = layout.margin
    legend = _legend(figure)
    beside = legend if legend and (layout.legend.orientation == "v") else []
    left, top = margin.l or 48, max(margin.t or 10, 34 if legend and not beside else 10)
    right = (margin.r or 12) + (190 if beside else 0)
    bottom = max(margin.b or 34, 44)
    values = _values(figure)
    x = Axis(layout.xaxis, values[0], left, WIDTH - right)
    y = Axis(layout.yaxis, values[1], height - bottom, top)
    parts = [*_grid(x, y, height - bottom, left)]
    for shape in layout.shapes or ():
        if (place := x.at(shape.x0)) is not None:
            parts.append(f'<path d="M{place:.1f} {y.high}V{y.low}" class="level"/>')
    sums: dict[Any, float] = {}
    for trace in figure.data:
        parts += _trace(trace, x, y, sums)
    for note in layout.annotations or ():
        across, up = x.at(note.x), y.at(note.y) if str(note.yref or "y") == "y" else y.high + 10
        if across is not None and up is not None:
            parts.append(_text(across, up, note.text, "middle", 10))
    parts += _names(beside or legend, bool(beside), WIDTH - right + 10, top)
    inner = "".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg">{inner}</svg>'
    )


def _values(figure: Any) -> tuple[list[Any], list[Any]]:
    """All values that stand along each axis; stacked bars count with their sums and from 0."""
    xs: list[Any] = []
    ys: list[Any] = []
    sums: dict[Any, float] = {}
    for trace in figure.data:
        if trace.type == "bar":
            for name, value in zip(trace.y, trace.x):
                sums[name] = sums.get(name, 0.0) + float(value)
            ys += list(trace.y)
            continue
        xs += _list(trace.x)
        ys += _list(trace.y)
        for bars, points, all_values in (
            ((trace.error_x, trace.x, xs), (trace.error_y, trace.y, ys)) if (trace.type != "heatmap") else ()
        ):
            for value, spread in zip(_list(points), _list(bars.array)):
                all_values += [value - spread, value + spread]
    xs += [shape.x0 for shape in figure.layout.shapes or ()]
    return xs + ([0.0, *sums.values()] if sums else []), ys


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _grid(x: Axis, y: Axis, ground: float, left: float) -> list[str]:
    parts = []
    if x.visible:
        for value, name in x.ticks:
            if (place := x.at(value)) is not None:
                parts.append(f'<path d="M{place:.1f} {y.high}V{ground}" class="grid"/>')
                for line, words in enumerate(name.split("<br>")):
                    parts.append(_text(place, ground + 15 + 12 * line, words, "middle"))
    if y.visible:
        for value, name in y.ticks:
            if (place := y.at(value)) is not None:
                parts.append(f'<path d="M{left} {place:.1f}H{x.high}" class="grid"/>')
                parts.append(_text(left - 6, place + 4, _cut(name, int(left / 6)), "end"))
    parts.append(_text((x.low + x.high) / 2, ground + 34, x.title, "middle"))
    if y.title:
        middle = (y.low + y.high) / 2
        turn = f'transform="rotate(-90 12 {middle:.0f})"'
        parts.append(f'<text x="12" y="{middle:.0f}" text-anchor="middle" {turn}>{escape(y.title)}</text>')
    return parts


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _text(x: float, y: float, text: str, anchor: str, size: float = 11) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(str(text))}</text>'


def _trace(trace: Any, x: Axis, y: Axis, sums: dict[Any, float]) -> list[str]:
    if trace.type == "bar":
        return _bars(trace, x, y, sums)
    if trace.type == "heatmap":
        return _cells(trace, x, y)
    places = [(x.at(a), y.at(b)) for a, b in zip(_list(trace.x), _list(trace.y))]
    mode = trace.mode or "lines"
    title = f"<title>{escape(trace.name or '')}</title>"
    parts = []
    if "lines" in mode:
        dash = DASH.get(trace.line.dash or "", "")
        width = trace.line.width or 2
        parts.append(
            f'<path d="{_path(places)}" fill="none" stroke="{trace.line.color}" stroke-width="{width}" '
            f'stroke-dasharray="{dash}" stroke-linejoin="round" opacity="{trace.opacity or 1}">{title}</path>'
        )
    if "markers" in mode:
        parts += _markers(trace, places, x, y)
    return parts


def _path(places: Sequence[tuple[float | None, float | None]]) -> str:
    """The line through the places, broken where one is missing."""
    words, down = [], False
    for a, b in places:
        if a is None or b is None or b != b:
            down = False
            continue
        words.append(f"{'L' if down else 'M'}{a:.1f} {b:.1f}")
        down = True
    return "".join(words)


def _markers(trace: Any, places: Sequence[tuple[float | None, float | None]], x: Axis, y: Axis) -> list[str]:
    parts = []
    symbol = str(trace.marker.symbol or "circle")
    shape, size = SHAPES.get(symbol.removesuffix("-open"), SHAPES["circle"]), float(trace.marker.size or 6) / 2
    shade = trace.marker.color
    paint = (
        f'fill="none" stroke="{shade}" stroke-width="{1.6 / size:.2f}"'
        if symbol.endswith("-open")
        else f'fill="{shade}"'
    )
    words = _said(trace)
    for index, (a, b) in enumerate(places):
        if a is None or b is None:
            continue
        for bars, axis, across in ((trace.error_x, x, True), (trace.error_y, y, False)):
            value = (trace.x if across else trace.y)[index]
            for spread in _list(bars.array)[index : index + 1]:
                ends = [axis.at(value - spread) or (a if across else b), axis.at(value + spread)]
                line = f"M{ends[0]:.1f} {b:.1f}H{ends[1]:.1f}" if across else f"M{a:.1f} {ends[0]:.1f}V{ends[1]:.1f}"
                parts.append(f'<path d="{line}" stroke="{bars.color or shade}" stroke-width="1.3"/>')
        parts.append(
            f'<path d="{shape}" transform="translate({a:.1f} {b:.1f}) scale({size:g})" {paint}>'
            f"<title>{escape(words[index])}</title></path>"
        )
        if "text" in (trace.mode or "") and trace.text is not None:
            parts.append(_text(a, b - size - 5, trace.text[index], "middle", 10))
    return parts


def _paint(symbol: str, shade: str, width: float) -> str:
    """The fill of a marker, or its outline for an open one."""
    return (
        f'fill="none" stroke="{shade}" stroke-width="{width:.2f}"' if symbol.endswith("-open") else f'fill="{shade}"'
    )


def _said(trace: Any) -> list[str]:
    """What hovering says of each point, from the figure's own template."""
    template = (trace.hovertemplate or trace.name or "").split("<extra>")[0].replace("<br>", "\n")
    found = []
    texts = _list(trace.text)
    for index, (a, b) in enumerate(zip(_list(trace.x), _list(trace.y))):
        words = template.replace("%{text}", str(texts[index]) if index < len(texts) else "")
        for name, value in (("x", a), ("y", b)):
            before, mark, after = words.partition(f"%{{{name}")
            if mark:
                style, _, rest = after.partition("}")
                shown = tick(float(value), style.lstrip(":")) if is_number(value) else str(value)
                words = before + shown + rest
        found.append(words)
    return found


def _bars(trace: Any, x: Axis, y: Axis, sums: dict[Any, float]) -> list[str]:
    parts = []
    thick = min(16.0, abs(y.low - y.high) / max(len(y.names or [1]), 1) * 0.7)
    for name, value in zip(trace.y, trace.x):
        start = sums.get(name, 0.0)
        sums[name] = start + float(value)
        a, b, middle = x.at(start), x.at(sums[name]), y.at(name)
        if a is None or b is None or middle is None or b - a < 0.05:
            continue
        words = f"{name}\n{trace.name}: {tick(float(value), 's')}B"
        parts.append(
            f'<rect x="{a:.1f}" y="{middle - thick / 2:.1f}" width="{b - a:.1f}" height="{thick:.1f}" '
            f'fill="{trace.marker.color}"><title>{escape(words)}</title></rect>'
        )
    return parts


def _cells(trace: Any, x: Axis, y: Axis) -> list[str]:
    numbers = [value for row in trace.z for value in row if value is not None]
    low, high = min(numbers), max(numbers)
    wide = (x.high - x.low) / len(x.names or [1]) - 2
    tall = abs(y.high - y.low) / len(y.names or [1]) - 2
    parts = []
    for up, row in enumerate(trace.z):
        for across, value in enumerate(row):
            if value is None:
                continue
            share = (value - low) / (high - low) if high > low else 0.5
            a, b = x.at(trace.x[across]), y.at(trace.y[up])
            if a is None or b is None:
                continue
            parts.append(
                f'<rect x="{a - wide / 2:.1f}" y="{b - tall / 2:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
                f'fill="{_mixed(trace.colorscale, share)}"/>'
            )
            ink = "#fff" if share > 0.45 else "#14181f"
            parts.append(
                f'<text x="{a:.1f}" y="{b + 4:.1f}" text-anchor="middle" style="fill:{ink}">'
                f"{escape(str(trace.text[up][across]))}</text>"
            )
    return parts


def _mixed(scale: Any, share: float) -> str:
    """The colour at `share` of a scale of (place, #rrggbb)."""
    stops = [(float(place), shade) for place, shade in scale]
    for (a, one), (b, two) in pairwise(stops):
        if share <= b:
            part = (share - a) / (b - a)
            mixed = [round(int(one[i : i + 2], 16) * (1 - part) + int(two[i : i + 2], 16) * part) for i in (1, 3, 5)]
            return "#" + "".join(f"{item:02x}" for item in mixed)
    return str(stops[-1][1])


def _legend(figure: Any) -> list[tuple[str, str, str, str]]:
    """Name, colour, dash and marker of what the legend lists."""
    if figure.layout.showlegend is False or all(trace.type == "heatmap" for trace in figure.data):
        return []
    seen: dict[str, tuple[str, str, str, str]] = {}
    for trace in figure.data:
        if trace.showlegend is False or not trace.name:
            continue
        lined = trace.type != "bar" and "lines" in (trace.mode or "lines")
        shade = trace.line.color if lined else trace.marker.color
        symbol = (
            "square"
            if trace.type == "bar"
            else str(trace.marker.symbol or "")
            if "markers" in (trace.mode or "")
            else ""
        )
        seen.setdefault(trace.name, (trace.name, str(shade), (trace.line.dash or "solid") if lined else "", symbol))
    return list(seen.values()) if len(seen) > 1 else []


def _names(legend: list[tuple[str, str, str, str]], beside: bool, left: float, top: float) -> list[str]:
    parts = []
    x, y = (left, top + 6.0) if beside else (60.0, 14.0)
    for name, shade, dash, symbol in legend:
        if dash:
            style = f'stroke="{shade}" stroke-width="2" stroke-dasharray="{DASH.get(dash, "")}"'
            parts.append(f'<path d="M{x:.0f} {y:.0f}h18" {style}/>')
        if symbol:
            shape = SHAPES.get(symbol.removesuffix("-open"), SHAPES["circle"])
            paint = (
                f'fill="none" stroke="{shade}" stroke-width=".4"' if symbol.endswith("-open") else f'fill="{shade}"'
            )
            parts.append(f'<path d="{shape}" transform="translate({x + 9:.0f} {y:.0f}) scale(4)" {paint}/>')
        parts.append(_text(x + 24, y + 4, _cut(name, 28), "start", 10.5))
        if beside:
            y += 17
        else:
            x += 40 + 6.2 * min(len(name), 28)
    return parts
