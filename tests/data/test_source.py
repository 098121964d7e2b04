"""Where data come from, and the cards of the embedded sets."""

from __future__ import annotations

import json
import os

import pytest

from lab import access
from lab.data import source
from lab.data.catalogue import datasets
from lab.data.files import read_file
from lab.data.formats import budget
from lab.data.scoring import METRICS
from lab.data.source import kind, read
from lab.errors import LabError
from lab.plan import CLASSIFY, GENERATE, Data


@pytest.mark.parametrize("name", datasets())
def test_an_embedded_set_is_what_its_card_says(name):
    card, table = datasets()[name], read(Data(name))
    assert table.card is card
    assert card.task in (CLASSIFY, GENERATE)
    assert card.metric in METRICS
    assert card.prompts
    assert {card.input, card.target} <= set(table.columns)
    for rows in (table.train, table.validation, table.test):
        assert len(rows) >= 100
        assert all(row[card.input] and row[card.target] for row in rows)
        assert not card.labels or {row[card.target] for row in rows} == set(card.labels)


def test_there_are_sets_of_both_tasks():
    assert {card.task for card in datasets().values()} == {CLASSIFY, GENERATE}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("sentiment", "embedded"),
        (" sentiment ", "embedded"),
        ("org/name", "hub"),
        ("org/name.v2", "hub"),
        ("a.csv", "file"),
        ("folder/a.csv", "file"),
        ("folder/a.csv.gz", "file"),
        ("./a", "file"),
        ("~/a", "file"),
        ("/a/b", "file"),
        ("a/b/c", "file"),
        ("C:\\data\\a", "file"),
        ("notes.docx", "file"),
    ],
)
def test_a_name_tells_where_its_data_are(name, place):
    assert kind(name) == place


def test_a_folder_that_is_there_is_no_hub_id(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "name").mkdir(parents=True)
    with pytest.raises(LabError, match="is a folder"):
        read(Data("org/name"))


@pytest.mark.parametrize(
    ("name", "hint"), [("", "Choose"), ("sentimant", "Did you mean 'sentiment'"), ("zzz", "organisation/name")]
)
def test_a_name_that_is_none_gets_a_hint(name, hint):
    with pytest.raises(LabError) as caught:
        read(Data(name))
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", ["none.csv", "a\0b.csv", "x" * 5000 + ".csv", "~nobody-of-that-name/a.csv", "a/b/c"])
def test_a_file_that_cannot_be_there(name):
    with pytest.raises(LabError, match="does not exist"):
        read(Data(name))


def test_a_file_is_read_once_until_it_changes(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "x", "label": "a"}\n')
    first = read(Data(str(file)))
    assert read(Data(str(file), task=CLASSIFY)) is first
    file.write_text('{"text": "y", "label": "a"}\n')
    os.utime(file, ns=(1, 1))
    assert read(Data(str(file))).train == [{"text": "y", "label": "a"}]


def test_columns_are_those_of_all_rows(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "x"}\n{"text": "y", "label": "a"}\n')
    assert read(Data(str(file))).columns == ("text", "label")


@pytest.mark.parametrize(
    "messages",
    [
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Ho"},
            {"role": "user", "content": "Thanks"},
        ],
        [
            {"from": "system", "value": "Be brief."},
            {"from": "human", "value": "Hi"},
            {"from": "gpt", "value": "Ho"},
        ],
    ],
)
def test_a_conversation_becomes_prompt_and_reply(tmp_path, messages):
    file = tmp_path / "a.jsonl"
    silent = [{"role": "user", "content": "Anyone?"}]
    file.write_text("".join(json.dumps({"messages": item}) + "\n" for item in (messages, silent, None)))
    table = read(Data(str(file)))
    assert table.train[0]["prompt"] == "Be brief.\n\nHi"
    assert table.train[0]["reply"] == "Ho"
    assert "reply" not in table.train[1]
    assert {"prompt", "reply"} <= set(table.columns)


def test_conversations_count_as_the_texts_that_are_made_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "MAX_MEMORY", 2**20)
    file = tmp_path / "a.jsonl"
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    file.write_text((json.dumps({"messages": talk}) + "\n") * 1500)
    with pytest.raises(LabError, match="fill more than 1 MB"):
        read_file(file)
    table = read(Data(str(file)))
    assert len(table.train) == 1500
    assert table.columns == ("prompt", "reply")
    assert table.conversations.column == "messages"


def test_a_table_keeps_nothing_of_another_file(tmp_path):
    for number in range(4):
        file = tmp_path / f"{number}.jsonl"
        file.write_text(json.dumps({"text": str(number), "label": "a"}))
        assert read(Data(str(file))).train[0]["text"] == str(number)


def test_whoever_may_read_no_files_is_not_told_which_there_are(tmp_path, monkeypatch):
    class Closed(access.Rules):
        def file(self, path):
            raise LabError("No files.")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("x")
    before = access.use(Closed())
    try:
        sentences = set()
        for name in ("there", "gone"):
            with pytest.raises(LabError) as caught:
                source.kind(name)
            sentences.add(str(caught.value).replace(name, ""))
    finally:
        access.use(before)
    assert len(sentences) == 1
