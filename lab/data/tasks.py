"""A task: examples to learn from, and how answers to it are scored."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.data import mapping
from lab.data.files import MAX_CELL, Row
from lab.data.source import Table, read
from lab.errors import LabError
from lab.plan import CLASSIFY, Data


#: Share of the rows that become validation, and test, where a set has no such splits (in 256ths of a hash).
HELD_OUT = 26


@dataclass(frozen=True)
class Example:
    """What the model reads, what it shall give, and the whole row for the scorer."""

    input: str
    target: str
    row: Row


@dataclass(frozen=True)
class TaskData:
    """A task with its three splits. `labels` is empty unless it classifies; `prompts` are examples to try."""

    name: str
    task: str
    input: str
    target: str
    labels: tuple[str, ...]
    metric: str
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    prompts: tuple[str, ...]
    notes: tuple[str, ...] = ()
    held_out: int = 0  # rows whose hash is below were taken from the training rows (see `hold_out`)


def prepare(data: Data) -> TaskData:
    """The task of a plan's data. Raises LabError for data that cannot be learned from."""
    table = read(data)
    chosen = mapping.resolve(data, table)
    notes = list(table.notes)
    splits = {name: _examples(getattr(table, name), chosen, notes) for name in ("train", "validation", "test")}
    held_out = 0
    if not splits["validation"]:
        held_out = HELD_OUT if splits["test"] else 2 * HELD_OUT
        splits = hold_out(splits["train"], splits["test"])
    if data.rows:
        splits["train"] = splits["train"][: data.rows]
    if not splits["train"] or not splits["validation"]:
        raise LabError(
            f"'{table.name}' has too few rows with both '{chosen.input}' and '{chosen.target}' to learn from.",
            "Give it 20 rows or more, or choose other columns.",
        )
    labels: tuple[str, ...] = ()
    if chosen.task == CLASSIFY:
        labels = _labels(table, chosen, splits)
        known = set(labels)
        splits = {name: tuple(item for item in rows if item.target in known) for name, rows in splits.items()}
    card = table.card
    own = card is not None and (chosen.input, chosen.target) == (card.input, card.target)
    labelled = chosen.task == CLASSIFY or mapping.few(table.train, chosen.target)  # labels may be written as text
    metric = card.metric if own and card else "accuracy" if labelled else "overlap"
    prompts = card.prompts if own and card else tuple(item.input for item in splits["validation"][:4])
    return TaskData(
        table.name,
        chosen.task,
        chosen.input,
        chosen.target,
        labels,
        metric,
        **splits,
        prompts=prompts,
        notes=tuple(notes),
        held_out=held_out,
    )


def hold_out(rows: Sequence[Example], test: Sequence[Example] = ()) -> dict[str, tuple[Example, ...]]:
    """The rows split in train, validation and test (unless there is one) by a hash of what each says.

    Equal rows never stand on both sides, and a row stays on its side whatever else the file holds.
    """
    parts: dict[str, list[Example]] = {"train": [], "validation": [], "test": list(test)}
    for item in rows:
        place = hashlib.sha256(f"{item.input}\n{item.target}".encode()).digest()[0]
        name = "validation" if place < HELD_OUT else "test" if place < 2 * HELD_OUT and not test else "train"
        parts[name].append(item)
    return {name: tuple(items) for name, items in parts.items()}


def _examples(rows: Sequence[Row], chosen: mapping.Mapping, notes: list[str]) -> tuple[Example, ...]:
    made, empty, cut = [], 0, 0
    for row in rows:
        source, target = _cell(row.get(chosen.input)), _cell(row.get(chosen.target))
        if not source or not target:
            empty += 1
            continue
        cut += len(source) > MAX_CELL or len(target) > MAX_CELL
        made.append(Example(source[:MAX_CELL], target[:MAX_CELL], row))
    if empty:
        notes.append(f"{empty:,} rows without '{chosen.input}' or '{chosen.target}' are left out.")
    if cut:
        notes.append(f"{cut:,} texts were cut at {MAX_CELL:,} characters.")
    return tuple(made)


def _cell(value: Any) -> str:
    """The text of a cell; empty for what stands for nothing (None, NaN)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = str(value).strip()
    return "" if text.lower() in ("nan", "null") else text


def _labels(table: Table, chosen: mapping.Mapping, splits: dict[str, tuple[Example, ...]]) -> tuple[str, ...]:
    card = table.card
    if card and card.labels and chosen.target == card.target:
        return card.labels
    labels = tuple(sorted({item.target for item in splits["train"]}))
    if len(labels) < 2:
        raise LabError(
            f"Every row of '{table.name}' has the same label, '{labels[0]}'.",
            "Choose a column with two labels or more.",
        )
    if len(labels) > mapping.MOST_LABELS * 5:
        raise LabError(
            f"The column '{chosen.target}' has {len(labels):,} different values: too many for labels.",
            "Choose the task 'generate', or another column.",
        )
    return labels
