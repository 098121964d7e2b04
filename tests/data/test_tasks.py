"""From rows to examples: what is held out, what is left out, and what cannot be learned from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.data import scoring
from lab.data.catalogue import datasets
from lab.data.files import MAX_CELL
from lab.data.tasks import Example, TaskData, hold_out, prepare
from lab.errors import LabError
from lab.plan import CLASSIFY, GENERATE, Data


@pytest.fixture
def made(tmp_path):
    """Writes rows to a file and prepares them."""

    def make(given: list[dict], **more) -> TaskData:
        file = tmp_path / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
        return prepare(Data(str(file), **more))

    return make


def labelled(number: int = 200) -> list[dict]:
    return [{"text": f"text {n}", "label": "ab"[n % 2]} for n in range(number)]


# -- the task ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", datasets())
def test_an_embedded_set_is_its_card(name):
    card, data = datasets()[name], prepare(Data(name))
    assert (data.task, data.metric, data.labels, data.prompts) == (card.task, card.metric, card.labels, card.prompts)
    assert data.held_out == 0
    assert data.notes == ()
    examples = data.validation[:5]
    perfect = scoring.score(
        data.metric, [item.row | {"target": item.target} for item in examples], [item.target for item in examples]
    )
    assert next(iter(perfect.values())) == 1.0


def test_labels_may_be_written_as_text():
    data = prepare(Data("sentiment", task=GENERATE))
    assert (data.task, data.labels, data.metric) == (GENERATE, (), "accuracy")
    assert {item.target for item in data.train} == {"negative", "positive"}


def test_another_column_of_an_embedded_set_loses_its_metric():
    assert prepare(Data("persona", input="reply", target="prompt")).metric == "overlap"


def test_the_metric_of_a_file_is_that_of_its_task(made):
    assert made(labelled()).metric == "accuracy"
    assert made([{"prompt": f"p {n}", "reply": f"r {n}"} for n in range(100)]).metric == "overlap"


def test_labels_are_sorted_texts(made):
    data = made([{"text": f"t {n}", "label": n % 3} for n in range(200)])
    assert data.labels == ("0", "1", "2")
    assert {item.target for item in data.train} == {"0", "1", "2"}


def test_rows_bound_the_training_rows_only(made):
    whole, part = made(labelled()), made(labelled(), rows=10)
    assert len(part.train) == 10
    assert {item.input for item in part.train} < {item.input for item in whole.train}
    assert part.validation == whole.validation


def test_what_is_prepared_is_kept():
    assert prepare(Data("intent")) is prepare(Data("intent"))


# -- what is held out -------------------------------------------------------------------------


def test_a_tenth_is_held_out_twice(made):
    data = made(labelled(1000))
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    assert sum(sizes) == 1000
    assert 740 <= sizes[0] <= 860
    assert 60 <= sizes[1] <= 145
    assert 60 <= sizes[2] <= 145


def test_equal_rows_stand_on_one_side(made):
    data = made(labelled(200) * 3)
    sides = [{item.input for item in part} for part in (data.train, data.validation, data.test)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


def test_a_row_stays_on_its_side_when_others_come(made):
    few, many = made(labelled(200)), made(labelled(400))
    assert {item.input for item in few.validation} <= {item.input for item in many.validation}
    assert {item.input for item in few.train} <= {item.input for item in many.train}


@pytest.mark.parametrize("number", range(4, 40))
def test_no_side_of_a_small_file_is_empty(number):
    parts, bound = hold_out([Example(f"text {n}", "a", {}) for n in range(number)])
    assert all(parts.values())
    assert sum(map(len, parts.values())) == number
    assert bound >= 52


def test_a_test_split_that_is_there_stays(made):
    test = (Example("x", "a", {}),)
    parts, bound = hold_out([Example(f"text {n}", "a", {}) for n in range(200)], test)
    assert parts["test"] == test
    assert bound == 26


# -- what is left out -------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [None, "", "  ", float("nan"), "NaN", "null"])
def test_empty_cells_are_left_out_and_counted(made, empty):
    rows = [*labelled(), {"text": empty, "label": "a"}, {"text": "x", "label": empty}, {"label": "a"}]
    data = made(rows)
    assert len(data.train) + len(data.validation) + len(data.test) == 200
    assert data.notes == ("3 rows were without 'text' or 'label' and are left out.",)


def test_a_zero_and_a_no_are_not_empty(made):
    assert made([{"text": n, "label": n % 2 == 0} for n in range(100)]).labels == ("False", "True")


def test_long_texts_are_cut_and_counted(made):
    data = made([*labelled(), {"text": "x" * 100_000, "label": "a"}])
    assert max(len(item.input) for part in (data.train, data.validation, data.test) for item in part) == MAX_CELL
    assert data.notes == (f"1 row was cut at {MAX_CELL:,} characters.",)


def test_half_a_character_does_no_harm(made):
    data = made([*labelled(), {"text": "x \ud800 y", "label": "a"}])
    texts = [item.input for part in (data.train, data.validation, data.test) for item in part]
    assert "x ? y" in texts


# -- what cannot be learned from --------------------------------------------------------------


def test_one_label_is_none(made):
    with pytest.raises(LabError, match="the same 'label', 'a'"):
        made([{"text": f"t {n}", "label": "a"} for n in range(50)])


def test_texts_are_no_labels(made):
    rows = [{"prompt": f"p {n}", "reply": f"r {n}"} for n in range(3000)]
    with pytest.raises(LabError, match="too many for labels"):
        made(rows, task=CLASSIFY)


@pytest.mark.parametrize("rows", [[{"text": None, "label": "a"}] * 30, [{"text": "x", "label": "a"}]])
def test_too_few_rows(made, rows):
    with pytest.raises(LabError, match="too few rows"):
        made(rows, task=CLASSIFY, input="text", target="label")


def test_a_label_that_no_training_row_has_is_left_out(monkeypatch, tmp_path: Path):
    from lab.data import source, tasks

    train = [{"text": f"t {n}", "label": "ab"[n % 2]} for n in range(40)]
    table = source.Table("t", ("text", "label"), train, [{"text": "v", "label": "c"}, *train[:3]], [])
    monkeypatch.setattr(tasks, "read", lambda data: table)
    data = prepare(Data("t"))
    assert data.labels == ("a", "b")
    assert len(data.validation) == 3
    assert data.notes == ("1 row was left out of validation and test: no training row has its label.",)


def test_nothing_left_to_validate_on(monkeypatch):
    from lab.data import source, tasks

    train = [{"text": f"t {n}", "label": "ab"[n % 2]} for n in range(40)]
    table = source.Table("t", ("text", "label"), train, [{"text": "v", "label": "c"}], [])
    monkeypatch.setattr(tasks, "read", lambda data: table)
    with pytest.raises(LabError, match="No validation row has a label"):
        prepare(Data("t"))
