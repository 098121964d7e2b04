"""What the columns of a table mean: guessed, or as the plan says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.data.source import Table
from lab.errors import LabError
from lab.knobs import nearest
from lab.plan import CLASSIFY, GENERATE, Data

#: Usual names of columns, the likelier first.
INPUTS = ("text", "sentence", "prompt", "instruction", "question", "input", "review", "content", "document", "mr")
LABELS = ("label", "labels", "intent", "category", "class", "sentiment", "topic", "target")
REPLIES = ("reply", "response", "completion", "answer", "output", "chosen", "summary", "text", "target")

#: A column of labels has at most this many different values, and each stands for at least two rows on average.
MOST_LABELS = 200


@dataclass(frozen=True)
class Mapping:
    """The task, and the columns that the model reads and learns to give."""

    task: str
    input: str
    target: str


def guess(table: Table) -> Mapping:
    """The likeliest mapping. Raises LabError for a table with fewer than two columns."""
    if table.card:
        return Mapping(table.card.task, table.card.input, table.card.target)
    columns = [name for name in table.columns if _texts(table.train[:50], name)]
    if len(columns) < 2:
        raise LabError(f"'{table.name}' has fewer than two columns.", "It needs one to read and one to learn.")
    lower = {name.lower(): name for name in columns}
    label = next((lower[name] for name in LABELS if name in lower and few(table.train, lower[name])), None)
    if label is None:
        label = next((name for name in columns[1:] if few(table.train, name)), None)
    if label is not None:
        source = next((lower[n] for n in INPUTS if n in lower and lower[n] != label), None)
        return Mapping(CLASSIFY, source or _longest(table.train, [c for c in columns if c != label]), label)
    source = next((lower[name] for name in INPUTS if name in lower), columns[0])
    reply = next((lower[name] for name in REPLIES if name in lower and lower[name] != source), None)
    return Mapping(GENERATE, source, reply or next(name for name in columns if name != source))


def resolve(data: Data, table: Table) -> Mapping:
    """The plan's mapping, with what it leaves empty guessed. Raises LabError for a column that is not there."""
    for column in (data.input, data.target):
        if column and column not in table.columns:
            raise LabError(
                f"'{table.name}' has no column '{column}'.",
                nearest(column, table.columns) or f"It has: {', '.join(table.columns)}.",
            )
    if data.task != "auto" and data.input and data.target:
        found = Mapping(data.task, data.input, data.target)
    else:
        guessed = guess(table)
        target = data.target or guessed.target
        task = data.task if data.task != "auto" else guessed.task
        if data.target and data.task == "auto" and data.target != guessed.target:
            task = CLASSIFY if few(table.train, target) else GENERATE
        found = Mapping(task, data.input or guessed.input, target)
    if found.input == found.target:
        raise LabError(f"The input and the target are both '{found.input}'.", "Choose two different columns.")
    return found


def _texts(rows: Sequence[dict[str, Any]], name: str) -> bool:
    return all(isinstance(row.get(name), str | int | float | bool | None) for row in rows)


def few(rows: Sequence[dict[str, Any]], name: str) -> bool:
    """Whether a column has so few different values that they look like labels."""
    values = [str(row.get(name)) for row in rows[:5000]]
    different = set(values)
    return 2 <= len(different) <= min(MOST_LABELS, len(values) // 2) and max(map(len, different)) <= 60


def _longest(rows: Sequence[dict[str, Any]], columns: list[str]) -> str:
    return max(columns, key=lambda name: sum(len(str(row.get(name, ""))) for row in rows[:50]))
