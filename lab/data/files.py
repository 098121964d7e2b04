"""Rows from a file that a person chose: CSV, JSON, JSONL or Parquet, with everything that can be wrong with one.

A file is untrusted: its bytes, rows and cells are bounded while it is read, and nothing in it is executed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lab.errors import LabError

#: Bounds of a file: its bytes on disk, its rows, the characters of one cell, the bytes a Parquet file may unpack to.
MAX_BYTES, MAX_ROWS, MAX_CELL, MAX_UNPACKED = 50 * 2**20, 200_000, 20_000, 400 * 2**20

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")

Row = dict[str, Any]


def read_file(path: Path, max_bytes: int = MAX_BYTES) -> tuple[list[Row], list[str]]:
    """The rows of the file and notes on what was left out. Raises LabError with one sentence and a hint."""
    if path.is_dir():
        raise LabError(f"'{path.name}' is a folder.", "Choose one file.")
    if not path.is_file():
        raise LabError(f"The file '{path}' does not exist.", "Check its path.")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise LabError(f"Files of the kind '{suffix or path.name}' cannot be read.", f"Use {', '.join(SUFFIXES)}.")
    size = path.stat().st_size
    if size == 0:
        raise LabError(f"'{path.name}' is empty.", "Choose a file with a header and rows.")
    if size > max_bytes:
        raise LabError(
            f"'{path.name}' has {size / 2**20:.0f} MB; the limit is {max_bytes / 2**20:.0f} MB.", "Take a part of it."
        )
    rows = list(islice(_parquet(path) if suffix == ".parquet" else _text_rows(path, suffix), MAX_ROWS + 1))
    notes = []
    if len(rows) > MAX_ROWS:
        rows = rows[:MAX_ROWS]
        notes.append(f"Only the first {MAX_ROWS:,} rows of '{path.name}' are used.")
    if not rows:
        raise LabError(f"'{path.name}' has no rows.", "Choose a file with a header and rows.")
    return rows, notes


def _text_rows(path: Path, suffix: str) -> Iterator[Row]:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LabError(
            f"'{path.name}' is not UTF-8: byte {error.start} in line {line} cannot be read.", "Save it as UTF-8."
        ) from None
    if "\x00" in text[:4096]:
        raise LabError(f"'{path.name}' is not a text file.", "Save it as UTF-8 text.")
    if suffix in (".csv", ".tsv"):
        return _csv(path, text)
    if suffix == ".jsonl" or not text.lstrip().startswith("["):
        return _jsonl(path, text)
    return _json(path, text)


def _csv(path: Path, text: str) -> Iterator[Row]:
    first = text.split("\n", 1)[0]
    # A comma in a quoted cell must not outweigh the real sign, so the header decides: it has no prose.
    sign = max(",;\t|", key=first.count) if any(first.count(c) for c in ",;\t|") else ","
    reader = csv.reader(io.StringIO(text), delimiter=sign, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
        if len(set(header)) != len(header) or not all(header):
            raise LabError(
                f"The header of '{path.name}' has an empty or repeated name.", "Give every column a name of its own."
            )
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise LabError(
                    f"Line {reader.line_num} of '{path.name}' has {len(cells)} cells; the header has {len(header)}.",
                    "Put quotes round cells that hold the separator.",
                )
            yield dict(zip(header, cells))
    except csv.Error as error:
        raise LabError(f"Line {reader.line_num} of '{path.name}' is not CSV: {error}.", "Check its quotes.") from None


def _jsonl(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise LabError(f"Line {number} of '{path.name}' is not JSON.", "Put one object on each line.") from None
        yield _object(row, f"Line {number} of '{path.name}'")


def _json(path: Path, text: str) -> Iterator[Row]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise LabError(f"'{path.name}' is not JSON.", "Save it as a list of objects.") from None
    return (_object(row, f"Row {number} of '{path.name}'") for number, row in enumerate(rows, 1))


def _object(row: Any, place: str) -> Row:
    if not isinstance(row, dict):
        raise LabError(f"{place} is not an object with named columns.", 'Write {"text": …, "label": …}.')
    return row


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
        if sum(group.total_byte_size for group in groups) > MAX_UNPACKED:
            raise LabError(f"'{path.name}' unpacks to more than {MAX_UNPACKED // 2**20} MB.", "Take a part of it.")
        unpacked = 0
        for batch in file.iter_batches(batch_size=1000):
            # What the metadata says is the file's own claim: count what really comes out.
            unpacked += batch.nbytes
            if unpacked > MAX_UNPACKED:
                raise LabError(
                    f"'{path.name}' unpacks to more than {MAX_UNPACKED // 2**20} MB.", "Take a part of it."
                )
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError):
        raise LabError(f"'{path.name}' is not a Parquet file that can be read.", "Save it again.") from None
