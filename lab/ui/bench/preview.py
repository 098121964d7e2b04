"""The first rows of a data set, with the columns that a plan would read and learn."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from lab.errors import LabError
from lab.plan import Data

#: Rows that are shown, and characters of each cell.
ROWS, CELL = 6, 140

#: Validation rows below which a score is mostly chance (of 20, one is 5 points), and what is said then.
FEW = 20
LITTLE = "A score on so few validation rows says little: more rows would tell more."


def rows(data: Data) -> dict[str, Any]:
    """The columns and first rows as texts, the mapping in use, the sizes of the splits and what was left out."""
    from lab.data import mapping, source, tasks

    table = source.read(data)
    used = mapping.resolve(data, table)
    columns = list(table.columns)
    splits: Any = table
    with suppress(LabError):  # rows that cannot be learned from are shown too: other columns may serve
        splits = tasks.prepare(data)
    return {
        "columns": columns,
        "rows": [[_cell(row.get(name)) for name in columns] for row in table.train[:ROWS]],
        "task": used.task,
        "input": used.input,
        "target": used.target,
        "train": len(splits.train),
        "validation": len(splits.validation),
        "notes": [*splits.notes, *([LITTLE] if splits is not table and len(splits.validation) < FEW else [])],
    }


def _cell(value: Any) -> str:
    text = " ".join(str("" if value is None else value).split())
    return text if len(text) <= CELL else text[: CELL - 1] + "…"
