"""The lines that a script reads its rows with leave the very examples that the lab trains on."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

from lab.data import export
from lab.data.catalogue import datasets
from lab.data.tasks import prepare
from lab.paths import ASSETS
from lab.plan import CLASSIFY, Data

TALK = [[{"role": "user", "content": f"Hi {n}"}, {"role": "assistant", "content": f"Ho {n}"}] for n in range(40)]


PARTS = [{"type": "text", "text": "Look"}, {"type": "image"}, "what?", {"type": "text", "text": None}]
ODD = [
    [{"role": "user", "content": PARTS}, {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]}],
    [{"role": "system", "content": None}, {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}],
    [{"role": "user", "content": "Call it."}, {"role": "assistant", "content": None, "tool_calls": []}],
    [None, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}],
]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs the lines as a script would and gives back what they leave."""
    import datasets as library

    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    library.disable_progress_bars()

    def running(data: Data) -> dict:
        left = {"load_dataset": library.load_dataset}
        exec("\n".join([*export.IMPORTS.values(), export.source(data)]), left)
        return left

    yield running
    library.enable_progress_bars()


def assert_agree(run, data: Data, lines: int) -> None:
    task, left = prepare(data), run(data)
    assert left["rows"] == [(item.input, item.target) for item in task.train]
    assert left.get("labels", []) == list(task.labels)
    assert len(export.source(data).splitlines()) == lines


def csv(sign: str, first: str = "label{}text\n") -> str:
    rows = "".join(f"{('01', 'None', 'NA')[n % 3]}{sign}text {n}\n" for n in range(60))
    return first.format(sign) + rows


@pytest.mark.parametrize(
    ("name", "contents", "lines"),
    [
        ("a.csv", csv(","), 5),
        ("a.csv", csv(";"), 5),
        ("a.tsv", csv("\t"), 5),
        ("a.csv.gz", gzip.compress(csv(",").encode()), 5),
        ("a.csv", csv(",") + "01,NaN\n01,\n01,  padded \n", 7),
        ("a.jsonl", "".join(json.dumps({"text": n, "label": n % 2 == 0}) + "\n" for n in range(60)), 5),
        ("a.json", json.dumps([{"text": f"t {n}", "label": "ab"[n % 2]} for n in range(60)]), 5),
        ("a.jsonl", "".join(json.dumps({"text": n or None, "label": "ab"[n % 2]}) + "\n" for n in range(60)), 7),
        ("a.jsonl", "".join(json.dumps({"messages": item}) + "\n" for item in TALK), 9),
        ("a.jsonl", "".join(json.dumps({"messages": item}) + "\n" for item in [*TALK, TALK[0][:1]]), 11),
        ("a.jsonl", "".join(json.dumps({"messages": item}) + "\n" for item in [*TALK, ODD[2]]), 11),
        ("a.jsonl", "".join(json.dumps({"messages": item}) + "\n" for item in [*TALK, ODD[0]]), 15),
        ("a.jsonl", "".join(json.dumps({"messages": item}) + "\n" for item in [*TALK, *ODD]), 17),
    ],
)  # fmt: skip
def test_a_file(run, tmp_path, name, contents, lines):
    file = tmp_path / name
    file.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    assert_agree(run, Data(str(file)), lines)


def test_parquet_and_a_bound(run, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"prompt": [f"p {n}" for n in range(60)], "reply": ["r"] * 60}), tmp_path / "a.parquet")
    assert_agree(run, Data(str(tmp_path / "a.parquet"), rows=7), 6)


def test_a_bound_on_a_file_that_is_sorted_by_its_labels(run, tmp_path):
    file = tmp_path / "a.jsonl"
    rows = [{"text": f"t {n}", "label": "aabbbbc"[n // 20]} for n in range(140)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert_agree(run, Data(str(file), rows=30), 16)
    assert_agree(run, Data(str(file), rows=1000), 5)


@pytest.mark.parametrize("name", datasets())
def test_an_embedded_set(run, monkeypatch, name):
    monkeypatch.chdir(ASSETS.parent)
    assert_agree(run, Data(name), 3 if datasets()[name].task == CLASSIFY else 2)


def test_a_set_of_the_hub(run, hub, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import config

    told = {"info": {"features": {
        "text": {"dtype": "string", "_type": "Value"}, "label": {"names": ["bad", "good"], "_type": "ClassLabel"}
    }}}  # fmt: skip
    table = pa.table({"text": [f"text {n}" for n in range(60)], "label": [n % 2 for n in range(60)]})
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(told)}), buffer)
    card = "---\nconfigs:\n" + "".join(
        f"- config_name: {name}\n  data_files:\n  - split: train\n    path: {name}/*\n" for name in ("one", "two")
    )
    contents = {"README.md": f"{card}---\n".encode(), "one/a.parquet": b"", "two/a.parquet": buffer.getvalue()}
    hub.add("lab/d", contents, kind="dataset")
    monkeypatch.setattr(config, "HF_ENDPOINT", hub.url)
    monkeypatch.setattr(config, "HF_HUB_OFFLINE", False)
    assert_agree(run, Data("lab/d", config="two"), 6)
    assert run(Data("lab/d", config="two"))["labels"] == ["bad", "good"]
    assert Path(config.HF_DATASETS_CACHE).exists()
