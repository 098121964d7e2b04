"""What a training run says while it runs.

Frozen values, one JSON line each. A failure is an event like any other. Everything that a page, a command line or
a comparison shows of a run is computed from these lines (`lab.history`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from lab import strict_json, typed_json

#: How a run can end. "interrupted" is never written: it is what a run folder without a last line means.
DONE, STOPPED, FAILED = "done", "stopped", "failed"


@dataclass(frozen=True)
class Memory:
    """Bytes held in one step, counted exactly by category, the peak of each (`lab.training.memory.ledger`).

    Activations are largest when the backward pass begins and gradients when it ends, so the categories' sum is
    never held at once: `at_once` is the largest sum of any instant. `device` is what the device itself says beside
    it: the peak of allocated bytes on CUDA, allocated bytes on MPS, resident bytes of the process on a CPU.
    """

    weights: int = 0
    adapter: int = 0
    gradients: int = 0
    optimizer: int = 0
    activations: int = 0
    at_once: int = 0
    device: int = 0

    @property
    def total(self) -> int:
        """The peak of all categories together, in bytes."""
        return self.at_once


@dataclass(frozen=True)
class Stage:
    """What is being prepared ("Loading the base"), before or between steps."""

    text: str


@dataclass(frozen=True)
class Warned:
    """Something that does not stop the run but that its owner should know."""

    message: str
    hint: str = ""


@dataclass(frozen=True)
class Started:
    """The run is about to make its first step. Parameter counts are of the model as loaded.

    `train_rows` of `train_total` rows are learned from, `eval_rows` of `eval_total` validation rows evaluated, and
    replies to `reply_rows` of these scored (0 for a classifier). `sampling` says how they were drawn; empty, and the
    totals 0, in runs of before, which took the first rows.
    """

    steps: int
    total: int
    trainable: int
    task: str
    metric: str
    device: str
    train_rows: int
    eval_rows: int
    labels: tuple[str, ...] = ()
    first_step: int = 0
    reply_rows: int = 0
    train_total: int = 0
    eval_total: int = 0
    sampling: str = ""

    @property
    def rows(self) -> str:
        """The rows that are learned from and scored, in a sentence."""
        trained = _share(self.train_rows, self.train_total)
        scored = _share(self.eval_rows, self.eval_total)
        replies = f", replies to {self.reply_rows:,} of them" if self.reply_rows else ""
        drawn = self.train_rows < self.train_total or self.eval_rows < self.eval_total or self.reply_rows
        how = f" ({self.sampling or 'the first ones'})" if drawn or not self.sampling else ""
        return f"Learns from {trained} rows; scored on {scored} validation rows{replies}{how}."


@dataclass(frozen=True)
class Step:
    """One optimizer step. `loss` is the mean over its tokens or rows; `seconds` counts from the first step."""

    step: int
    loss: float
    lr: float
    grad_norm: float
    tokens: int
    seconds: float
    memory: Memory = Memory()


@dataclass(frozen=True)
class Evaluated:
    """The validation rows under the adapter at `step`; `base` marks the base itself, with the adapter off.

    `score` is the task's own headline metric in [0, 1], `metrics` the rest by name. `general` is bits per byte of
    held-out general prose: what the model forgets shows there. It is None where the model cannot say (a classifier).
    """

    step: int
    loss: float
    score: float
    metrics: dict[str, float] = field(default_factory=dict)
    general: float | None = None
    base: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Sample:
    """The reply to the run's sample prompt at `step`; `base` marks the base's own."""

    step: int
    prompt: str
    reply: str
    base: bool = False


@dataclass(frozen=True)
class Saved:
    """Something was written into the run's folder: a "checkpoint" to resume from or the "adapter" itself."""

    step: int
    what: str
    bytes: int


@dataclass(frozen=True)
class Reported:
    """What the method itself found out by `step`, as plain values (AdaLoRA: the rank of each module)."""

    step: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """The last event of a run. `status` is DONE, STOPPED or FAILED; a failure says why and what to do.

    `seconds` is the training time over all sessions of a run that was resumed, `earlier` what of it was before the
    last one. It is None in the logs of older labs, whose `seconds` are those of the last session alone.
    """

    status: str
    step: int = 0
    error: str = ""
    hint: str = ""
    seconds: float = 0.0
    earlier: float | None = None


def _share(count: int, total: int) -> str:
    return f"{count:,} of {total:,}" if count < total else f"{count:,}"


Event = Stage | Warned | Started | Step | Evaluated | Sample | Saved | Reported | Finished

KINDS: dict[str, type] = {kind.__name__.lower(): kind for kind in get_args(Event)}


def encode(event: Event) -> dict[str, Any]:
    """The event as plain JSON values under its name: `{"event": "step", "step": 1, …}`.

    JSON has no NaN or infinity: such a number becomes None, so that every browser can read the line.
    """
    return {"event": type(event).__name__.lower()} | _finite(asdict(event))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def decode(plain: Mapping[str, Any]) -> Event:
    """The event of `encode`'s values. Fields that a newer lab added are ignored.

    Raises ValueError for values that are no event (an edited log).
    """
    kind: Any = KINDS.get(str(plain.get("event"))) if isinstance(plain, Mapping) else None
    if kind is None:
        raise ValueError(f"no event: {str(plain)[:80]}")
    event: Event = typed_json.read(kind, plain)
    if isinstance(event, Finished) and event.status not in (DONE, STOPPED, FAILED):
        raise ValueError(f"no run ends as '{event.status[:40]}'")
    return event


def from_line(line: str) -> Event:
    """The event of one line of `events.jsonl`. Raises ValueError for a line that is none."""
    return decode(strict_json.loads_fast(line))


def to_line(event: Event) -> str:
    """The event as one line of `events.jsonl`, newline included."""
    return json.dumps(encode(event), ensure_ascii=False, allow_nan=False) + "\n"


def from_lines(text: str) -> list[Event]:
    """The events of a log. A torn last line (a process killed while writing) is left out.

    Raises ValueError for a damaged line before the last.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    events: list[Event] = []
    for number, line in enumerate(lines):
        try:
            events.append(from_line(line))
        except ValueError as error:
            if number == len(lines) - 1 and not text.endswith("\n"):
                break
            raise ValueError(f"line {number + 1} of the event log is damaged: {error}") from None
    return events
