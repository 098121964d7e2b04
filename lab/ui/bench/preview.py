"""The first rows of a data set, with the columns that a plan would read and learn."""

from __future__ import annotations

from typing import Any

from lab.plan import Data

#: Rows that are shown, and characters of each cell.
ROWS, CELL = 6, 140


def rows(data: Data) -> dict[str, Any]:
    """The columns and first rows as texts, the mapping in use, the sizes of the splits and what was left out."""
    from lab.data import mapping, source

    table = source.read(data)
    used = mapping.resolve(data, table)
    columns = list(table.columns)
    return {
        "columns": columns,
        "rows": [[_cell(row.get(name)) for name in columns] for row in table.train[:ROWS]],
        "task": used.task,
        "input": used.input,
        "target": used.target,
        "train": len(table.train),
        "validation": len(table.validation),
        "notes": list(table.notes),
    }


def _cell(value: Any) -> str:
    text = " ".join(str("" if value is None else value).split())
    return text if len(text) <= CELL else text[: CELL - 1] + "…"
