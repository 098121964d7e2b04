"""An axis of a drawing: where values stand, and the marks that are written beside it."""

from __future__ import annotations

import math
from typing import Any


class Axis:
    """One axis: from a value to a place in pixels, and where its marks stand."""

    def __init__(self, layout: Any, values: list[Any], low: float, high: float) -> None:
        self.low, self.high = low, high
        self.title = (layout.title.text or "") if layout.title else ""
        self.visible = layout.visible is not False
        self.log = layout.type == "log"
        self.names: list[str] | None = None
        if layout.type == "category" or any(isinstance(item, str) for item in values):
            self.names = list(dict.fromkeys(map(str, values)))
            self.start, self.stop = -0.5, len(self.names) - 0.5
        else:
            found = [float(item) for item in values if is_number(item) and (float(item) > 0 or not self.log)]
            found = [math.log10(item) for item in found] if self.log else found
            self.start, self.stop = (min(found), max(found)) if found else (0.0, 1.0)
            room = (self.stop - self.start) * 0.05 or abs(self.stop) * 0.05 or 1.0
            self.start, self.stop = self.start - room, self.stop + room
            if layout.range:
                self.start, self.stop = map(float, layout.range)
            elif layout.rangemode == "tozero":
                self.start = 0.0
        self.ticks = (
            list(zip(layout.tickvals, layout.ticktext)) if layout.tickvals is not None else self._ticks(layout)
        )

    def at(self, value: Any) -> float | None:
        """The place of a value in pixels; None for one that has none."""
        if self.names is not None:
            if str(value) not in self.names:
                return None
            number = float(self.names.index(str(value)))
        elif not is_number(value) or (self.log and float(value) <= 0):
            return None
        else:
            number = math.log10(float(value)) if self.log else float(value)
        return self.low + (number - self.start) / (self.stop - self.start) * (self.high - self.low)

    def _ticks(self, layout: Any) -> list[tuple[Any, str]]:
        if self.names is not None:
            return [(name, name) for name in self.names]
        suffix, style = layout.ticksuffix or "", layout.tickformat or ""
        if self.log:
            whole = range(math.ceil(self.start), math.floor(self.stop) + 1)
            marks = [10.0**power for power in whole]
            if len(marks) < 2:
                low, high = 10.0**self.start, 10.0**self.stop
                marks = [m * 10.0**p for p in range(math.floor(self.start), math.ceil(self.stop)) for m in (1, 2, 5)]
                marks = [mark for mark in marks if low <= mark <= high]
            return [(mark, tick(mark, style) + suffix) for mark in marks]
        step = _nice((self.stop - self.start) / 6)
        first = math.ceil(self.start / step)
        marks = [round((first + n) * step, 12) for n in range(int((self.stop - self.start) / step) + 2)]
        return [(mark, tick(mark, style, step) + suffix) for mark in marks if self.start <= mark <= self.stop]


def tick(value: float, style: str = "", step: float = 0.0) -> str:
    """A number on an axis: `style` is plotly's format, of which the lab uses shares and SI prefixes."""
    if "%" in style:
        digits = 0 if not step or step >= 0.01 else 1
        return f"{value:.{digits}%}" if value >= 0.01 or not value or step else f"{value * 100:.3g}%"
    if "s" in style:
        for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                return f"{value / size:.3g}{unit}"
    return f"{value:.4g}"


def _nice(step: float) -> float:
    """The next of 1, 2, 5 · 10ⁿ."""
    power = 10.0 ** math.floor(math.log10(step)) if step > 0 else 1.0
    return next(power * part for part in (1, 2, 5, 10) if power * part >= step * 0.999)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) or hasattr(value, "dtype") if not isinstance(value, str | bool) else False
