"""What came of each member, as plain figures: everything that tables, pictures and verdicts are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lab.compare.statistics import Summary, summary
from lab.events import DONE, Evaluated, Memory
from lab.history import History
from lab.plan import CLASSIFY

WAITING, MISSING, EXCLUDED, PUBLISHED = "waiting", "missing", "excluded", "published"


@dataclass(frozen=True)
class Curve:
    """What a run measured on its way: for each step its number, tokens and seconds so far and loss; and the
    evaluations as (step, loss, score)."""

    step: tuple[int, ...] = ()
    tokens: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    loss: tuple[float, ...] = ()
    evaluations: tuple[tuple[int, float, float], ...] = ()

    def at(self, step: int, along: str) -> float:
        """Where an evaluation at `step` stands along "step", "tokens" or "seconds"."""
        if along == "step" or step <= 0 or not self.step:
            return float(step if along == "step" else 0)
        places = self.tokens if along == "tokens" else self.seconds
        return float(places[min(step, len(places)) - 1])


@dataclass(frozen=True)
class Outcome:
    """One member's figures; None where nothing was measured.

    `score` in [0, 1]; `loss` on held-out rows; `forgetting` in bits per byte of general prose beyond the base's;
    `memory` the peak, counted exactly (bytes); `seconds` of training steps; `bytes` of what was saved; `latency` of
    one pass over a held-out row, in seconds, as measured in the last evaluation (`latency_base`: the base's).
    """

    key: str
    arm: str
    method: str
    seed: int
    status: str
    label: str = ""
    run: str = ""
    model: str = ""
    data: str = ""
    metric: str = "score"
    reason: str = ""
    choices: dict[str, Any] = field(default_factory=dict)
    score: float | None = None
    score_base: float | None = None
    loss: float | None = None
    forgetting: float | None = None
    trainable: int | None = None
    total: int | None = None
    memory: int | None = None
    ledger: Memory = field(default_factory=Memory)
    seconds: float | None = None
    bytes: int | None = None
    latency: float | None = None
    latency_base: float | None = None
    steps: int = 0
    tokens: int = 0
    rows: int = 0
    sampling: str = ""
    curve: Curve = field(default_factory=Curve)
    replies: tuple[tuple[str, str, str], ...] = ()  # prompt, the base's reply, the adapter's
    contents: str = ""  # a hash of the rows and the base that its training began on (`lab.training.fingerprint`)
    marks: tuple[str, ...] = ()  # why it cannot be compared with the rest

    @property
    def share(self) -> float | None:
        """Trained parameters as a share of the model's own (a full fine-tuning's is 1)."""
        return self.trainable / self.total if self.trainable is not None and self.total else None

    @property
    def complete(self) -> bool:
        return self.status in (DONE, PUBLISHED) and self.score is not None


def measured(history: History, status: str, saved: int, reply_rows: int, **known: Any) -> Outcome:
    """The outcome of a run's history.

    `saved` is the bytes of its adapter, `reply_rows` the plan's (the rows that a generation task is scored on);
    `known` are the fields that the comparison knows (key, arm, the plan's choices).
    """
    started, base, last = history.started, history.base, history.last
    rows = started.eval_rows if started else 0
    scored = rows if not started or started.task == CLASSIFY else min(rows, reply_rows)
    steps, tokens = history.steps, 0
    sums = []
    for step in steps:
        tokens += step.tokens
        sums.append(tokens)
    curve = Curve(
        tuple(step.step for step in steps),
        tuple(sums),
        tuple(step.seconds for step in steps),
        tuple(step.loss for step in steps),
        tuple((item.step, item.loss, item.score) for item in history.evaluations if not item.base),
    )
    finished = history.finished
    return Outcome(
        status=status,
        metric=started.metric if started else "score",
        reason=f"{finished.error} {finished.hint}".strip() if finished and finished.error else "",
        score=_finite(last.score) if last else None,
        score_base=_finite(base.score) if base else None,
        loss=_finite(last.loss) if last else None,
        forgetting=_forgetting(base, last),
        trainable=started.trainable if started else None,
        total=started.total if started else None,
        memory=history.peak.total or None,
        ledger=history.peak,
        seconds=steps[-1].seconds if steps else None,
        bytes=saved or None,
        latency=last.seconds / rows if last and rows and last.seconds else None,
        latency_base=base.seconds / rows if base and rows and base.seconds else None,
        steps=history.step,
        tokens=tokens,
        rows=scored,
        sampling=(started.sampling or "the first ones") if started else "",
        curve=curve,
        replies=_replies(history),
        **known,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _forgetting(base: Evaluated | None, last: Evaluated | None) -> float | None:
    if base is None or last is None or base.general is None or last.general is None:
        return None
    return last.general - base.general


def _replies(history: History) -> tuple[tuple[str, str, str], ...]:
    """The last reply to each sample prompt, beside the base's."""
    base = {item.prompt: item.reply for item in history.samples if item.base}
    mine = {item.prompt: item.reply for item in history.samples if not item.base}
    return tuple((prompt, base.get(prompt, ""), reply) for prompt, reply in mine.items())


#: What can be put on an axis or in a column: title, unit, whether less is better (None: neither), how to read it.
QUANTITIES: dict[str, tuple[str, str, bool | None, Callable[[Outcome], float | None]]] = {
    "score": ("Score", "share", False, lambda item: item.score),
    "loss": ("Validation loss", "", True, lambda item: item.loss),
    "trainable": ("Trained parameters", "count", True, lambda item: item.trainable),
    "share": ("Share trained", "share", True, lambda item: item.share),
    "memory": ("Peak memory", "bytes", True, lambda item: item.memory),
    "seconds": ("Training time", "seconds", True, lambda item: item.seconds),
    "bytes": ("Checkpoint", "bytes", True, lambda item: item.bytes),
    "latency": ("Time per held-out row", "seconds", True, lambda item: item.latency),
    "forgetting": ("Forgetting, bits per byte", "", True, lambda item: item.forgetting),
    "tokens": ("Tokens read", "count", None, lambda item: item.tokens or None),
    "steps": ("Steps", "count", None, lambda item: item.steps or None),
}


def value(item: Outcome, name: str) -> float | None:
    return QUANTITIES[name][3](item)


@dataclass(frozen=True)
class Arm:
    """The members that differ in their seed alone."""

    name: str
    members: tuple[Outcome, ...]

    @property
    def first(self) -> Outcome:
        return self.members[0]

    @property
    def complete(self) -> tuple[Outcome, ...]:
        return tuple(item for item in self.members if item.complete)

    def of(self, quantity: str) -> Summary | None:
        """A quantity over the seeds that were completed; None if none was, or nothing was measured."""
        values = [value(item, quantity) for item in self.complete]
        return summary([item for item in values if item is not None])

    def by_seed(self, quantity: str) -> dict[int, float]:
        found = {item.seed: value(item, quantity) for item in self.complete if not item.marks}
        return {seed: number for seed, number in found.items() if number is not None}


def arms(outcomes: Iterable[Outcome]) -> list[Arm]:
    """The outcomes by arm, each arm's seeds in their order, whatever the order in which they ran."""
    groups: dict[str, list[Outcome]] = {}
    for item in outcomes:
        groups.setdefault(item.arm, []).append(item)
    return [Arm(name, tuple(sorted(items, key=lambda item: item.seed))) for name, items in groups.items()]


def marked(outcomes: Sequence[Outcome], budget: str, amount: float) -> list[Outcome]:
    """The outcomes with what keeps each from being compared with the rest.

    The rest is what most of the completed members have in common: model, data, metric and held-out rows (how many,
    and how they were drawn). A budget is kept if it is met within one part in five (seconds), or to within a step
    (tokens, steps).
    """
    own = [item for item in outcomes if item.status != PUBLISHED]
    usual = {
        name: _usual([getattr(item, name) for item in own if item.complete])
        for name in ("model", "data", "metric", "rows", "sampling")
    }
    told = {
        "model": "another model",
        "data": "other data",
        "metric": "another score",
        "rows": "other held-out rows",
        "sampling": "held-out rows drawn otherwise",
    }
    contents = {
        source: _usual([item.contents for item in own if item.complete and item.contents and _source(item) == source])
        for source in {_source(item) for item in own}
    }
    found = []
    for item in outcomes:
        marks = []
        if item.status == PUBLISHED:
            marks.append("published: another model, task and machine")
        elif item.complete:
            for name, words in told.items():
                if getattr(item, name) != usual[name]:
                    mine = str(getattr(item, name)).rpartition("/")[2]
                    marks.append(f"{words}: {mine}")
            marks += _budget(item, budget, amount)
            if item.contents and item.contents != contents[_source(item)]:
                marks.append("its data or its base had changed")
        elif item.score is not None and item.status not in ("running", WAITING):
            marks.append(f"{item.status} at step {item.steps}")
        found.append(replace(item, marks=tuple(marks)))
    return found


def _source(item: Outcome) -> tuple[Any, ...]:
    """What names the base and the rows: members that name the same should find the same."""
    return item.model, tuple(sorted((name, str(choice)) for name, choice in item.choices.items() if "data." in name))


def _usual(values: list[Any]) -> Any:
    return max(values, key=values.count) if values else None


def _budget(item: Outcome, budget: str, amount: float) -> list[str]:
    if budget == "seconds" and item.seconds is not None and abs(item.seconds - amount) > amount / 5:
        return [f"took {item.seconds:.0f} s, not {amount:g}"]
    if budget == "steps" and item.steps != int(amount):
        return [f"made {item.steps} steps, not {int(amount)}"]
    a_step = item.tokens / item.steps if item.steps else 0
    if budget == "tokens" and not amount <= item.tokens <= amount + 2 * a_step:
        return [f"read {item.tokens:,} tokens, not {int(amount):,}"]
    return []


def table(groups: Sequence[Arm]) -> list[dict[str, Any]]:
    """One row an arm: mean, deviation and count of each quantity, and what is best in its column."""
    names = [name for name in QUANTITIES if any(arm.of(name) for arm in groups)]
    best = {}
    for name in names:
        less = QUANTITIES[name][2]
        means = [found.mean for arm in groups if (found := arm.of(name)) and not arm.first.marks]
        if means and less is not None and len(means) > 1:
            best[name] = min(means) if less else max(means)
    rows = []
    for arm in groups:
        cells = {}
        for name in names:
            found = arm.of(name)
            cells[name] = found and {
                "mean": found.mean,
                "deviation": found.deviation,
                "count": found.count,
                "best": found.mean == best.get(name) and not arm.first.marks,
            }
        states = [item.status for item in arm.members]
        rows.append(
            {
                "arm": arm.name,
                "method": arm.first.method,
                "seeds": len(arm.members),
                "done": len(arm.complete),
                "states": {state: states.count(state) for state in dict.fromkeys(states)},
                "reason": next((item.reason for item in arm.members if item.reason), ""),
                "marks": sorted({mark for item in arm.members for mark in item.marks}),
                "cells": cells,
                "choices": arm.first.choices,
                "runs": [item.run for item in arm.members if item.run],
            }
        )
    return rows
