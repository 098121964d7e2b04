"""The values that a link gives to controls, and those that it cannot give."""

from __future__ import annotations

import gradio as gr
import pytest

from lab.ui.controls import controls, linkable, name, read
from lab.ui.lesson import asked_for


@pytest.fixture
def block():
    with gr.Blocks(analytics_enabled=False), gr.Accordion("Section") as fold:
        with gr.Row():
            gr.Slider(1, 64, 8, step=1, label="Rank", elem_id="rank")
            gr.Slider(0, 1, 0.5, step=0.05, label="Weight w")
        gr.Number(0, precision=0, minimum=0, label="Seed")
        gr.Checkbox(label="Everywhere")
        gr.CheckboxGroup([("One", 1), ("Two", 2)], value=[1], label="Ranks")
        gr.Dropdown([("Own", "a"), ("Other", "b")], value="a", label="Kind")
        gr.Dropdown([], label="Run")
        gr.Dropdown(["x"], allow_custom_value=True, label="Matrix")
        gr.Textbox("", label="Text")
        gr.Markdown("Words")
    return fold


def test_controls_have_names_and_lists_of_what_was_trained_are_not_in_a_link(block) -> None:
    assert list(controls(block)) == [
        "rank", "weight-w", "seed", "everywhere", "ranks", "kind", "run", "matrix", "text",
    ]  # fmt: skip
    assert set(controls(block)) - set(linkable(block)) == {"run"}


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("rank", ["4"], 4),
        ("weight-w", ["0.25"], 0.25),
        ("seed", ["7"], 7),
        ("everywhere", ["true"], True),
        ("everywhere", ["false"], False),
        ("ranks", ["1", "2"], [1, 2]),
        ("ranks", [""], []),
        ("kind", ["b"], "b"),
        ("matrix", ["model.q"], "model.q"),
        ("text", [""], ""),
    ],
)
def test_a_value_is_read(block, key, given, value) -> None:
    found = read(controls(block)[key], given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("rank", ["65"]),
        ("rank", ["0"]),
        ("rank", ["2.5"]),
        ("rank", ["nan"]),
        ("rank", ["inf"]),
        ("rank", ["1", "2"]),
        ("weight-w", ["1.01"]),
        ("seed", ["-1"]),
        ("everywhere", ["yes"]),
        ("ranks", ["3"]),
        ("kind", ["Own"]),
        ("text", ["a" * 2001]),
    ],
)
def test_a_value_that_the_control_cannot_have_is_refused(block, key, given) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(controls(block)[key], given)


def test_bad_values_are_named_in_one_sentence_and_the_good_ones_kept(block) -> None:
    kept, ignored = asked_for({"rank": ["4"], "seed": ["x"], "nobody": ["1"]}, linkable(block))
    assert kept == {"rank": 4}
    assert ignored.endswith("Seed, nobody.")


def test_names_are_distinct_on_every_tab(lab) -> None:
    from lab.ui.controls import inside
    from lab.ui.tabs import EXERCISE, TABS

    for tab in TABS:
        if tab.kind != EXERCISE:
            continue
        with gr.Blocks(analytics_enabled=False) as page:
            lab.openers[tab.name] = gr.Button()
            tab.build(lab)
        for fold in (item for item in page.blocks.values() if str(item.elem_id).startswith("section-")):
            names = [
                name(item) for item in inside(fold) if isinstance(item, tuple(map(type, controls(fold).values())))
            ]
            assert len(names) == len(set(names)), names
