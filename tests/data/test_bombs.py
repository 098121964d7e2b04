"""Small files that stand for gigabytes: each ends in a sentence, in less memory than is promised.

Every file is read by a process of its own, in which the system refuses more memory than that. Most are read with
smaller bounds than the lab's, and are smaller themselves, as it takes a while to fill 200 MB.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from lab.data import source
from lab.data.cache import SPARE
from lab.data.formats import budget, parquet_process, text
from lab.data.tasks import prepare
from lab.plan import Data
from lab.training.job import resolve
from tests.plans import quick

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded by Linux's means")

MB = 2**20

#: Bytes that reading a file may take with the lab's bounds; tables that were read before may take `SPARE` of them.
PROMISED = 500 * MB

#: Bytes of rows and of unpacked text with small bounds, and what reading a file takes then.
SMALL = {"memory": 40 * MB, "unpacked": 100 * MB, "promised": 250 * MB}
FULL = {"memory": budget.MAX_MEMORY, "unpacked": text.MAX_UNPACKED, "promised": PROMISED - SPARE}

READ = """
import resource, sys
from pathlib import Path
from lab.data import files
from lab.data.formats import budget, text
from lab.errors import LabError

budget.MAX_MEMORY, text.MAX_UNPACKED, promised = map(int, sys.argv[2:])
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + promised, resource.RLIM_INFINITY))
try:
    print(len(files.read_file(Path(sys.argv[1]))[0]), "rows")
except LabError as error:
    print(error.message)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def read(file: Path, bounds: dict[str, int] = SMALL) -> tuple[str, int]:
    """What a process says that reads the file, and the most memory of the process that unpacks Parquet."""
    command = [sys.executable, "-c", READ, str(file), *map(str, bounds.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said, memory = done.stdout.splitlines()
    return said, int(memory)


def repeated(first: bytes, unit: bytes, size: int, last: bytes = b"") -> Iterator[bytes]:
    """`unit` again and again, up to about so many MB, between a beginning and an end."""
    block = unit * (MB // len(unit))
    yield first
    for _ in range(size):
        yield block
    yield last


HEADER = b",".join(b"c%d" % number for number in range(1000)) + b"\n"

BOMBS = {
    "lists.json": (repeated(b"[", b"[],", 60, b"[]]"), "is not an object"),
    "objects.json": (repeated(b"[", b"{},", 60, b"{}]"), "fill more than 40 MB"),
    "table.json": (repeated(b'{"data":[', b'{"":0},', 60, b"{}]}"), "fill more than 40 MB"),
    "element.json": (repeated(b'{"data":[[', b"[],", 60, b"[]]]}"), "more than 2,097,152 characters"),
    "text.json": (repeated(b'[{"a":"', b"x", 90, b'"}]'), "more than 2,097,152 characters"),
    "number.json": (repeated(b'[{"a":', b"9", 90, b"}]"), "more than 2,097,152 characters"),
    "deep.json": (repeated(b"", b"[", 90), "is not JSON"),
    "space.json": (repeated(b"[", b" ", 110, b"]"), "unpacks to more than 100 MB"),
    "columns.csv": (repeated(HEADER, b"," * 999 + b"\n", 90), "fill more than 40 MB"),
    "header.csv": (repeated(b"", b"a,", 90), "more than 2,097,152 characters"),
    "wide.csv": (repeated(b"", b"a,", 1, b"a\n"), "more than 1,000 columns"),
    "cell.csv": (repeated(b'a,b\n"', b"x\n", 90, b'",1\n'), "more than 2,097,152 characters"),
    "cells.csv": (repeated(b"a,b\n", b'"x\n",', 90), "more than 2,097,152 characters"),
    "blank.csv": (repeated(b"a,b\n", b"\n", 90), "more than 1,000,000 blank lines"),
    "wide.tsv": (repeated(HEADER.replace(b",", b"\t"), b"\t" * 999 + b"\n", 90), "fill more than 40 MB"),
    "emoji.tsv": (repeated(b"a\tb\n", ("x" * 999 + "\U0001f600\t1\n").encode(), 90), "fill more than 40 MB"),
    "lists.jsonl": (repeated(b"", b'{"a":[' + b"[]," * 999 + b"[]]}\n", 90), "fill more than 40 MB"),
    "row.jsonl": (repeated(b'{"a":[', b"[],", 90, b"[]]}\n"), "more than 2,097,152 characters"),
    "deep.jsonl": (repeated(b"", b'{"a":' + b"[" * 900 + b"]" * 900 + b"}\n", 90), "more than 32 levels deep"),
    "keys.jsonl": (
        [b"{" + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}\n"], "more than 1,000 columns"
    ),
    "talk.jsonl": (
        repeated(b"", json.dumps({"messages": [{"role": "user", "content": ""}] * 500}).encode() + b"\n", 90),
        "fill more than 40 MB",
    ),
}  # fmt: skip


def packed(folder: Path, name: str, pieces: Iterable[bytes]) -> Path:
    """The pieces as a packed file, which is small."""
    file = folder / f"{name}.gz"
    with gzip.open(file, "wb", 1) as opened:
        for piece in pieces:
            opened.write(piece)
    assert file.stat().st_size < 4 * MB
    return file


@pytest.mark.parametrize("name", BOMBS)
def test_a_packed_bomb_ends_in_a_sentence(tmp_path, name):
    pieces, expected = BOMBS[name]
    assert expected in read(packed(tmp_path, name, pieces))[0]


def test_the_promise_holds_with_the_bounds_of_the_lab(tmp_path):
    wide = packed(tmp_path, "wide.csv", repeated(HEADER, b"," * 999 + b"\n", 100))
    assert "fill more than 200 MB" in read(wide, FULL)[0]
    element = packed(tmp_path, "element.json", repeated(b'{"data":[[', b"[],", 200, b"[]]]}"))
    assert "more than 2,097,152 characters" in read(element, FULL)[0]


def test_members_with_nothing_in_them_are_not_counted_for_ever(tmp_path):
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"") * 500_000)
    assert "cannot be unpacked" in read(file)[0]


def dictionary() -> dict:
    """A text of a megabyte, a million times."""
    import numpy as np
    import pyarrow as pa

    return {"a": pa.DictionaryArray.from_arrays(pa.array(np.zeros(10**6, np.int32)), pa.array(["x" * 10**6]))}


def one_list(values) -> dict:
    """One row that holds a list of all these values."""
    import pyarrow as pa

    return {"a": pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)}


def parquet_bombs() -> dict[str, tuple]:
    import numpy as np
    import pyarrow as pa

    one_page = {"use_dictionary": False, "data_page_size": 2**31 - 1, "max_rows_per_page": 10**9}
    flags = {"a": pa.array(np.zeros(5_000_000, bool)), "b": pa.nulls(5_000_000, pa.string())}
    return {
        "page": ({"a": np.zeros(40_000_000, np.int64)}, one_page, "takes more than 256 MB to unpack"),
        "dictionary": (dictionary(), {}, "fill more than 40 MB"),
        "flags": (flags, {}, "fill more than 40 MB"),
        "list": (one_list(pa.array(np.zeros(30_000_000, np.int8))), {}, "takes more than 256 MB to unpack"),
        "nulls": (one_list(pa.nulls(30_000_000)), {}, "takes more than 256 MB to unpack"),
        "columns": ({f"c{number}": ["x"] for number in range(3000)}, {}, "more than 1,000 columns"),
    }


@pytest.mark.parametrize("name", ["page", "dictionary", "flags", "list", "nulls", "columns"])
def test_a_parquet_bomb_ends_in_a_sentence(tmp_path, name):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table, options, expected = parquet_bombs()[name]
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table(table), file, compression="zstd", row_group_size=10**9, **options)
    assert file.stat().st_size < MB
    said, memory = read(file)
    assert expected in said
    assert memory < parquet_process.MEMORY + 100 * MB


def test_what_is_kept_of_large_files_goes_before_another_is_read(tmp_path, llama, monkeypatch):
    monkeypatch.setattr("lab.data.cache.SPARE", MB)
    kept = []
    for number in range(3):
        file = tmp_path / f"{number}.jsonl"
        rows = ({"text": f"{number} {n} " + "x" * 500, "label": "ab"[n % 2]} for n in range(3000))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        # Whatever is worked out from a table goes with it.
        resolve(quick(llama, str(file)))
        prepare(Data(str(file)))
        table = source.read(Data(str(file)))
        assert table.nbytes > MB
        kept.append(weakref.ref(table))
        del table
    assert [reference() is not None for reference in kept] == [False, False, True]
    assert budget.MAX_MEMORY + SPARE < PROMISED
