"""Files that people bring: what is read, and what each fault is told as."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from lab.data import files
from lab.data.files import read_file
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


def test_rows_above_the_limit_are_left_out_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_ROWS", 10)
    rows, notes = read_file(write(tmp_path, "a.csv", "text,label\n" + "x,a\n" * 11))
    assert len(rows) == 10
    assert notes == ["Only the first 10 rows of 'a.csv' are used."]
    assert read_file(write(tmp_path, "b.csv", "text,label\n" + "x,a\n" * 10))[1] == []


def test_a_packed_file_that_swells_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_UNPACKED", 2**20)
    file = write(tmp_path, "a.csv.gz", gzip.compress(b"text,label\n" + b"x" * 2**21))
    assert file.stat().st_size < 10_000
    with pytest.raises(LabError, match="unpacks to more than 1 MB"):
        read_file(file)


def test_a_parquet_file_of_one_text_a_million_times_does_not_swell(tmp_path, monkeypatch):
    import pyarrow as pa

    monkeypatch.setattr(files, "MAX_UNPACKED", 2**20)
    text = pa.array(["x" * 10_000]).dictionary_encode()
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), text.dictionary)
    file = parquet(tmp_path / "a.parquet", {"text": column, "label": ["a"] * 100_000})
    assert file.stat().st_size < 20_000  # and a gigabyte if spelled out
    with pytest.raises(LabError, match="unpacks to more than 1 MB"):
        read_file(file)


def test_a_long_parquet_file_is_read_as_far_as_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_UNPACKED", 2**20)
    file = parquet(tmp_path / "a.parquet", {"text": [f"{n:0>1000}" for n in range(5000)]}, row_group_size=500)
    rows, notes = read_file(file)
    assert 500 <= len(rows) <= 1048
    assert rows[-1]["text"].endswith(str(len(rows) - 1))
    assert notes == [f"Only the first {len(rows):,} rows of 'a.parquet' are used: they fill 1 MB."]
