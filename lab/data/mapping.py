"""What the columns of a table mean: guessed, or as the plan says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.data.formats.budget import Row
from lab.data.sampling import some
from lab.data.source import Table
from lab.errors import LabError
from lab.knobs import nearest
from lab.plan import CLASSIFY, GENERATE, Data

#: Usual names of columns, the likelier first.
INPUTS = ("text", "sentence", "prompt", "instruction", "question", "input", "review", "content", "document", "mr")
LABELS = ("label", "labels", "intent", "category", "class", "sentiment", "topic", "target")
REPLIES = ("reply", "response", "completion", "answer", "output", "chosen", "summary", "text", "target")

#: A column of labels has at most this many different values, none of more characters.
MOST_LABELS, LONGEST_LABEL = 200, 60

#: Rows from which a column's kind is told.
LOOK = 5000


@dataclass(frozen=True)
class Mapping:
    """The task, and the columns that the model reads and learns to give."""

    task: str
    input: str
    target: str


def guess(table: Table, without: str = "") -> Mapping:
    """The likeliest mapping that does not learn the column `without`. Raises LabError if there are no two columns."""
    card = table.card
    if card and without != card.target:
        return Mapping(card.task, card.input, card.target)
    rows = some(table.train, LOOK)
    columns = [name for name in table.columns if plain(rows, name)]
    if len(columns) < 2:
        raise LabError(f"'{table.name}' has fewer than two columns.", "It needs one to read and one to learn.")
    known = {name.lower(): name for name in columns}
    open_ = [name for name in columns if name != without]
    label = next((known[name] for name in LABELS if known.get(name) in open_ and _label(rows, known[name])), None)
    reply = next((known[name] for name in REPLIES[:6] if known.get(name) in open_), None)
    if label is None and reply is None:
        # Of several that could be labels the one with the fewest; the last, where they are equal.
        likely = [name for name in reversed(open_) if few(rows, name)]
        label = min(likely, key=lambda name: len({str(row.get(name)) for row in rows}), default=None)
    if label is not None:
        return Mapping(CLASSIFY, _first(known, INPUTS, label) or _longest(rows, columns, label), label)
    source = _first(known, INPUTS, reply) or _longest(rows, columns, reply)
    reply = reply or _first({name: known[name] for name in known if known[name] in open_}, REPLIES, source)
    return Mapping(GENERATE, source, reply or _longest(rows, open_, source))


def resolve(data: Data, table: Table) -> Mapping:
    """The plan's mapping, with what it leaves empty guessed. Raises LabError for a column that cannot be used."""
    for column in (data.input, data.target):
        if column and column not in table.columns:
            raise LabError(
                f"'{table.name}' has no column '{column}'.",
                nearest(column, table.columns) or f"It has: {', '.join(table.columns)}.",
            )
        if column and not plain(table.train, column):
            raise LabError(f"The column '{column}' holds lists or tables, not texts.", "Choose another column.")
    if data.input and data.target:
        task = CLASSIFY if few(table.train, data.target) else GENERATE
        guessed = Mapping(task, data.input, data.target)
    else:
        guessed = guess(table, without=data.input)
        if data.target and data.target != guessed.target:
            others = [name for name in table.columns if plain(some(table.train, LOOK), name)]
            source = guessed.input if guessed.input != data.target else _longest(table.train, others, data.target)
            guessed = Mapping(CLASSIFY if few(table.train, data.target) else GENERATE, source, data.target)
    found = Mapping(
        guessed.task if data.task == "auto" else data.task, data.input or guessed.input, data.target or guessed.target
    )
    if found.input == found.target:
        raise LabError(f"The input and the target are both '{found.input}'.", "Choose two different columns.")
    return found


def plain(rows: Sequence[Row], name: str) -> bool:
    """Whether the cells of a column are texts, numbers or nothing."""
    return not any(isinstance(row.get(name), list | dict | bytes) for row in rows)


def few(rows: Sequence[Row], name: str) -> bool:
    """Whether a column has so few different values that they look like labels: each stands for two rows or more."""
    values = [str(value) for row in some(rows, LOOK) if (value := row.get(name)) not in (None, "")]
    different = set(values)
    return 2 <= len(different) <= min(MOST_LABELS, len(values) // 2) and _short(different)


def _label(rows: Sequence[Row], name: str) -> bool:
    """Whether a column whose name says that it holds labels does: some value comes twice."""
    values = [str(value) for row in rows if (value := row.get(name)) not in (None, "")]
    different = set(values)
    return len(different) <= MOST_LABELS and len(different) < max(len(values), 2) and _short(different)


def _short(values: set[str]) -> bool:
    return all(len(value) <= LONGEST_LABEL for value in values)


def _first(known: dict[str, str], names: Sequence[str], but: str | None) -> str | None:
    return next((known[name] for name in names if name in known and known[name] != but), None)


def _longest(rows: Sequence[Row], columns: Sequence[str], but: str | None) -> str:
    """The column with the most text, of those that are not `but`."""
    return max(
        (name for name in columns if name != but),
        key=lambda name: sum(len(str(row.get(name, ""))) for row in rows[:50]),
    )
