"""Files that people bring: what is read, and what each fault is told as."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from lab.data import files
from lab.data.files import read_file, read_first
from lab.data.formats import budget, json_rows, text
from lab.data.formats.budget import Budget
from lab.errors import LabError

ROWS = [{"text": "one, two", "label": "a"}, {"text": 'say "hi"\nthere', "label": "b"}]


def write(folder: Path, name: str, contents: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    return file


def parquet(path: Path, table: dict[str, list], **options: object) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(table), path, **options)
    return path


# -- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("a.csv", 'text,label\n"one, two",a\n"say ""hi""\nthere",b\n'),
        ("semicolon.csv", 'text;label\none, two;a\n"say ""hi""\nthere";b\n'),
        ("bar.csv", 'text|label\none, two|a\n"say ""hi""\nthere"|b\n'),
        ("tab.csv", 'text\tlabel\none, two\ta\n"say ""hi""\nthere"\tb\n'),
        ("a.tsv", 'text\tlabel\none, two\ta\n"say ""hi""\nthere"\tb\n'),
        ("mark.csv", '\ufeff\n\ntext,label\n"one, two",a\n\n"say ""hi""\nthere",b\n'),
        ("a.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n\n"),
        ("a.ndjson", "\n".join(map(json.dumps, ROWS))),
        ("lines.json", "\n".join(map(json.dumps, ROWS))),
        ("list.json", json.dumps(ROWS, indent=2)),
        ("table.json", json.dumps({"version": 1, "data": ROWS}, indent=2)),
        ("A.JSONL.GZ", gzip.compress("\n".join(map(json.dumps, ROWS)).encode(), mtime=0)),
    ],
)
def test_each_form_gives_the_same_rows(tmp_path, name, contents):
    assert read_file(write(tmp_path, name, contents)) == (ROWS, [])


def test_parquet_gives_the_same_rows(tmp_path):
    file = parquet(tmp_path / "a.parquet", {key: [row[key] for row in ROWS] for key in ROWS[0]})
    assert read_file(file) == (ROWS, [])


def test_lines_may_end_as_on_windows(tmp_path):
    assert read_file(write(tmp_path, "a.csv", "text,label\r\nx,a\r\ny,b\r\n"))[0][1] == {"text": "y", "label": "b"}


def test_a_comma_in_a_quoted_name_does_not_decide(tmp_path):
    assert read_file(write(tmp_path, "a.csv", '"a, b, c";d\n1;2\n'))[0] == [{"a, b, c": "1", "d": "2"}]


def test_a_nameless_column_gets_a_name(tmp_path):
    assert read_file(write(tmp_path, "a.csv", ",text\n0,x\n"))[0] == [{"column 1": "0", "text": "x"}]


def test_a_separator_of_lines_inside_a_text_splits_nothing(tmp_path):
    file = write(tmp_path, "a.jsonl", json.dumps({"text": "a\u2028b"}, ensure_ascii=False))
    assert read_file(file)[0] == [{"text": "a\u2028b"}]


def test_a_cell_of_a_million_characters_is_read(tmp_path):
    assert len(read_file(write(tmp_path, "a.csv", f"text,label\n{'x' * 10**6},a\n"))[0][0]["text"]) == 10**6


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "contents", "said"),
    [
        ("a.csv", "", "'a.csv' is empty"),
        ("a.csv", "  \n\n", "'a.csv' is empty"),
        ("a.csv", "text,label\n", "has no rows"),
        ("a.csv", "text,label\nx,a\n\xff".encode("latin-1"), "byte 16, in line 3,"),
        ("a.csv", b"\xef\xbb\xbftext,label\n\xe9,a", "byte 15, in line 2,"),
        ("a.csv", "text,label\nx,a\n".encode("utf-16"), "not UTF-8: byte 1, in line 1"),
        ("a.csv", "text,label\nx,a\n".encode("utf-16-le"), "not a text file"),
        ("a.csv", "text,label\nx,a\ny,b,c\n", "Line 3 of 'a.csv' does not fit its header: 3 for 2 cells"),
        ("a.csv", "text,label\nx\n", "Line 2 of 'a.csv' does not fit its header: 1 for 2 cells"),
        ("a.csv", "text,text\nx,a\n", "two columns 'text'"),
        ("a.csv", 'text,label\n"x,a\ny,b\n', "is not CSV"),
        ("a.jsonl", '{"text": 1}\n\n{"text": \n', "Line 3 of 'a.jsonl' is not JSON"),
        ("a.jsonl", '{"text": 1}\n[1, 2]\n', "Line 2 of 'a.jsonl' is not an object"),
        ("a.jsonl", "[" * 100_000, "Line 1 of 'a.jsonl' is not JSON"),
        ("a.jsonl", '{"n": ' + "9" * 5000 + "}", "Line 1 of 'a.jsonl' is not JSON"),
        ("a.json", '[\n{"text": 1},\n{"text"\n]', "line 4 cannot be read"),
        ("a.json", '{"text": 1}\n{"text"\n', "Line 2 of 'a.json' is not JSON"),
        ("a.json", "[1, 2]", "Row 1 of 'a.json' is not an object"),
        ("a.json", '"text"', "holds no list of rows"),
        ("a.json", "[]", "has no rows"),
        ("a.parquet", b"PAR1 is not all that it takes PAR1", "not a Parquet file"),
        ("a.xlsx", b"PK\x03\x04", "'.xlsx' cannot be read"),
        ("a.zip", b"PK\x03\x04", "'.zip' cannot be read"),
        ("a.csv.gz", b"not packed", "cannot be unpacked"),
        ("a.csv.gz", gzip.compress(b"text,label\nx,a\n" * 100, mtime=0)[:-20], "cannot be unpacked"),
        ("a", "text,label\nx,a\n", "Files of the kind 'a' cannot be read"),
    ],
)
def test_each_fault_is_one_sentence_and_a_hint(tmp_path, name, contents, said):
    with pytest.raises(LabError) as caught:
        read_file(write(tmp_path, name, contents))
    assert said in caught.value.message
    assert caught.value.hint.endswith((".", "}."))


def test_a_folder_and_nothing_are_no_files(tmp_path):
    with pytest.raises(LabError, match="is a folder"):
        read_file(tmp_path)
    with pytest.raises(LabError, match="does not exist"):
        read_file(tmp_path / "none.csv")


def test_a_folder_with_the_name_of_a_file(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(LabError, match="is a folder"):
        read_file(tmp_path / "a.csv")


# -- bounds -----------------------------------------------------------------------------------


def test_a_file_above_the_limit_is_refused_unread(tmp_path):
    file = write(tmp_path, "a.csv", "text,label\n" + "x,a\n" * 1000)
    assert len(read_file(file, max_bytes=file.stat().st_size)[0]) == 1000
    with pytest.raises(LabError, match="the limit is"):
        read_file(file, max_bytes=file.stat().st_size - 1)


def test_of_too_many_rows_a_sample_is_used_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_ROWS", 10)
    rows, notes = read_file(write(tmp_path, "a.csv", "text,label\n" + "".join(f"{n},a\n" for n in range(1000))))
    places = [int(row["text"]) for row in rows]
    assert len(places) == 10
    assert places == sorted(places)
    assert places[-1] > 500
    assert notes == ["10 of the 1,000 rows of 'a.csv' are used, drawn at random."]
    assert read_file(write(tmp_path, "b.csv", "text,label\n" + "x,a\n" * 10))[1] == []


def test_a_packed_file_that_swells_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "MAX_UNPACKED", 2**20)
    file = write(tmp_path, "a.csv.gz", gzip.compress(b"text,label\n" + b"x" * 2**21))
    assert file.stat().st_size < 10_000
    with pytest.raises(LabError, match="unpacks to more than 1 MB"):
        read_file(file)


def test_a_parquet_file_of_one_text_a_million_times_does_not_swell(tmp_path):
    import pyarrow as pa

    indices = pa.array([0] * 100_000, pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 10_000]))
    file = parquet(tmp_path / "a.parquet", {"text": column, "label": ["a"] * 100_000})
    assert file.stat().st_size < 20_000  # and a gigabyte if spelled out
    with pytest.raises(LabError, match="fill more than 1 MB of memory"):
        read_file(file, budget=Budget(2**20))


def test_the_first_rows_are_read_as_far_as_there_is_memory(tmp_path):
    file = parquet(tmp_path / "a.parquet", {"text": [f"{n:0>1000}" for n in range(5000)]}, row_group_size=500)
    with Budget(2**20) as small, Budget() as usual, Budget(100) as none:
        rows = read_first(file, 10_000, 2**30, small)
        assert small.full
        assert 500 <= len(rows) <= 1048
        assert rows[-1]["text"].endswith(str(len(rows) - 1))
        assert len(read_first(file, 7, 2**30, usual)) == 7
        with pytest.raises(LabError, match="fill more than 0 MB"):
            read_first(file, 7, 2**30, none)


def test_readings_at_once_share_their_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "MAX_TOTAL", 10 * 2**20)
    file = write(tmp_path, "a.csv", "text,label\n" + "x,a\n" * 20)
    with Budget() as other:
        for _ in range(24):
            other.add({"text": "x" * 2**18})
        with pytest.raises(LabError, match="Other data are being read"):
            read_file(file)
    assert len(read_file(file)[0]) == 20


# -- text in pieces ---------------------------------------------------------------------------


def test_a_document_may_be_cut_anywhere_while_it_is_read(tmp_path, monkeypatch):
    rows = [{"n": n, "f": n / 7, "text": 'ä€😀\\"' * (n % 3), "deep": [{"a": None}, True]} for n in range(40)]
    contents = json.dumps({"version": 12345, "data": rows, "note": "x"}, indent=1, ensure_ascii=False)
    file = write(tmp_path, "a.json", contents)
    for block in (1, 2, 3, 7, 64):
        monkeypatch.setattr(json_rows, "BLOCK", block)
        assert read_file(file) == (rows, [])


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ('{"a": [{"b": 1}], "c": [2]}', "holds several lists"),
        ('{"a": 12, "b": {}}', [{"a": 12, "b": {}}]),
        ("{}", [{}]),
        ('\n\n{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        ('{"a": 1}\n\n', [{"a": 1}]),
        ('{"a": []}', "has no rows"),
        ('{"a": 1,}', "line 1 cannot be read"),
        ('[{"a": 1},]', "line 1 cannot be read"),
        ('[{"a": 1}] x', "line 1 cannot be read"),
        ('[{"a": 1}\n', "line 2 cannot be read"),
        ('{"a": 1,\n"b"', "line 2 cannot be read"),
        ("12", "holds no list of rows"),
        ('[\n{"a": "x\x00"}]', "not a text file"),
    ],
)
def test_a_document_is_what_json_says(tmp_path, contents, expected):
    file = write(tmp_path, "a.json", contents)
    if isinstance(expected, list):
        assert read_file(file)[0] == expected
    else:
        with pytest.raises(LabError, match=expected):
            read_file(file)


def test_the_place_of_a_wrong_byte_is_told_wherever_it_is(tmp_path):
    line = '{"é": "ä"}\n'.encode()  # whose characters of two bytes stand across the ends of some blocks
    for number in (0, 1, 5041, 5042, 5043, 20_000):
        file = write(tmp_path, "a.jsonl.gz", gzip.compress(line * number + b'{"a": "\xff"}'))
        with pytest.raises(LabError, match=f"byte {number * len(line) + 8:,}, in line {number + 1:,},"):
            read_file(file)


def test_a_packed_file_may_have_several_members(tmp_path):
    members = [gzip.compress(b"text,label\n"), gzip.compress(b""), gzip.compress(b"x,a\n" * 5000), b"\0" * 9]
    assert len(read_file(write(tmp_path, "a.csv.gz", b"".join(members)))[0]) == 5000


def test_what_a_parquet_file_holds_is_told_in_json(tmp_path):
    import datetime
    from decimal import Decimal

    day = datetime.datetime(2026, 1, 2, 3, 4, 5)
    file = parquet(tmp_path / "a.parquet", {
        "text": ["ä😀", None], "n": [2**60, 1], "f": [0.1, float("inf")], "yes": [True, False], "day": [day, None],
        "price": [Decimal("1.50"), None], "bytes": [b"abc", b""], "list": [[{"a": 1}], []],
    })  # fmt: skip
    assert read_file(file)[0] == [
        {"text": "ä😀", "n": 2**60, "f": 0.1, "yes": True, "day": str(day), "price": "1.50", "bytes": {"bytes": 3},
         "list": [{"a": 1}]},
        {"text": None, "n": 1, "f": float("inf"), "yes": False, "day": None, "price": None, "bytes": {"bytes": 0},
         "list": []},
    ]  # fmt: skip
