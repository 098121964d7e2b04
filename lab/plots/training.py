"""The pictures of a run while it trains: from a history to figures, and from newer events to the points to add.

The page holds the figures and asks for what is new. It tells the server what it has (`Mark`), and gets the points
after that or, where they no longer fit (a resumed run, a coarser thinning), all of them anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import plotly.graph_objects as go

from lab.events import Evaluated, Event, Started, Step
from lab.history import History, Smoother, stride, throughput
from lab.plots.style import HELD_OUT, LEDGER, NEUTRAL, faded, figure

#: The charts in their order on the page, each with its title and the titles of its traces.
CHARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "loss": ("Loss", ("each step", "smoothed", "validation", "base")),
    "score": ("Score", ("adapter", "base")),
    "lr": ("Learning rate", ("learning rate",)),
    "norm": ("Gradient norm", ("gradient norm",)),
    "speed": ("Tokens per second", ("tokens/s",)),
    "memory": ("Memory, counted exactly", (*(title for _, title, _ in LEDGER), "device")),
}

Points = dict[str, list[tuple[Sequence[float], Sequence[float | None]]]]


@dataclass(frozen=True)
class Mark:
    """How much of a run a page has: of which start, thinned how, up to which step, evaluation and sample."""

    starts: int = -1
    stride: int = 1
    step: int = 0
    evaluations: int = 0
    samples: int = 0


@dataclass
class Trail:
    """A history that also keeps what its charts need as it grows, so that a poll costs only what is new."""

    history: History = field(default_factory=History)
    smooth: list[float] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    starts: int = 0
    events: int = 0
    _smoother: Smoother = field(default_factory=Smoother)

    def extend(self, events: Iterable[Event]) -> Trail:
        for event in events:
            self.events += 1
            self.history.add(event)
            if isinstance(event, Started):
                self._restart()
            elif isinstance(event, Step):
                self._smooth(event)
        return self

    def _restart(self) -> None:
        """A resumed run has lost the steps after its checkpoint: smooth anew what is left."""
        self.starts += 1
        self.smooth, self.numbers, self._smoother = [], [], Smoother()
        for step in self.history.steps:
            self._smooth(step)

    def _smooth(self, step: Step) -> None:
        self.smooth.append(self._smoother.add(step.loss))
        self.numbers.append(step.step)

    def mark(self) -> Mark:
        """What a page has once it has everything."""
        last = self.history.step
        return Mark(self.starts, stride(last), last, len(self.history.evaluations), len(self.history.samples))

    def fits(self, mark: Mark) -> bool:
        """Whether the points after `mark` can be added to the charts of a page that has up to there."""
        now = self.mark()
        return (
            mark.starts == now.starts
            and mark.stride == now.stride
            and mark.step <= now.step
            and mark.evaluations <= now.evaluations
            and mark.samples <= now.samples
        )

    def after(self, mark: Mark) -> tuple[Points, Mark]:
        """The points that a page with `mark` lacks, per chart and trace, and its mark once it has them."""
        now = self.mark()
        if not self.fits(mark):
            mark = Mark(now.starts, now.stride)
        first = bisect_right(self.numbers, mark.step)
        indices = [index for index in range(first, len(self.numbers)) if self.numbers[index] % now.stride == 0]
        steps = [self.history.steps[index] for index in indices]
        x = [step.step for step in steps]
        learned = [item for item in self.history.evaluations[mark.evaluations :] if not item.base]
        base = self.history.base
        level = self._level(base, mark, now)
        points: Points = {
            "loss": [
                (x, [_number(step.loss) for step in steps]),
                (x, [_number(self.smooth[index]) for index in indices]),
                ([item.step for item in learned], [_number(item.loss) for item in learned]),
                (level, [_number(base.loss)] * len(level) if base else []),
            ],
            "score": [
                ([item.step for item in learned], [_number(item.score) for item in learned]),
                (level, [_number(base.score)] * len(level) if base else []),
            ],
            "lr": [(x, [step.lr for step in steps])],
            "norm": [(x, [_number(step.grad_norm) for step in steps])],
            "speed": [(x, [throughput(self.history.steps, index) for index in indices])],
            "memory": [
                *((x, [float(getattr(step.memory, name)) for step in steps]) for name, _, _ in LEDGER),
                (x, [float(step.memory.device) for step in steps]),
            ],
        }
        # Points between two multiples of the stride wait for the next one.
        return points, replace(now, step=x[-1] if x else mark.step)

    def _level(self, base: Evaluated | None, mark: Mark, now: Mark) -> list[float]:
        """Where the base's level line gets its ends: once, from the first to the last step of the plan."""
        if base is None or self.history.started is None:
            return []
        drawn_before = any(item.base for item in self.history.evaluations[: mark.evaluations])
        return [] if drawn_before else [0, self.history.started.steps]


def _number(value: float) -> float | None:
    """The value, or None (a gap in the line) where it is not finite."""
    return value if value == value and abs(value) != float("inf") else None


def figures(trail: Trail, colour: str, score: str = "Score") -> dict[str, go.Figure]:
    """The charts of a run with every point of it so far. `colour` is the method's; `score` says what is scored."""
    points, _ = trail.after(Mark())
    steps = trail.history.started.steps if trail.history.started else None
    charts = {}
    for name, (title, traces) in CHARTS.items():
        looks = _looks(name, colour)
        charts[name] = figure(
            [
                go.Scatter(x=list(x), y=list(y), name=trace, **look)
                for trace, look, (x, y) in zip(traces, looks, points[name])
            ],
            title=score if name == "score" else title,
            showlegend=name in ("loss", "score", "memory"),
            xaxis_range=[0, steps] if steps else None,
            **_axis(name),
        )
    return charts


def _looks(name: str, colour: str) -> list[dict[str, Any]]:
    """How the traces of a chart are drawn."""
    line = {"mode": "lines", "line": {"color": colour, "width": 1.6}}
    level = {"mode": "lines", "line": {"color": NEUTRAL, "width": 1.2, "dash": "dash"}}
    dots = {
        "mode": "lines+markers",
        "line": {"color": HELD_OUT, "width": 1.6},
        "marker": {"size": 6, "color": HELD_OUT},
    }
    if name == "loss":
        raw = {"mode": "lines", "line": {"color": faded(colour, 0.5), "width": 1}}
        return [raw, {**line, "line": {"color": colour, "width": 2.2}}, dots, level]
    if name == "score":
        looks = {
            "mode": "lines+markers",
            "line": {"color": colour, "width": 2},
            "marker": {"size": 6, "color": colour},
        }
        return [looks, level]
    if name == "memory":
        stack = [
            {
                "mode": "lines",
                "stackgroup": "ledger",
                "line": {"width": 0.5, "color": shade},
                "fillcolor": faded(shade, 0.65),
            }
            for _, _, shade in LEDGER
        ]
        # What the device reports holds the whole process on a CPU: it would flatten the rest.
        return [*stack, {"mode": "lines", "line": {"color": NEUTRAL, "dash": "dot"}, "visible": "legendonly"}]
    return [line]


def _axis(name: str) -> dict[str, Any]:
    if name == "memory":
        return {"yaxis_tickformat": ".3s", "yaxis_ticksuffix": "B", "yaxis_rangemode": "tozero"}
    if name == "lr":
        return {"yaxis_exponentformat": "e", "yaxis_rangemode": "tozero"}
    if name == "speed":
        return {"yaxis_tickformat": "~s", "yaxis_rangemode": "tozero"}
    return {"yaxis_tickformat": ".0%", "yaxis_range": [0, 1.02]} if name == "score" else {}
