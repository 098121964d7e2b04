from __future__ import annotations

import pytest

from lab.events import Step
from lab.history import fold
from lab.insight.ablation import Ablated
from lab.insight.families import place
from lab.insight.neighbours import Neighbour, Neighbours
from lab.plan import GENERATE
from lab.plots import prefix as plots
from lab.plots.style import colour
from tests import tiny


def count(figure, name: str) -> int:
    return sum(len(trace.x) for trace in figure.data if trace.name == name)


def test_a_prefix_stands_in_every_layer_and_a_prompt_at_the_input():
    prefix, prompt = plots.places(6, 5, True), plots.places(6, 5, False)
    assert (count(prefix, "learned"), count(prefix, "computed from it")) == (30, 0)
    assert (count(prompt, "learned"), count(prompt, "computed from it")) == (5, 30)
    assert count(prefix, "the text") == count(prompt, "the text") == 7 * plots.TEXT


def test_many_virtual_tokens_are_drawn_in_part_and_it_is_said():
    drawn = plots.places(2, 1000, True)
    assert count(drawn, "learned") == 2 * plots.DRAWN
    assert "1000 virtual tokens (24 drawn)" in drawn.layout.xaxis.ticktext


def test_the_chosen_head_is_framed():
    shares = [[0.1, 0.2], [0.3, 0.4]]
    assert not plots.heads(shares).layout.shapes
    frame = plots.heads(shares, layer=1, head=0).layout.shapes[0]
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (-0.5, 0.5, 0.5, 1.5)
    row = plots.heads(shares, layer=0).layout.shapes[0]
    assert (row.x0, row.x1) == (-0.5, 1.5)


def test_attention_by_token():
    drawn = plots.tokens(["a", " "], [0.4, 0.5], [0.9, 0.8])
    assert [list(trace.y) for trace in drawn.data] == [[0.4, 0.5], [0.9, 0.8]]
    assert list(drawn.layout.xaxis.ticktext) == ["a", "␣"]
    assert [list(row) for row in plots.each(["a", "b"], [[0.1, 0.2], [0.3, 0.4]]).data[0].z] == [
        [0.1, 0.2],
        [0.3, 0.4],
    ]


def test_ablation_shows_changes_and_says_the_losses():
    drawn = plots.ablation(Ablated(2.0, 3.5, tokens=(2.25,), layers=(2.5, 1.75)))
    assert [list(trace.y) for trace in drawn.data] == [[0.5, -0.25], [0.25]]
    assert "2.000" in drawn.layout.title.text
    assert "+1.500" in drawn.layout.title.text


def test_counts_leave_out_what_does_not_work():
    encoder = tiny.shape("distilbert", "classify")
    drawn = plots.counts([place("lora", {}, encoder), place("prefix", {}, encoder)])
    assert list(drawn.data[0].y) == ["LoRA"]
    assert list(drawn.data[0].marker.color) == [colour("lora")]


def test_curves_have_the_method_s_look():
    history = fold([Step(1, 2.0, 0.1, 1.0, 10, 0.1), Step(2, 1.0, 0.1, 1.0, 10, 0.2)])
    drawn = plots.curves({"prefix": history, "prompt": fold([])})
    assert len(drawn.data) == 1, "a run without a step has no curve yet"
    assert drawn.data[0].line.color == colour("prefix")
    assert list(drawn.data[0].x) == [1, 2]
    assert drawn.data[0].y[0] == pytest.approx(2.0)


def test_the_line_between_two_styles_grows():
    drawn = plots.mixture([0, 0.5, 1], {"a": [1.0, 2.0], "b": [3.0, 2.5]}, 0.25)
    assert [list(trace.x) for trace in drawn.data] == [[0, 0.5], [0, 0.5]]
    assert drawn.layout.shapes[0].x0 == 0.25


def test_cosines_stand_against_words_and_chance():
    found = Neighbours(
        ((Neighbour(1, "one", 0.3), Neighbour(2, "two", 0.2)),), (1.0,), words=0.6, chance=0.1, word_norm=1.0
    )
    bar, words, chance = plots.cosines(found).data
    assert list(bar.y) == [0.3]
    assert (words.y[0], chance.y[0]) == (0.6, 0.1)


def test_every_figure_is_drawn_for_a_model_of_one_layer():
    assert plots.places(1, 1, True).data
    assert place("prefix", {"virtual_tokens": 1}, tiny.shape("llama", GENERATE)).kept == 64
