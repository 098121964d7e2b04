import pytest

from lab.errors import LabError
from lab.methods import METHODS
from lab.plots import style


def test_each_family_has_a_colour_of_its_own() -> None:
    colours = [style.FAMILY_COLOURS[family] for family in style.FAMILY_COLOURS]
    assert len(set(colours)) == len(colours)


def test_methods_of_a_family_share_the_colour_and_differ_in_marker() -> None:
    looks = {(style.colour(key), style.marker(key)) for key in METHODS}
    assert len(looks) >= min(len(METHODS), 12)
    assert len({style.colour(key) for key in METHODS}) <= len(style.FAMILY_COLOURS)


def test_an_unknown_method_has_no_colour() -> None:
    with pytest.raises(LabError, match="no method"):
        style.colour("nothing")


def test_faded_keeps_the_hue() -> None:
    assert style.faded("#0072b2", 0.5) == "rgba(0,114,178,0.5)"


def test_a_figure_has_no_background_and_keeps_the_zoom() -> None:
    made = style.figure([], title="Loss", x="step")
    assert made.layout.paper_bgcolor == made.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert made.layout.uirevision == "keep"
    assert made.layout.xaxis.title.text == "step"


def test_every_axis_has_the_look_and_a_long_name_stands_on_two_lines() -> None:
    assert style.figure([]).layout.template.layout.xaxis.title.font.size == 11.5
    assert style.wrapped("Full fine-tuning") == "Full<br>fine-tuning"
