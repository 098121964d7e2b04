"""What a page lacks of a run that it watches: new points, new samples, and how far it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any, NotRequired

from pydantic import Field

from lab.data import scoring
from lab.data.catalogue import datasets
from lab.history import History
from lab.methods import METHODS
from lab.plan import Plan
from lab.plots import training
from lab.plots.style import NEUTRAL, colour
from lab.plots.training import Mark
from lab.runs import INTERRUPTED, RUNNING, WAITING, Run
from lab.server.schema import Id, Request
from lab.ui.lab import Lab

PAUSED, STOPPING = "paused", "stopping"


Count = Annotated[int, Field(ge=0, le=10**12)]


class MarkTable(Request):
    """A `lab.plots.training.Mark` as plain values."""

    starts: Annotated[int, Field(ge=-1, le=10**12)]
    stride: Annotated[int, Field(ge=1, le=10**12)]
    step: Count
    evaluations: Count
    samples: Count


class Feed(Request):
    run: Id
    mark: NotRequired[MarkTable | None]


def state(lab: Lab, run: Run, history: History) -> tuple[str, int | None]:
    """The run's status and its place in the queue (0 while it trains, None where it is not in it)."""
    place = lab.jobs.place(run.id)
    if place is None:
        if run.busy:
            return RUNNING, 0
        return (history.finished.status if history.finished else INTERRUPTED), None
    if lab.jobs.stopping(run.id):
        return STOPPING, place
    if lab.jobs.paused(run.id):
        return PAUSED, place
    return (WAITING if place else RUNNING), place


def feed(lab: Lab, request: Feed) -> dict[str, Any]:
    """What the page that has `mark` of the run lacks.

    `reset` holds whole figures where the page has nothing that can be extended, else `points` the new points of
    each chart; a run that has not begun has neither. Everything else is small and sent each time.
    """
    run, known = lab.runs.get(request["run"]), request.get("mark")
    trail = lab.trails.of(run)
    mark = Mark(**known) if known else None
    history = trail.history
    whole = mark is None or not trail.fits(mark)
    points, now = trail.after(Mark() if mark is None or whole else mark)
    status, place = state(lab, run, history)
    started, last, base, plan = history.started, history.last, history.base, run.plan
    newest = history.steps[-1] if history.steps else None
    reset = None
    if whole and started:
        shade = colour(plan.method) if plan.method in METHODS else NEUTRAL
        made = training.figures(trail, shade, scoring.title(started.metric))
        reset = {name: json.loads(item.to_json()) for name, item in made.items()}
    return {
        "run": run.id,
        "name": run.name,
        "method": plan.method,
        "status": status,
        "place": place,
        "wait": lab.jobs.expected(run.id) if place else None,
        "stage": "" if history.steps and status == RUNNING else history.stage,
        "reset": reset,
        "points": points if started and not whole else None,
        "mark": asdict(now),
        "step": history.step,
        "steps": started.steps if started else plan.training.steps,
        "loss": _finite(trail.smooth[-1]) if trail.smooth else None,
        "metric": scoring.title(started.metric) if started else "",
        "task": started.task if started else "",
        "labels": list(started.labels) if started else [],
        "rows": started.rows if started else "",
        "score": _finite(last.score) if last else None,
        "base": _finite(base.score) if base else None,
        "speed": history.tokens_per_second,
        "left": history.seconds_left if status == RUNNING else None,
        "seconds": history.seconds,
        "memory": newest.memory.total if newest else history.peak.total,
        "device_memory": newest.memory.device if newest else 0,
        "device_words": "process" if started and started.device.lower().startswith("cpu") else "device",
        "samples": [asdict(item) for item in history.samples[0 if whole or mark is None else mark.samples :]],
        "warnings": [asdict(item) for item in history.warnings],
        "facts": history.facts,
        "error": _error(history),
        "adapter": (run.folder / "adapter").is_dir(),
        "resumable": status in (INTERRUPTED, "stopped", "failed"),
        "prompts": _prompts(plan, history),
    }


def _prompts(plan: Plan, history: History) -> list[str]:
    """What one may ask the run: its data set's own examples, or the prompt of its samples."""
    card = datasets().get(plan.data.source)
    if card is not None:
        return list(card.prompts)
    return [history.samples[0].prompt] if history.samples else []


def _error(history: History) -> dict[str, str] | None:
    finished = history.finished
    return {"message": finished.error, "hint": finished.hint} if finished and finished.error else None


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None
