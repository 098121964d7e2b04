"""Which method to take, in order: computed from the formulas and, where there are any, from own measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lab.compare.results import Outcome, arms
from lab.errors import LabError
from lab.knobs import build, values
from lab.methods import METHODS
from lab.methods.base import Method
from lab.models import precision as precisions
from lab.models.shape import ModelShape
from lab.plan import Precision, Training
from lab.training.memory.estimate import estimate

#: What a person may want, with the words for it.
GOALS = {
    "smallest": "The smallest file for each task",
    "fastest": "The fastest training",
    "best": "The best score",
    "many": "Many tasks on one base",
    "memory": "The least memory",
}

#: Stored forms of the base that are tried, from the plainest.
TRIED = ("bf16", "int8", "nf4")

#: Part of a machine's memory that is left to the system and to what is not counted.
LEFT = 0.1


@dataclass(frozen=True)
class Advice:
    """One method for this machine, model and goal. `fits`: the machine has the memory; `why` is one line."""

    method: str
    title: str
    precision: str
    fits: bool
    memory: int
    trainable: int
    bytes: int
    work: float  # of one training token, as a share of full fine-tuning's
    score: float | None
    why: str


def recommend(
    shape: ModelShape,
    memory: int,
    goal: str,
    training: Training | None = None,
    measured: Sequence[Outcome] = (),
    where: str = "cuda",
) -> list[Advice]:
    """The methods that work for the model, the most fitting first; those that do not fit come last.

    `memory` is the machine's in bytes, `measured` are outcomes of the user's own comparisons. Raises LabError for a
    goal that there is none of.
    """
    if goal not in GOALS:
        raise LabError(f"There is no goal '{goal}'.", f"There are: {', '.join(GOALS)}.")
    training = training or Training()
    scores = _scores(measured)
    found = [
        made
        for method in METHODS.values()
        if (made := _advice(method, shape, memory, goal, training, scores, where)) is not None
    ]
    key = _order(goal)
    return sorted(found, key=lambda item: (not item.fits, key(item)))


def _scores(measured: Sequence[Outcome]) -> dict[str, float]:
    """The best mean score of each method among the user's own results."""
    found: dict[str, float] = {}
    for arm in arms(measured):
        summary = arm.of("score")
        if summary and not arm.first.marks:
            found[arm.first.method] = max(found.get(arm.first.method, 0.0), summary.mean)
    return found


def _advice(
    method: Method,
    shape: ModelShape,
    memory: int,
    goal: str,
    training: Training,
    scores: dict[str, float],
    where: str,
) -> Advice | None:
    """The method in the plainest precision in which it fits; in its leanest if it fits in none."""
    settings: Any = build(method.Settings, {})
    training = replace(training, **{**values(training), **dict(method.training)})
    room = memory * (1 - LEFT)
    tried: list[tuple[Precision, int]] = []
    for name in TRIED:
        stored = Precision(weights=name)
        if precisions.compatible(stored, where) or method.compatible(settings, shape, stored, training):
            continue
        try:
            tried.append((stored, estimate(shape, method, settings, stored, training).total))
        except LabError:  # a setting that does not fit this model
            return None
    if not tried:
        return None
    fitting = [pair for pair in tried if pair[1] <= room]
    by_memory = sorted(tried, key=lambda pair: pair[1])
    stored, needed = by_memory[0] if goal == "memory" or not fitting else fitting[0]
    trained = method.trainable(settings, shape)
    saved = trained * 4 if not method.changes_base else int(trained * precisions.bits_per_weight(stored) / 8)
    share = (4 * shape.total + 2 * trained) / (6 * shape.total)
    advice = Advice(
        method.key,
        method.title,
        stored.weights,
        needed <= room,
        needed,
        trained,
        saved,
        share,
        scores.get(method.key),
        "",
    )
    return replace(advice, why=_why(advice, method, goal, shape, room))


def _order(goal: str) -> Callable[[Advice], tuple[float, ...]]:
    if goal == "smallest":
        return lambda item: (item.bytes,)
    if goal == "fastest":
        return lambda item: (item.work, item.precision != "bf16", item.trainable)
    if goal == "memory":
        return lambda item: (item.memory,)
    if goal == "many":
        return lambda item: (METHODS[item.method].changes_base, item.bytes)
    # Without a measurement of one's own more trained parameters are the only hint that the formulas give.
    return lambda item: (item.score is None, -(item.score or 0.0), -item.trainable)


def _why(item: Advice, method: Method, goal: str, shape: ModelShape, room: float) -> str:
    """One line: the figure that decides, and what else to know."""
    if not item.fits:
        return f"Needs about {_bytes(item.memory)}, more than the {_bytes(room)} that this machine can give."
    held = f"fits with about {_bytes(item.memory)}, the base in {item.precision}"
    if goal == "smallest":
        return f"{_bytes(item.bytes)} a task ({item.trainable:,} parameters); {held}."
    if goal == "fastest":
        slow = "" if item.precision not in ("int8", "nf4") else "; unpacking the quantized base costs time on top"
        return f"{item.work:.0%} of full fine-tuning's arithmetic for each token{slow}; {held}."
    if goal == "memory":
        return f"About {_bytes(item.memory)} at the peak of a step, the base in {item.precision}."
    if goal == "many":
        if method.changes_base:
            return f"Each task is a changed model of its own ({_bytes(item.bytes)}): nothing is shared in memory."
        cost = "" if method.inference == "none" else f" At inference: {method.inference}."
        return f"One base in memory, {_bytes(item.bytes)} more for each task.{cost}"
    if item.score is not None:
        return f"{item.score:.1%} in your own comparison; {held}."
    part = item.trainable / shape.total
    return f"Not measured here: {part:.2%} of the parameters train, which is a hint at most; {held}."


def _bytes(value: float) -> str:
    for size, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"
