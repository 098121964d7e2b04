"""What is known of a run, from its events alone.

`fold` is the one reducer: a live run, a finished one, a reloaded page, the command line and a comparison all look
at a run through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lab.events import (
    STOPPED,
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
    """A run so far. `add` takes the next event; nothing else changes it.

    A run that was resumed has several sessions, each from a `Started` to a `Finished` (none if its process was
    killed). `finished.seconds` counts all of them, also where the log is an older lab's.
    """

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
    _earlier: float = 0.0  # seconds of the sessions before this one
    _begin: float = 0.0  # `Step.seconds` where this session began

    def add(self, event: Event) -> None:
        match event:
            case Stage():
                self.stage = event.text
            case Warned():
                self._warn(event)
            case Started():
                self._start(event)
            case Step():
                self.steps.append(event)
                if event.memory.total >= self.peak.total:
                    self.peak = event.memory
            case Evaluated():
                if event.base:  # a run that starts anew evaluates it anew
                    self.evaluations = [item for item in self.evaluations if not item.base]
                self.evaluations.append(event)
            case Sample():
                if event.base:
                    self.samples = [item for item in self.samples if (item.base, item.prompt) != (True, event.prompt)]
                self.samples.append(event)
            case Saved():
                self.saved.append(event)
            case Reported():
                self.facts = event.facts
            case Finished():
                self._finish(event)

    def _start(self, event: Started) -> None:
        """Go back to the checkpoint from which a session starts: what came after it was not kept."""
        first = event.first_step
        if first and self.started and self.started.sampling != event.sampling:
            self._warn(Warned(OTHER_ROWS, f"Before: {self.started.rows} Now: {event.rows}"))
        self._earlier = self.seconds if first else 0.0
        self.started, self.finished = event, None
        self.steps = [step for step in self.steps if step.step <= first]
        # A base whose evaluation was missing is evaluated later than what came of its first session.
        self.evaluations = sorted((item for item in self.evaluations if item.step <= first), key=lambda e: e.step)
        self.samples = sorted((item for item in self.samples if item.step <= first), key=lambda e: e.step)
        self._begin = self.steps[-1].seconds if self.steps else 0.0

    def _warn(self, event: Warned) -> None:
        if event not in self.warnings:  # each session says again what still holds
            self.warnings.append(event)

    def _finish(self, event: Finished) -> None:
        seconds = event.seconds
        if event.earlier is None:
            before = self.finished.seconds if self.finished else self._earlier
            seconds = max(before + seconds, self._so_far)
            if event.status == STOPPED and not self.steps:
                # An older lab kept the score of the rows that were reached before the stop.
                self.evaluations, self.samples = [], []
        self.finished = replace(event, seconds=seconds)

    @property
    def _so_far(self) -> float:
        """Seconds of the sessions before and of this one's steps."""
        return self._earlier + (self.steps[-1].seconds - self._begin if self.steps else 0.0)

    @property
    def step(self) -> int:
        """The last step that was made; 0 before the first."""
        return self.steps[-1].step if self.steps else 0

    @property
    def seconds(self) -> float:
        """Training time so far over all sessions, in seconds."""
        return self.finished.seconds if self.finished else self._so_far

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
        """Expected time to the last step, in seconds; None while nothing is known, and once the run has ended."""
        return None if self.finished else self.seconds_to_go

    @property
    def seconds_to_go(self) -> float | None:
        """What the missing steps take, at this session's pace or, before its first step, at that of the others.

        Also known of a run that has ended before its last step. None before the first step.
        """
        if self.started is None or not self.steps:
            return None
        seconds, made = self.steps[-1].seconds, self.step - self.started.first_step
        pace = (seconds - self._begin) / made if made > 0 else seconds / max(self.step, 1)
        return pace * (self.started.steps - self.step)


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
