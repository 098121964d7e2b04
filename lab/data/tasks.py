"""A task: examples to learn from, and how answers to it are scored."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lab.data import mapping
from lab.data.files import MAX_CELL
from lab.data.formats.budget import Row
from lab.data.sampling import sample
from lab.data.source import Table, read
from lab.errors import LabError
from lab.plan import CLASSIFY, Data

#: Tasks that are kept of one table.
KEPT = 4

_lock = threading.Lock()

#: Share of the rows that become validation, and test, where a set has no such splits (in 256ths of a hash).
HELD_OUT = 26


@dataclass(frozen=True, slots=True)
class Example:
    """What the model reads, what it shall give, and the whole row for the scorer."""

    input: str
    target: str
    row: Row


@dataclass(frozen=True, eq=False)
class TaskData:
    """A task with its three splits. `labels` is empty unless it classifies; `prompts` are examples to try.

    It is shared as its table is: `derived` holds what others work out from it.
    """

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
    by_label: bool = False  # whether samples of the rows are stratified by their targets
    train_total: int = 0  # training rows before `Data.rows` of them were drawn
    derived: OrderedDict[Any, Any] = field(default_factory=OrderedDict, init=False, repr=False)

    @cached_property
    def digest(self) -> str:
        """A hash of what is learned from and scored on; the scorer may read any column of a validation row."""
        digest = hashlib.sha256(repr((self.task, self.input, self.target, self.labels, self.metric)).encode())
        for item in self.train:
            digest.update(f"{len(item.input)} {len(item.target)} {item.input}{item.target}".encode())
        for item in self.validation:
            digest.update(repr((item.input, item.target, item.row)).encode("utf-8", "replace"))
        return digest.hexdigest()


Splits = dict[str, tuple[Example, ...]]


def prepare(data: Data) -> TaskData:
    """The task of a plan's data. Raises LabError for data that cannot be learned from.

    It is kept with its table, as a page asks for it again at each move of a slider: whoever gets it must not change
    it.
    """
    table = read(data)
    with _lock:
        if data not in table.derived:
            table.derived[data] = _prepare(data, table)
        table.derived.move_to_end(data)
        while len(table.derived) > KEPT:
            table.derived.popitem(last=False)
        return table.derived[data]


def _prepare(data: Data, table: Table) -> TaskData:
    chosen = mapping.resolve(data, table)
    notes = list(table.notes)
    splits = {name: examples(getattr(table, name), chosen, notes) for name in ("train", "validation", "test")}
    held_out = 0
    if not splits["validation"]:
        splits, held_out = hold_out(splits["train"], splits["test"])
    by_label = chosen.task == CLASSIFY or mapping.few(table.train, chosen.target)  # labels may be written as text
    train_total = len(splits["train"])
    if 0 < data.rows < train_total:
        splits["train"] = sample(splits["train"], data.rows, by_label, every_label=True)
    if not splits["train"] or not splits["validation"]:
        raise LabError(
            f"'{table.name}' has too few rows with both '{chosen.input}' and '{chosen.target}' to learn from.",
            "Give it 20 different rows or more, or choose other columns.",
        )
    labels: tuple[str, ...] = ()
    if chosen.task == CLASSIFY:
        labels = _labels(table, chosen, splits)
        splits = _known(splits, labels, notes)
    card = table.card
    own = card is not None and (chosen.input, chosen.target) == (card.input, card.target)
    metric = card.metric if own and card else "accuracy" if by_label else "overlap"
    prompts = tuple(item.input for item in sample(splits["validation"], 4, by_label))
    return TaskData(
        table.name,
        chosen.task,
        chosen.input,
        chosen.target,
        labels,
        metric,
        **splits,
        prompts=card.prompts if own and card else prompts,
        notes=tuple(notes),
        held_out=held_out,
        by_label=by_label,
        train_total=train_total,
    )


def hold_out(rows: Sequence[Example], test: Sequence[Example] = ()) -> tuple[Splits, int]:
    """The rows split in train, validation and test (unless there is one) by a hash of what each says.

    Equal rows never stand on both sides, and a row stays on its side whatever else the file holds, unless the file
    is so small that a side would be empty. Also returns the bound: rows whose hash is below it are not for training.
    """
    places = [hashlib.sha256(f"{item.input}\n{item.target}".encode()).digest()[0] for item in rows]
    first = max(HELD_OUT, min(places, default=0) + 1)
    rest = [place for place in places if place >= first]
    second = first if test else max(2 * HELD_OUT, min(rest, default=0) + 1)
    parts: dict[str, list[Example]] = {"train": [], "validation": [], "test": list(test)}
    for item, place in zip(rows, places):
        parts["validation" if place < first else "test" if place < second else "train"].append(item)
    return {name: tuple(items) for name, items in parts.items()}, second


def examples(rows: Sequence[Row], chosen: mapping.Mapping, notes: list[str]) -> tuple[Example, ...]:
    """The rows that can be learned from, without empty ones and with long texts cut; `notes` gets the counts."""
    made, empty, cut = [], 0, 0
    for row in rows:
        source, target = _cell(row.get(chosen.input)), _cell(row.get(chosen.target))
        if not source or not target:
            empty += 1
            continue
        cut += len(source) > MAX_CELL or len(target) > MAX_CELL
        made.append(Example(source[:MAX_CELL], target[:MAX_CELL], row))
    if empty:
        are = "is" if empty == 1 else "are"
        notes.append(f"{_rows(empty)} without '{chosen.input}' or '{chosen.target}' and {are} left out.")
    if cut:
        notes.append(f"{_rows(cut)} cut at {MAX_CELL:,} characters.")
    return tuple(made)


def _rows(number: int) -> str:
    return "1 row was" if number == 1 else f"{number:,} rows were"


def _cell(value: Any) -> str:
    """The text of a cell; empty for what stands for nothing (None, NaN)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = str(value).strip()
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can spell half a character, which no encoding knows
        text = text.encode("utf-8", "replace").decode()
    return "" if text.lower() in ("nan", "null") else text


def _labels(table: Table, chosen: mapping.Mapping, splits: Splits) -> tuple[str, ...]:
    card = table.card
    if card and card.labels and chosen.target == card.target:
        return card.labels
    labels = tuple(sorted({item.target for item in splits["train"]}))
    if len(labels) < 2:
        raise LabError(
            f"Every row of '{table.name}' has the same '{chosen.target}', '{labels[0][:60]}'.",
            "Choose a column with two labels or more.",
        )
    if len(labels) > mapping.MOST_LABELS * 5 or len(labels) == len(splits["train"]) > mapping.MOST_LABELS:
        raise LabError(
            f"The column '{chosen.target}' has {len(labels):,} different values: too many for labels.",
            "Choose the task 'generate', or another column.",
        )
    return labels


def _known(splits: Splits, labels: tuple[str, ...], notes: list[str]) -> Splits:
    """The splits without rows whose label no training row has. Raises LabError if that leaves nothing to validate."""
    known = set(labels)
    kept = {name: tuple(item for item in rows if item.target in known) for name, rows in splits.items()}
    lost = sum(map(len, splits.values())) - sum(map(len, kept.values()))
    if lost:
        notes.append(f"{_rows(lost)} left out of validation and test: no training row has its label.")
    if not kept["validation"]:
        raise LabError("No validation row has a label that a training row has.", "Give each label several rows.")
    return kept
