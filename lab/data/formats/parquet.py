"""Parquet: read in a process of its own, whose memory the system bounds.

A few bytes of a Parquet file can stand for gigabytes (one page, one dictionary, one list of a billion equal values),
and what its metadata say of that can be wrong. So a small process unpacks it under a limit and hands over its rows
as lines of JSON, which are then read like any others.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lab.data.formats import parquet_process, text
from lab.data.formats.budget import Budget, Row
from lab.data.formats.json_rows import parse_lines
from lab.data.formats.parquet_process import MEMORY, NOT_PARQUET
from lab.errors import LabError

#: So that the process reserves no address space that it does not use: that is what its limit counts.
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
}


def rows(path: Path, budget: Budget) -> Generator[Row, None, None]:
    """The rows of the file. Raises LabError for what cannot be read."""
    with _process("rows", path) as output:
        yield from parse_lines(text.wrap(output, path.name, "\n"), path.name)


def metadata(path: Path) -> str:
    """What `datasets` has written into the file about its columns, as JSON; empty if nothing. Raises LabError."""
    with _process("metadata", path) as output:
        return text.wrap(output, path.name).read(text.MAX_ROW)


@contextmanager
def _process(work: str, path: Path) -> Iterator[IO[bytes]]:
    """What the process writes at its work. Raises LabError if it fails, whatever was made of what it wrote before."""
    command = [sys.executable, str(parquet_process.__file__), work, str(path.resolve())]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | ENVIRONMENT,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    except LabError:
        _check(process, path.name)
        raise
    else:
        _check(process, path.name)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _check(process: subprocess.Popen[bytes], name: str) -> None:
    """Raise LabError if the process has failed. One that still writes has not: no more of that is wanted."""
    assert process.stdout is not None
    if process.stdout.read(1):
        return
    code = process.wait()
    if code == NOT_PARQUET:
        raise LabError(f"'{name}' is not a Parquet file that can be read.", "Save it again.")
    if code:
        raise LabError(
            f"'{name}' takes more than {MEMORY // 2**20} MB to unpack.",
            "Save it with smaller pages and row groups, or take a part of it.",
        )
