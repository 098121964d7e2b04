"""CSV and its relatives: a header, and a line of cells for each row."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

from lab.data.formats import text
from lab.data.formats.budget import MAX_COLUMNS, Budget, Oversized, Row
from lab.errors import LabError

#: Characters at the beginning of a file by which the sign between its cells is told.
HEAD = 2**16


def rows(path: Path, budget: Budget) -> Generator[Row, None, None]:
    """The rows of the file. Raises LabError for what is no CSV."""
    csv.field_size_limit(text.MAX_ROW)
    sign = separator(path)
    with text.open_text(path) as file:
        lines = text.Lines(file, path.name)
        first = next((line for line in lines if not line.isspace()), None)
        if first is None:
            raise text.empty(path.name)
        records = csv.reader(_chain(first, lines), delimiter=sign, strict=True)
        try:
            header = _header(next(records), path.name)
            lines.row_read()
            for cells in records:
                lines.row_read()
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise LabError(
                        f"Line {lines.number:,} of '{path.name}' does not fit its header: {len(cells)} for "
                        f"{len(header)} cells.",
                        "Put quotes round cells that hold the sign between cells.",
                    )
                yield dict(zip(header, cells))
        except csv.Error as error:
            if "field limit" in str(error):
                raise text.too_long(path.name) from None
            raise LabError(
                f"Line {lines.number:,} of '{path.name}' is not CSV: {error}.", "Check its quotes."
            ) from None


def _chain(first: str, lines: text.Lines) -> Iterator[str]:
    yield first
    yield from lines


def _header(cells: list[str], name: str) -> list[str]:
    """The names of the columns."""
    if len(cells) > MAX_COLUMNS:
        raise Oversized(f"has more than {MAX_COLUMNS:,} columns")
    # A nameless column is what a table's row numbers are saved as.
    header = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
    column, count = Counter(header).most_common(1)[0]
    if count > 1:
        raise LabError(f"The header of '{name}' has two columns '{column}'.", "Give every column a name of its own.")
    return header


def separator(path: Path) -> str:
    """The sign between the cells of a file: the header decides it, as it holds no prose."""
    with text.open_text(path) as file:
        head = file.read(HEAD).lstrip("\r\n")
    return max(",;\t|", key=lambda sign: len(next(csv.reader(io.StringIO(head, newline=""), delimiter=sign), ())))
