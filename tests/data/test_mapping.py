"""What columns mean: guessed from names and contents, changed by the plan, refused where they cannot be used."""

from __future__ import annotations

import json

import pytest

from lab.data.catalogue import datasets
from lab.data.mapping import Mapping, guess, resolve
from lab.data.source import Table, read
from lab.errors import LabError
from lab.plan import CLASSIFY, GENERATE, Data

LONG = "a rather long text that says something, number {}"


def table(**columns: list) -> Table:
    rows = [dict(zip(columns, cells)) for cells in zip(*columns.values())]
    return Table("t", tuple(columns), rows, [], [])


def texts(number: int = 40, form: str = LONG) -> list[str]:
    return [form.format(n) for n in range(number)]


def cycle(*values, number: int = 40) -> list:
    return [values[n % len(values)] for n in range(number)]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"text": texts(), "label": cycle("a", "b")}, (CLASSIFY, "text", "label")),
        ({"label": cycle(0, 1), "sentence": texts()}, (CLASSIFY, "sentence", "label")),
        ({"Text": texts(), "Label": cycle("a", "b")}, (CLASSIFY, "Text", "Label")),
        ({"id": list(range(40)), "comment": texts(), "toxic": cycle(0, 1)}, (CLASSIFY, "comment", "toxic")),
        ({"text": texts(), "label": ["same"] * 40}, (CLASSIFY, "text", "label")),
        ({"text": texts(3), "label": ["a", "b", "a"]}, (CLASSIFY, "text", "label")),
        ({"text": texts(), "label": texts(form="{} is no label but a text of its own")}, (GENERATE, "text", "label")),
        ({"prompt": texts(), "reply": texts()}, (GENERATE, "prompt", "reply")),
        ({"reply": texts(), "prompt": texts()}, (GENERATE, "prompt", "reply")),
        ({"instruction": texts(), "output": texts(), "source": cycle("x", "y")}, (GENERATE, "instruction", "output")),
        ({"question": texts(), "answer": cycle("yes", "no")}, (GENERATE, "question", "answer")),
        ({"document": texts(), "summary": texts()}, (GENERATE, "document", "summary")),
        (
            {"n": list(range(40)), "french": texts(), "english": texts(form=LONG + "!")},
            (GENERATE, "english", "french"),
        ),
        ({"text": texts(), "embedding": [[0.1]] * 40, "label": cycle("a", "b")}, (CLASSIFY, "text", "label")),
    ],
)
def test_the_mapping_is_guessed(columns, found):
    assert guess(table(**columns)) == Mapping(*found)


@pytest.mark.parametrize("name", datasets())
def test_an_embedded_set_is_mapped_as_its_card_says(name):
    card = datasets()[name]
    assert resolve(Data(name), read(Data(name))) == Mapping(card.task, card.input, card.target)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, (CLASSIFY, "text", "label")),
        ({"task": GENERATE}, (GENERATE, "text", "label")),
        ({"target": "stars"}, (CLASSIFY, "text", "stars")),
        ({"target": "title"}, (GENERATE, "text", "title")),
        ({"input": "title"}, (CLASSIFY, "title", "label")),
        ({"input": "title", "target": "stars"}, (CLASSIFY, "title", "stars")),
        ({"input": "title", "target": "text"}, (GENERATE, "title", "text")),
        ({"input": "title", "target": "text", "task": CLASSIFY}, (CLASSIFY, "title", "text")),
        ({"target": "text"}, (GENERATE, "title", "text")),
        ({"input": "label"}, (CLASSIFY, "label", "stars")),
    ],
)
def test_the_plan_decides_what_it_says(asked, found):
    made = table(
        text=texts(),
        title=texts(form="title {}"),
        label=cycle("good", "bad"),
        stars=cycle(1, 2, 3, 4, 5),
    )
    assert resolve(Data("t", **asked), made) == Mapping(*found)


@pytest.mark.parametrize(
    ("asked", "said", "hint"),
    [
        ({"input": "txt"}, "no column 'txt'", "Did you mean 'text'?"),
        ({"target": "zzzz"}, "no column 'zzzz'", "It has: text, label, tokens."),
        ({"input": "text", "target": "text"}, "both 'text'", "Choose two different columns."),
        ({"input": "tokens"}, "holds lists or tables", "Choose another column."),
    ],
)
def test_a_column_that_cannot_be_used(asked, said, hint):
    made = table(text=texts(), label=cycle("a", "b"), tokens=[["x"]] * 40)
    with pytest.raises(LabError) as caught:
        resolve(Data("t", **asked), made)
    assert said in caught.value.message
    assert caught.value.hint == hint


def test_one_column_is_not_enough():
    with pytest.raises(LabError, match="fewer than two columns"):
        guess(table(text=texts()))


def test_the_embedded_target_can_be_read_instead_of_learned():
    with_facts = read(Data("persona"))
    found = resolve(Data("persona", input="reply", target="prompt"), with_facts)
    assert found == Mapping(GENERATE, "reply", "prompt")
    assert json.dumps(with_facts.train[0]["facts"])  # the list beside them is no text, and no obstacle
