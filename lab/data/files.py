"""Rows from a file that a person chose: CSV, JSON, JSONL or Parquet, with everything that can be wrong with one.

A file is untrusted: its bytes, rows and what it unpacks to are bounded while it is read, and nothing in it is
executed.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lab.errors import LabError

#: Bounds of a file: its bytes on disk, its rows, the characters of one cell, the bytes that it may unpack to.
MAX_BYTES, MAX_ROWS, MAX_CELL, MAX_UNPACKED = 50 * 2**20, 200_000, 20_000, 400 * 2**20

#: Endings of files that can be read; the text ones also packed with gzip (".csv.gz").
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
PACKED = ".gz"

#: Rows of a Parquet file that are unpacked at once.
BATCH = 1000

Row = dict[str, Any]


def ending(name: str) -> str:
    """The ending by which a file is read, such as ".csv" (also for ".csv.gz"); empty for one that is not."""
    suffix = Path(name.lower().removesuffix(PACKED)).suffix
    packed = name.lower().endswith(PACKED)
    return suffix if suffix in SUFFIXES and not (packed and suffix == ".parquet") else ""


def read_file(path: Path, max_bytes: int = MAX_BYTES) -> tuple[list[Row], list[str]]:
    """The rows of the file and notes on what was left out. Raises LabError with one sentence and a hint."""
    if path.is_dir():
        raise LabError(f"'{path.name}' is a folder.", "Choose one file.")
    if not path.is_file():
        raise LabError(f"The file '{path}' does not exist.", "Check its path.")
    suffix = ending(path.name)
    if not suffix:
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
    notes: list[str] = []
    try:
        found = _parquet(path, notes) if suffix == ".parquet" else _texts(path, suffix)
        rows = list(islice(found, MAX_ROWS + 1))
    except OSError as error:
        raise LabError(f"'{path.name}' cannot be read: {error.strerror or error}.", "Check the file.") from None
    if len(rows) > MAX_ROWS:
        rows.pop()
        notes.append(f"Only the first {MAX_ROWS:,} rows of '{path.name}' are used.")
    if not rows:
        raise LabError(f"'{path.name}' has no rows.", "Choose a file with rows.")
    return rows, notes


def _texts(path: Path, suffix: str) -> Iterator[Row]:
    data = _unpacked(path) if path.name.lower().endswith(PACKED) else path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts from behind the mark that some editors put first.
        place = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line = data[:place].count(b"\n") + 1
        raise LabError(
            f"'{path.name}' is not UTF-8: byte {place + 1:,}, in line {line:,}, cannot be read.", "Save it as UTF-8."
        ) from None
    if "\x00" in text:
        raise LabError(f"'{path.name}' is not a text file.", "Save it as UTF-8 text.")
    if not text.strip():
        raise LabError(f"'{path.name}' is empty.", "Choose a file with rows.")
    if suffix in (".csv", ".tsv"):
        return _csv(path, text)
    return _jsonl(path, text) if suffix in (".jsonl", ".ndjson") else _json(path, text)


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            data = file.read(MAX_UNPACKED + 1)
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise LabError(f"'{path.name}' is damaged: it cannot be unpacked.", "Pack it again.") from None
    if len(data) > MAX_UNPACKED:
        raise _bomb(path)
    return data


def _csv(path: Path, text: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_UNPACKED)
    text = text.lstrip("\r\n")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_sign(text), strict=True)
    try:
        # A nameless column is what a table's row numbers are saved as.
        header = [name.strip() or f"column {number}" for number, name in enumerate(next(lines), 1)]
        twice = next((name for name in header if header.count(name) > 1), None)
        if twice:
            raise LabError(
                f"The header of '{path.name}' has two columns '{twice}'.", "Give every column a name of its own."
            )
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(header):
                counts = f"{len(cells)} for {len(header)} cells"
                raise LabError(
                    f"Line {lines.line_num:,} of '{path.name}' does not fit its header: {counts}.",
                    "Put quotes round cells that hold the sign between cells.",
                )
            yield dict(zip(header, cells))
    except csv.Error as error:
        raise LabError(
            f"Line {lines.line_num:,} of '{path.name}' is not CSV: {error}.", "Check its quotes."
        ) from None


def _sign(text: str) -> str:
    """The sign between cells. The header decides it, as it holds no prose."""
    return max(",;\t|", key=lambda sign: len(next(csv.reader(io.StringIO(text, newline=""), delimiter=sign))))


def separator(path: Path) -> str:
    """The sign between the cells of a CSV file that can be read."""
    opened = gzip.open if path.name.lower().endswith(PACKED) else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        return _sign(file.read(2**16).lstrip("\r\n"))


def _jsonl(path: Path, text: str) -> Iterator[Row]:
    # Not splitlines(): JSON may hold other separators of lines inside its strings.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise LabError(f"Line {number:,} of '{path.name}' is not JSON.", "Put one object on each line.") from None
        yield _object(row, f"Line {number:,} of '{path.name}'")


def _json(path: Path, text: str) -> Iterator[Row]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = text.split("\n")
        if text.lstrip().startswith("{") and len(lines) > 1 and lines[0].rstrip().endswith("}"):
            return _jsonl(path, text)
        line = getattr(error, "lineno", 1)
        raise LabError(
            f"'{path.name}' is not JSON: line {line:,} cannot be read.", "Save it as a list of objects."
        ) from None
    if isinstance(told, dict):
        lists = [value for value in told.values() if isinstance(value, list)]
        told = lists[0] if len(lists) == 1 else [told]
    if not isinstance(told, list):
        raise LabError(f"'{path.name}' holds no list of rows.", "Save it as a list of objects.")
    return (_object(row, f"Row {number:,} of '{path.name}'") for number, row in enumerate(told, 1))


def _object(row: Any, place: str) -> Row:
    if not isinstance(row, dict):
        raise LabError(f"{place} is not an object with named columns.", 'Write {"text": …, "label": …}.')
    return row


def _parquet(path: Path, notes: list[str]) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    unpacked = rows = 0
    try:
        # Repeated texts stay packed as numbers into a dictionary until their size is known.
        leaves = [
            field.name
            for field in pq.read_schema(path)
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        with pq.ParquetFile(path, read_dictionary=leaves) as file:
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            if groups and groups[0].total_byte_size > MAX_UNPACKED:
                raise _bomb(path)
            for batch in file.iter_batches(batch_size=BATCH):
                # What the metadata says is the file's own claim: count what really comes out.
                unpacked += sum(_size(column) for column in batch.columns)
                if unpacked > MAX_UNPACKED and not rows:
                    raise _bomb(path)
                if unpacked > MAX_UNPACKED:
                    notes.append(f"Only the first {rows:,} rows of '{path.name}' are used: they fill {_limit()}.")
                    return
                columns = [_spelled(column).to_pylist() for column in batch.columns]
                yield from (dict(zip(batch.schema.names, cells)) for cells in zip(*columns))
                rows += len(batch)
    except (pa.ArrowException, ValueError):
        raise LabError(f"'{path.name}' is not a Parquet file that can be read.", "Save it again.") from None


def _spelled(column: Any) -> Any:
    """The column with its repetitions spelled out: 2.7 times as fast a way to Python's values as the packed one."""
    import pyarrow as pa

    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _size(column: Any) -> int:
    """The bytes of a column once every repetition is spelled out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return column.nbytes
    lengths = pc.binary_length(column.dictionary)
    return pc.sum(lengths.take(column.indices)).as_py() or 0


def _bomb(path: Path) -> LabError:
    return LabError(f"'{path.name}' unpacks to more than {_limit()}.", "Take a part of it.")


def _limit() -> str:
    return f"{MAX_UNPACKED // 2**20} MB"
