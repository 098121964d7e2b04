"""Rows from a file that a person chose: CSV, JSON, JSONL or Parquet, with everything that can be wrong with one.

A file is untrusted, and nothing in it is executed. It is read row by row; its bytes, what it unpacks to, the text of
each row and the memory of all rows are bounded while that goes on (`lab.data.formats`). Whatever a file is, it takes
less than 500 MB to read: 200 MB for its rows, 50 MB for those of other files, and what a single row takes at its
worst. A Parquet file is unpacked by a process of its own, of up to 350 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

from lab.data.formats import json_rows, parquet, separated
from lab.data.formats.budget import Budget, Busy, Exhausted, Oversized, Row
from lab.data.formats.text import PACKED
from lab.data.sampling import some
from lab.errors import LabError

#: Bounds of a file: its bytes on disk, the rows that are used of it, the characters that are used of a cell.
MAX_BYTES, MAX_ROWS, MAX_CELL = 50 * 2**20, 200_000, 20_000

Reader = Callable[[Path, Budget], Generator[Row, None, None]]
Convert = Callable[[Row], Row]

#: Endings of files that can be read, each with its reader; the text ones also packed with gzip (".csv.gz").
READERS: dict[str, Reader] = {
    ".csv": separated.rows,
    ".tsv": separated.rows,
    ".jsonl": json_rows.lines,
    ".ndjson": json_rows.lines,
    ".json": json_rows.document,
    ".parquet": parquet.rows,
}
SUFFIXES = tuple(READERS)

#: One file at a time: what is being read takes memory too, and no more than one processor.
_reading = threading.Lock()


def same(row: Row) -> Row:
    """The row as it is."""
    return row


def ending(name: str) -> str:
    """The ending by which a file is read, such as ".csv" (also for ".csv.gz"); empty for one that is not."""
    suffix = Path(name.lower().removesuffix(PACKED)).suffix
    packed = name.lower().endswith(PACKED)
    return suffix if suffix in SUFFIXES and not (packed and suffix == ".parquet") else ""


def read_file(
    path: Path, max_bytes: int = MAX_BYTES, budget: Budget | None = None, convert: Convert = same
) -> tuple[list[Row], list[str]]:
    """The rows of the file and notes on what was left out: of more than `MAX_ROWS` rows a sample is used.

    Each row is converted before its memory is counted. Raises LabError with one sentence and a hint.
    """
    with budget or Budget() as budget:
        rows = _read(path, max_bytes, budget, convert)
        if budget.full:
            raise _too_much(path, budget)
    if len(rows) <= MAX_ROWS:
        return rows, []
    note = f"{MAX_ROWS:,} of the {len(rows):,} rows of '{path.name}' are used, drawn at random."
    return list(some(rows, MAX_ROWS)), [note]


def read_first(path: Path, count: int, max_bytes: int, budget: Budget, convert: Convert = same) -> list[Row]:
    """The first `count` rows of the file, or as many as the budget has memory for: it is `full` then.

    Raises LabError with one sentence and a hint.
    """
    rows = _read(path, max_bytes, budget, convert, count)
    if not rows:
        raise _too_much(path, budget)
    return rows


def _read(path: Path, max_bytes: int, budget: Budget, convert: Convert, count: int = 0) -> list[Row]:
    """The rows of the file (`count` of them at most, unless it is 0), until the budget is full."""
    _check(path, max_bytes)
    rows: list[Row] = []
    with _reading, closing(READERS[ending(path.name)](path, budget)) as source:
        try:
            for row in map(convert, source):
                budget.add(row)
                rows.append(row)
                if len(rows) == count:
                    break
        except Exhausted:
            return rows
        except Oversized as error:
            raise LabError(f"A row of '{path.name}' {error}.", "Keep the texts to read and to learn.") from None
        except Busy:
            raise LabError("Other data are being read.", "Try again in a moment.") from None
        except OSError as error:
            raise LabError(f"'{path.name}' cannot be read: {error.strerror or error}.", "Check the file.") from None
    if not rows:
        raise LabError(f"'{path.name}' has no rows.", "Choose a file with rows.")
    return rows


def _too_much(path: Path, budget: Budget) -> LabError:
    return LabError(
        f"The rows of '{path.name}' fill more than {budget.limit // 2**20:,} MB of memory.",
        "Take a part of its rows or columns.",
    )


def _check(path: Path, max_bytes: int) -> None:
    """Raise LabError for a path that is no file to read."""
    if path.is_dir():
        raise LabError(f"'{path.name}' is a folder.", "Choose one file.")
    if not path.is_file():
        raise LabError(f"The file '{path}' does not exist.", "Check its path.")
    if not ending(path.name):
        packed = path.suffix.lower() in (".zip", ".gz", ".tar", ".7z", ".zst", ".bz2", ".xz")
        hint = "Unpack it first." if packed else f"Use {', '.join(SUFFIXES)}; a spreadsheet can be saved as CSV."
        raise LabError(f"Files of the kind '{path.suffix or path.name}' cannot be read.", hint)
    size = path.stat().st_size
    if size == 0:
        raise LabError(f"'{path.name}' is empty.", "Choose a file with rows.")
    if size > max_bytes:
        raise LabError(
            f"'{path.name}' has {size / 2**20:,.1f} MB; the limit is {max_bytes / 2**20:,.1f} MB.",
            "Take a part of it.",
        )
