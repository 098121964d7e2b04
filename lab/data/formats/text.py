"""Text files, packed or not, read in pieces: whatever they unpack to, only one row of them is in memory."""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from lab.errors import LabError

#: Bytes that a file may unpack to, characters of one row's text, and blank lines.
MAX_UNPACKED, MAX_ROW, MAX_BLANK = 400 * 2**20, 2 * 2**20, 10**6

#: Members of a gzip file: those of `bgzip` have 64 KB each.
MAX_MEMBERS = 10_000

#: Bytes that are read at a time.
BLOCK = 2**16

#: zlib's number for a gzip header and its largest window.
GZIP = 31

PACKED = ".gz"


@contextmanager
def open_text(path: Path, newline: str = "") -> Iterator[TextIO]:
    """The file's text. Reading it raises LabError where it is damaged, not UTF-8, or unpacks to too much."""
    with _open(path) as source:
        try:
            yield wrap(source, path.name, newline)
        except (zlib.error, EOFError):
            raise LabError(f"'{path.name}' is damaged: it cannot be unpacked.", "Pack it again.") from None
        except UnicodeDecodeError:
            raise _not_utf8(path) from None


def wrap(source: IO[bytes] | io.RawIOBase, name: str, newline: str = "") -> TextIO:
    """A stream of bytes as text, of which no more than `MAX_UNPACKED` bytes can be read."""
    return io.TextIOWrapper(io.BufferedReader(_Bounded(source, name), BLOCK), "utf-8-sig", newline=newline)


def _open(path: Path) -> IO[bytes] | io.RawIOBase:
    """The file's bytes, unpacked."""
    file = path.open("rb")
    return _Unpacked(file) if path.name.lower().endswith(PACKED) else file


class _Stream(io.RawIOBase):
    """Bytes that come from another stream."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def readable(self) -> bool:
        return True

    def pull(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        return self.source.read(size)

    def readinto(self, buffer: Any) -> int:
        data = self.pull(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Bounded(_Stream):
    """A stream that ends in a LabError after `MAX_UNPACKED` bytes."""

    def __init__(self, source: Any, name: str) -> None:
        super().__init__(source)
        self.file, self.total = name, 0

    def pull(self, size: int) -> bytes:
        data = super().pull(size)
        self.total += len(data)
        if self.total > MAX_UNPACKED:
            raise LabError(f"'{self.file}' unpacks to more than {MAX_UNPACKED // 2**20} MB.", "Take a part of it.")
        return data


class _Unpacked(_Stream):
    """What a gzip stream holds. Python's own reader would take half a minute for a million members with nothing in
    them, of which nobody could stop it; so the members are counted here."""

    def __init__(self, source: Any) -> None:
        super().__init__(source)
        self.packed, self.members = b"", 0
        self.member: Any = None

    def pull(self, size: int) -> bytes:
        while True:
            self.packed = self.packed or self.source.read(BLOCK)
            if not self.packed:
                if self.member:
                    raise EOFError
                return b""
            if not self.member:
                self.packed = self.packed.lstrip(b"\0")  # a member may be padded
                if not self.packed:
                    continue
                self.member, self.members = zlib.decompressobj(wbits=GZIP), self.members + 1
                if self.members > MAX_MEMBERS:
                    raise zlib.error("too many members")
            data = self.member.decompress(self.packed, size)
            self.packed = self.member.unconsumed_tail or self.member.unused_data
            if self.member.eof:
                self.member = None
            if data:
                return data

    def close(self) -> None:
        self.source.close()
        super().close()


class Lines:
    """The lines of a text, with their ends. `number` is that of the last one.

    Raises LabError for what is no text and for a row that is too long. A row may have several lines (a cell of a
    CSV file in quotes): whoever has read one whole says so with `row_read`.
    """

    def __init__(self, text: TextIO, name: str) -> None:
        self.text, self.name = text, name
        self.number = 0
        self._length = self._blank = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self.text.readline(MAX_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self._length += len(line)
        self._blank += line.isspace()
        if self._length > MAX_ROW:
            raise too_long(self.name)
        if self._blank > MAX_BLANK:
            raise LabError(f"'{self.name}' has more than {MAX_BLANK:,} blank lines.", "Remove them.")
        if "\x00" in line:
            raise not_text(self.name)
        return line

    def row_read(self) -> None:
        """The next line begins another row."""
        self._length = 0


def too_long(name: str) -> LabError:
    """What is said of a row whose text is too long."""
    return LabError(f"A row of '{name}' has more than {MAX_ROW:,} characters.", "Take shorter texts.")


def not_text(name: str) -> LabError:
    """What is said of a file with bytes that no text has."""
    return LabError(f"'{name}' is not a text file.", "Save it as UTF-8 text.")


def empty(name: str) -> LabError:
    """What is said of a file without any text."""
    return LabError(f"'{name}' is empty.", "Choose a file with rows.")


def _not_utf8(path: Path) -> LabError:
    """Where the file stops being UTF-8: it is read once more, in pieces, to find the place."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    place = lines = 0
    with _open(path) as source:
        while block := source.read(BLOCK):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                # The decoder counts from the bytes that it has kept of the block before.
                place += error.start - pending
                lines += block[: max(error.start - pending, 0)].count(b"\n")
                break
            place += len(block)
            lines += block.count(b"\n")
    return LabError(
        f"'{path.name}' is not UTF-8: byte {place + 1:,}, in line {lines + 1:,}, cannot be read.", "Save it as UTF-8."
    )
