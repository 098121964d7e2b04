"""Samples stand for the whole, whatever the order of the file."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from lab.data.sampling import describe, sample, some
from lab.data.tasks import Example, prepare
from lab.plan import CLASSIFY, Data


def examples(**sizes: int) -> list[Example]:
    """So many examples of each label, sorted by it."""
    return [Example(f"{label} {n}", label, {}) for label, size in sizes.items() for n in range(size)]


def labels(rows) -> Counter:
    return Counter(item.target for item in rows)


@pytest.fixture
def by_label(tmp_path) -> str:
    """A file of 12,000 rows, sorted by a label whose column's name does not tell."""
    file = tmp_path / "sorted.jsonl"
    rows = [{"words": f"text {n}", "sort": "ab"[n // 6000]} for n in range(12_000)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def test_a_stratified_sample_has_the_shares_of_the_whole():
    rows = examples(a=3000, b=3000, c=600, d=3)
    assert labels(sample(rows, 110, by_label=True)) == {"a": 50, "b": 50, "c": 10}
    assert labels(sample(rows, 6603, by_label=True)) == labels(rows)


def test_each_beginning_of_a_sample_is_a_sample():
    rows = examples(a=400, b=400, c=400)
    whole = sample(rows, 128, by_label=True)
    assert sample(rows, 32, by_label=True) == whole[:32]
    assert max(labels(whole[:32]).values()) - min(labels(whole[:32]).values()) <= 1


def test_training_rows_have_every_label_once_before_one_comes_twice():
    rows = examples(a=990, b=5, c=5)
    assert set(labels(sample(rows, 3, by_label=True, every_label=True))) == {"a", "b", "c"}
    assert labels(sample(rows, 200, by_label=True, every_label=True)) == {"a": 198, "b": 1, "c": 1}


def test_a_plain_sample_comes_from_all_over():
    rows = [Example(str(n), f"reply {n}", {}) for n in range(1000)]
    places = [int(item.input) for item in sample(rows, 100, by_label=False)]
    assert len(set(places)) == 100
    assert all(any(low <= place < low + 100 for place in places) for low in range(0, 1000, 100))
    assert places == [int(item.input) for item in sample(rows, 100, by_label=False)]


def test_some_rows_are_from_all_over_in_their_order():
    rows = some(range(10_000), 100)
    assert list(rows) == sorted(rows)
    assert max(rows) > 9000
    assert some([1, 2], 3) == [1, 2]


@pytest.mark.parametrize("named", [True, False])
def test_a_sorted_file_is_classified_by_all_of_its_labels(by_label, named):
    data = prepare(Data(by_label, input="words", target="sort", rows=50) if named else Data(by_label, rows=50))
    assert (data.task, data.target, data.labels, data.by_label) == (CLASSIFY, "sort", ("a", "b"), True)
    assert labels(data.train) == {"a": 25, "b": 25}
    assert labels(sample(data.validation, 100, data.by_label)).keys() == {"a", "b"}
    assert len(data.prompts) == 4
    assert {prompt.split()[0] for prompt in data.prompts} == {"text"}
    assert data.train_total > 9000
    assert describe(data.by_label) == "stratified by label, seed 0"
