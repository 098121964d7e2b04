"""JSON: an object on each line, or one document that holds a list of objects.

A document is read element by element. Libraries that do so build an element before its size is known, and the
5 GB of an unpacked bomb may be one element: here an element's text is bounded before it is parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from sys import intern
from typing import Any, TextIO

from lab.data.formats import text
from lab.data.formats.budget import MAX_COLUMNS, Budget, Oversized, Row
from lab.errors import LabError

#: Characters that are read at a time.
BLOCK = 2**16

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def lines(path: Path, budget: Budget) -> Generator[Row, None, None]:
    """The rows of a file with an object on each line. Raises LabError for what is no such file."""
    count = 0
    with text.open_text(path, newline="\n") as file:
        for row in parse_lines(file, path.name):
            count += 1
            yield row
    if not count:
        raise text.empty(path.name)


def parse_lines(file: TextIO, name: str) -> Generator[Row, None, None]:
    """The rows of such a text."""
    source = text.Lines(file, name)
    for line in source:
        source.row_read()
        if line.isspace():
            continue
        place = f"Line {source.number:,} of '{name}'"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise LabError(f"{place} is not JSON.", "Put one object on each line.") from None
        yield _object(row, place)


def document(path: Path, budget: Budget) -> Generator[Row, None, None]:
    """The rows of a JSON file: of its list, or of the one list in its object.

    A file of lines under the name of a document is read as lines; an object without a list is the only row. Raises
    LabError for what is no such file, and what `Budget.add` raises.
    """
    if _has_lines(path):
        yield from lines(path, budget)
        return
    with text.open_text(path, newline="\n") as file:
        source = _Document(file, path.name)
        first = source.peek()
        if not first:
            raise text.empty(path.name)
        if first == "[":
            yield from _rows(source)
        elif first == "{":
            yield from _object_rows(source, budget)
        else:
            source.value()
            raise LabError(f"'{path.name}' holds no list of rows.", "Save it as a list of objects.")
        if source.peek():
            raise source.wrong()


def _has_lines(path: Path) -> bool:
    """Whether the first line is an object by itself and more text follows."""
    with text.open_text(path, newline="\n") as file:
        first, _, rest = file.read(text.MAX_ROW).lstrip().partition("\n")
    try:
        return isinstance(json.loads(first), dict) and not rest.isspace() and bool(rest)
    except (ValueError, RecursionError):
        return False


def _rows(source: _Document) -> Iterator[Row]:
    """The rows of the list that comes next."""
    for number, item in enumerate(source.elements(), 1):
        yield _object(item, f"Row {number:,} of '{source.name}'")


def _object_rows(source: _Document, budget: Budget) -> Iterator[Row]:
    """The rows of the one list of the object that comes next, or the object itself where it has none."""
    members: Row = {}
    has_list = False
    source.take("{")
    while source.peek() != "}":
        name = source.value()
        if not isinstance(name, str):
            raise source.wrong()
        source.take(":")
        if source.peek() != "[":
            members[name] = source.value()
            budget.add({name: members[name]})
        elif has_list:
            raise LabError(f"'{source.name}' holds several lists.", "Save the rows as one list of objects.")
        else:
            has_list = True
            yield from _rows(source)
        if len(members) > MAX_COLUMNS:
            raise Oversized(f"has more than {MAX_COLUMNS:,} columns")
        if source.peek() != "}":
            source.take(",")
            if source.peek() == "}":
                raise source.wrong()
    source.take("}")
    if not has_list:
        yield _object(members, "")


class _Document:
    """The text of a document, parsed value by value as it is read."""

    def __init__(self, file: TextIO, name: str) -> None:
        self.file, self.name = file, name
        self.buffer, self.place = "", 0  # what was read, and how far it is parsed
        self.line = 1  # of the buffer's beginning

    def peek(self) -> str:
        """The next sign that is no space; empty at the end."""
        while True:
            match = _SPACE.match(self.buffer, self.place)
            self.place = match.end() if match else self.place
            if self.place < len(self.buffer):
                return self.buffer[self.place]
            if not self._read_on():
                return ""

    def take(self, signs: str) -> str:
        """The next sign, which must be one of these."""
        sign = self.peek()
        if not sign or sign not in signs:
            raise self.wrong()
        self.place += 1
        return sign

    def value(self) -> Any:
        """The next value, whole. Raises LabError for one that is longer than a row may be."""
        self.peek()
        while True:
            problem: Exception | None = None
            value, end = None, 0
            try:
                value, end = _DECODER.raw_decode(self.buffer, self.place)
            except RecursionError:
                raise self.wrong() from None
            except ValueError as error:
                problem = error
            # A number at the end of what was read may go on behind it.
            if problem is None and (end < len(self.buffer) or not isinstance(value, int | float)):
                self.place = end
                return value
            if len(self.buffer) - self.place > text.MAX_ROW:
                raise text.too_long(self.name)
            length = end - self.place
            if not self._read_on():
                if problem:
                    raise self.wrong(getattr(problem, "pos", 0)) from None
                self.place += length
                return value

    def elements(self) -> Iterator[Any]:
        """The elements of the list that comes next."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.take(",]") == "]":
                return

    def wrong(self, place: int | None = None) -> LabError:
        """What is said of a text that is no JSON from `place` on."""
        line = self.line + self.buffer.count("\n", 0, self.place if place is None else place)
        return LabError(f"'{self.name}' is not JSON: line {line:,} cannot be read.", "Save it as a list of objects.")

    def _read_on(self) -> bool:
        """Read more and forget what was parsed; False at the end."""
        self.line += self.buffer.count("\n", 0, self.place)
        rest = self.buffer[self.place :]
        block = self.file.read(max(BLOCK, len(rest)))
        if "\x00" in block:
            raise text.not_text(self.name)
        self.buffer, self.place = rest + block, 0
        return bool(block)


def _object(row: Any, place: str) -> Row:
    """The row, whose columns have their names in common with those of other rows."""
    if not isinstance(row, dict):
        raise LabError(f"{place} is not an object with named columns.", 'Write {"text": …, "label": …}.')
    return {intern(name): value for name, value in row.items()}
