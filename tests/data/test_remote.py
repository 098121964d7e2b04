"""Data sets of the Hub: which files they are made of, what their labels are called, and a Hub that fails."""

from __future__ import annotations

import glob
import io
import json
import time
from types import SimpleNamespace

import pytest

from lab.data import dataset_card, export, files, remote, source, tasks
from lab.data.source import read
from lab.errors import LabError
from lab.models import hub as client
from lab.plan import CLASSIFY, Data
from tests.hub_double import CUT, DROP, ERROR, HANG

CARD = b"""---
configs:
- config_name: small
  data_files:
  - split: train
    path: small/*.jsonl
- config_name: large
  data_files:
  - split: train
    path: large/a.jsonl
  - split: holdout
    path: large/b.jsonl
---
# A data set
"""


def lines(number: int, first: int = 0) -> bytes:
    rows = [{"text": f"text {n + first}", "label": n % 2} for n in range(number)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(rows: list[dict], names: tuple[str, ...] = ()) -> bytes:
    """A Parquet file as `datasets` writes it, with the names of the labels inside."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows)
    if names:
        told = {"info": {"features": {"label": {"names": list(names), "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(told)})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def fetched(hub) -> list[str]:
    return [line.split("/", 6)[-1] for line in hub.asked if line.startswith("GET /datasets/")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Whoever waits gives up soon (but not before a slow computer has answered), the library tries again at once."""
    from huggingface_hub import file_download

    monkeypatch.setattr(client, "PATIENCE", 5.0)
    monkeypatch.setattr(file_download, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))


# -- what is read -----------------------------------------------------------------------------


def test_splits_are_told_by_the_names_of_the_files(hub):
    hub.add(
        "lab/d", {"train.jsonl": lines(40), "dev.jsonl": lines(5, 50), "test.jsonl": lines(7, 60)}, kind="dataset"
    )
    table = read(Data("lab/d"))
    assert [len(part) for part in (table.train, table.validation, table.test)] == [40, 5, 7]
    assert table.columns == ("text", "label")
    assert table.notes == ()


def test_shards_are_read_one_after_the_other(hub):
    names = [f"data/train-0000{n}-of-00002.parquet" for n in range(2)]
    rows = [{"text": f"text {n}", "label": n % 2} for n in range(40)]
    hub.add("lab/d", {names[0]: parquet(rows[:25]), names[1]: parquet(rows[25:])}, kind="dataset")
    assert read(Data("lab/d")).train == rows


def test_no_more_shards_are_fetched_than_rows_are_used(hub, monkeypatch):
    for module in (files, remote):
        monkeypatch.setattr(module, "MAX_ROWS", 10)
    hub.add("lab/d", {f"train-{n}.jsonl": lines(8, n) for n in range(4)}, kind="dataset")
    table = read(Data("lab/d"))
    assert len(table.train) == 10
    assert table.notes == ("Only the first 10 rows of 'lab/d' are used.",)
    assert fetched(hub) == ["train-0.jsonl", "train-1.jsonl"]


def test_as_many_rows_are_used_as_there_is_memory_for(hub, monkeypatch):
    monkeypatch.setattr(remote, "MAX_MEMORY", 30_000)
    names = [f"train-{n}.jsonl" for n in range(4)]
    shards = {name: lines(60, 100 * number) for number, name in enumerate(names)}
    hub.add("lab/d", {**shards, "dev.jsonl": lines(20)}, kind="dataset")
    table = read(Data("lab/d"))
    # Validation rows have a tenth, whatever the training rows would take.
    assert 0 < len(table.validation) < 20
    assert 60 < len(table.train) < 120
    assert table.first
    assert table.notes[-1] == (
        f"Only the first {len(table.train)} rows of 'lab/d' are used: they fill the memory that a data set may take."
    )
    assert f"rows = rows[:{len(table.train)}]" in export.source(Data("lab/d"))
    assert fetched(hub) == ["dev.jsonl", *names[:2]]


def test_a_card_that_is_too_large_is_not_fetched(hub, monkeypatch):
    monkeypatch.setattr(dataset_card, "LARGEST", 10)
    hub.add("lab/d", {"README.md": CARD, "train.jsonl": lines(20)}, kind="dataset")
    with pytest.raises(LabError, match="card has"):
        read(Data("lab/d"))
    assert fetched(hub) == []


def test_csv_works_too(hub):
    rows = "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(40))
    hub.add("lab/d", {"train.csv": f"text,label\n{rows}".encode()}, kind="dataset")
    data = tasks.prepare(Data("lab/d"))
    assert (data.task, data.labels) == (CLASSIFY, ("a", "b"))


def test_labels_get_their_names_from_the_file(hub):
    rows = [{"text": f"text {n}", "label": n - 1} for n in range(3)]
    hub.add("lab/d", {"train.parquet": parquet(rows, ("bad", "good"))}, kind="dataset")
    assert [row["label"] for row in read(Data("lab/d")).train] == [None, "bad", "good"]


def test_labels_get_their_names_from_the_card(hub):
    card = b"""---
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': bad
          '1': good
---
"""
    hub.add("lab/d", {"README.md": card, "train.jsonl": lines(4)}, kind="dataset")
    assert [row["label"] for row in read(Data("lab/d")).train] == ["bad", "good", "bad", "good"]


# -- what is chosen ---------------------------------------------------------------------------


@pytest.fixture
def configured(hub):
    contents = {"README.md": CARD, "small/x.jsonl": lines(20), "large/a.jsonl": lines(50), "large/b.jsonl": lines(30)}
    hub.add("lab/d", contents, kind="dataset")
    return hub


def test_the_first_configuration_is_taken_and_told(configured):
    table = read(Data("lab/d"))
    assert len(table.train) == 20
    assert table.notes == ("'lab/d' has 2 configurations; 'small' is used.",)
    assert fetched(configured) == ["README.md", "small/x.jsonl"]


def test_configuration_and_split_can_be_chosen(configured):
    assert len(read(Data("lab/d", config="large")).train) == 50
    table = read(Data("lab/d", config="large", split="holdout"))
    assert len(table.train) == 30
    assert table.notes == ()


@pytest.mark.parametrize(
    ("asked", "said", "hint"),
    [
        ({"config": "lrge"}, "no configuration 'lrge'", "Did you mean 'large'?"),
        ({"config": "zz"}, "no configuration 'zz'", "It has: small, large."),
        ({"config": "large", "split": "test"}, "no split 'test'", "It has: train, holdout."),
    ],
)
def test_a_choice_that_is_not_there(configured, asked, said, hint):
    with pytest.raises(LabError) as caught:
        read(Data("lab/d", **asked))
    assert said in caught.value.message
    assert caught.value.hint == hint


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ({"a.txt": b"x", "script.py": b"raise SystemExit"}, "has no CSV, JSON or Parquet files"),
        ({"README.md": b"---\nconfigs: [\n---\n", "a.csv": b"text,label\na,b\n"}, "splits of 'lab/d' cannot be told"),
        ({"train.jsonl": b"{\n"}, "Line 1 of 'train.jsonl' is not JSON"),
        ({"train.jsonl": b""}, "'train.jsonl' is empty"),
    ],
)
def test_a_set_that_cannot_be_read(hub, contents, said):
    hub.add("lab/d", contents, kind="dataset")
    with pytest.raises(LabError, match=said) as caught:
        read(Data("lab/d"))
    assert caught.value.hint


def test_a_file_that_is_too_large_is_not_fetched(hub, monkeypatch):
    monkeypatch.setattr(remote, "MAX_FILE", 100)
    hub.add("lab/d", {"train.jsonl": lines(20)}, kind="dataset")
    with pytest.raises(LabError, match=r"The file 'train\.jsonl' of 'lab/d' has"):
        read(Data("lab/d"))
    assert fetched(hub) == []


def test_names_that_lead_out_of_the_repository_are_not_followed(hub, tmp_path):
    hub.add("lab/d", {"../../outside.csv": b"x", "train.jsonl": lines(5)}, kind="dataset")
    assert len(read(Data("lab/d")).train) == 5
    assert not glob.glob(str(tmp_path / "**" / "outside.csv"), recursive=True)


@pytest.mark.parametrize(("name", "said"), [("lab/none", "There is no 'lab/none'"), ("lab/gated", "is gated")])
def test_a_set_that_is_not_there_or_not_for_everybody(hub, name, said):
    hub.add("lab/gated", {"train.jsonl": lines(5)}, kind="dataset", gated=True)
    hub.add("lab/none", {}, kind="model")  # the id of a model is no data set
    with pytest.raises(LabError, match=said):
        read(Data(name))


# -- a network that fails ---------------------------------------------------------------------


@pytest.mark.parametrize("fault", [DROP, ERROR, HANG])
def test_a_hub_that_does_not_answer(hub, monkeypatch, fault):
    monkeypatch.setattr(client, "PATIENCE", 0.5)
    hub.add("lab/d", {"train.jsonl": lines(5)}, kind="dataset", fault=fault)
    with pytest.raises(client.Unreachable):
        read(Data("lab/d"))


@pytest.mark.parametrize("fault", [DROP, ERROR, HANG])
def test_what_was_read_once_is_read_again_without_a_network(configured, monkeypatch, fault):
    first = read(Data("lab/d", config="large"))
    source.forget()
    configured.fault("lab/d", fault)
    monkeypatch.setattr(client, "PATIENCE", 0.5)
    again = read(Data("lab/d", config="large"))
    assert again is not first
    assert again.train == first.train
    with pytest.raises(client.Unreachable):
        read(Data("lab/d", config="small"))


def test_offline_mode_asks_nobody(configured, monkeypatch):
    first = read(Data("lab/d"))
    source.forget()
    configured.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert read(Data("lab/d")).train == first.train
    with pytest.raises(LabError, match="HF_HUB_OFFLINE"):
        read(Data("lab/other"))
    assert configured.asked == []


def test_a_download_that_breaks_off(hub, monkeypatch):
    monkeypatch.setattr(client, "SILENCE", 0.5)
    hub.add("lab/d", {"train.jsonl": lines(500)}, kind="dataset", fault=CUT)
    with pytest.raises(client.Unreachable):
        read(Data("lab/d"))
