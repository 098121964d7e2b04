"""What is known of a run, from its events alone.

`fold` is the one reducer: a live run, a finished one, a reloaded page, the command line and a comparison all look
at a run through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.events import (
    Evaluated,
    Event,
    Finished,
    Memory,
    Reported,
    Sample,
    Saved,
    Stage,
    Started,
    Step,
    Warned,
)

#: More points than this are thinned before they are drawn.
POINTS = 2000

#: Weight of the past in the smoothed loss, per step (an exponential moving average, corrected at its start).
SMOOTHING = 0.9

#: Steps over which the throughput is taken.
WINDOW = 10


#: Said where a run goes on with a lab that draws its rows in another way.
OTHER_ROWS = "The scores before and after this run was resumed are not of the same rows: they cannot be compared."


@dataclass
class History:
    """A run so far. `add` takes the next event; nothing else changes it."""

    stage: str = ""
    started: Started | None = None
    steps: list[Step] = field(default_factory=list)
    evaluations: list[Evaluated] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    saved: list[Saved] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    finished: Finished | None = None
    peak: Memory = field(default_factory=Memory)

    def add(self, event: Event) -> None:
        match event:
            case Stage():
                self.stage = event.text
            case Warned():
                self.warnings.append(event)
            case Started():
                # A resumed run starts again from its checkpoint: what came after that was not kept.
                if self.started and self.started.sampling != event.sampling:
                    self.warnings.append(Warned(OTHER_ROWS, f"Before: {self.started.rows} Now: {event.rows}"))
                self.started, self.finished = event, None
                first = event.first_step
                self.steps = [step for step in self.steps if step.step <= first]
                self.evaluations = [item for item in self.evaluations if item.step <= first]
                self.samples = [item for item in self.samples if item.step <= first]
            case Step():
                self.steps.append(event)
                if event.memory.total >= self.peak.total:
                    self.peak = event.memory
            case Evaluated():
                self.evaluations.append(event)
            case Sample():
                self.samples.append(event)
            case Saved():
                self.saved.append(event)
            case Reported():
                self.facts = event.facts
            case Finished():
                self.finished = event

    @property
    def step(self) -> int:
        """The last step that was made; 0 before the first."""
        return self.steps[-1].step if self.steps else 0

    @property
    def seconds(self) -> float:
        """Training time so far, in seconds."""
        if self.finished:
            return self.finished.seconds
        return self.steps[-1].seconds if self.steps else 0.0

    @property
    def base(self) -> Evaluated | None:
        """The evaluation of the base, before anything was learned."""
        return next((item for item in self.evaluations if item.base), None)

    @property
    def last(self) -> Evaluated | None:
        """The newest evaluation of the adapter."""
        return next((item for item in reversed(self.evaluations) if not item.base), None)

    @property
    def tokens_per_second(self) -> float:
        """Throughput over the last ten steps; 0 while it is unknown."""
        return throughput(self.steps) or 0.0

    @property
    def seconds_left(self) -> float | None:
        """Expected time to the last step, in seconds, from the mean so far; None while nothing is known."""
        if self.started is None or not self.steps or self.finished:
            return None
        made = self.step - self.started.first_step
        return self.steps[-1].seconds / made * (self.started.steps - self.step) if made > 0 else None


def fold(events: Iterable[Event]) -> History:
    """The history that the events tell."""
    history = History()
    for event in events:
        history.add(event)
    return history


def stride(count: int, limit: int = POINTS) -> int:
    """The smallest power of two by which `count` points are thinned to at most `limit`.

    A power of two keeps the points where they were when a longer run halves them again.
    """
    step = 1
    while count / step > limit:
        step *= 2
    return step


class Smoother:
    """Exponential moving average with the bias of its start divided out (Kingma and Ba 2015, section 3).

    `weight` in [0, 1) is that of the past. A value that is not a number leaves the average as it is.
    """

    def __init__(self, weight: float = SMOOTHING) -> None:
        self.weight = weight
        self._mean = self._total = 0.0

    def add(self, value: float) -> float:
        """The average with this value; NaN before the first number."""
        if value == value:
            self._mean = self.weight * self._mean + (1 - self.weight) * value
            self._total = self.weight * self._total + (1 - self.weight)
        return self._mean / self._total if self._total else value


def smoothed(values: Iterable[float], weight: float = SMOOTHING) -> list[float]:
    """The average after each of the values."""
    smoother = Smoother(weight)
    return [smoother.add(value) for value in values]


def throughput(steps: Sequence[Step], index: int = -1) -> float | None:
    """Tokens per second over the ten steps that end at `index`; None before the second step."""
    last = index % len(steps) if steps else 0
    window = steps[max(0, last - WINDOW) : last + 1]
    took = window[-1].seconds - window[0].seconds if window else 0.0
    return sum(step.tokens for step in window[1:]) / took if took > 0 else None
