"""Colours and the common look of figures. One colour for each family of methods, wherever it is drawn.

The hues are Okabe and Ito's eight (2008, "Color universal design"), which stay apart for the common kinds of
colour blindness; the methods of a family share its hue and differ in dash and marker. Figures carry no background
and no font colour: the page gives them those of its theme.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from lab.methods import METHODS, method
from lab.methods.base import FAMILIES

FAMILY_COLOURS: dict[str, str] = {
    "baseline": "#7a7f87",
    "low rank": "#0072b2",
    "orthogonal": "#cc79a7",
    "adapter": "#d55e00",
    "prompt": "#009e73",
    "selective": "#b8860b",
    "other": "#56b4e9",
}

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = (
    "circle",
    "diamond",
    "square",
    "triangle-up",
    "x",
    "star",
    "cross",
    "triangle-down",
    "pentagon",
    "hexagon",
    "hourglass",
    "bowtie",
)

#: What takes memory, in the order in which it is stacked, with its title and colour.
LEDGER: tuple[tuple[str, str, str], ...] = (
    ("weights", "Base weights", "#9aa3ae"),
    ("adapter", "Trained weights", "#0072b2"),
    ("gradients", "Gradients", "#56b4e9"),
    ("optimizer", "Optimizer", "#e69f00"),
    ("activations", "Activations", "#cc79a7"),
)

#: Neutral lines and texts that read on white and on near-black.
NEUTRAL = "#7f8894"

#: What is measured on held-out rows, beside a method's own colour.
HELD_OUT = "#d1495b"


def colour(key: str) -> str:
    """The colour of a method, as #rrggbb. Raises LabError for a method that does not exist."""
    return FAMILY_COLOURS[method(key).family]


def _place(key: str) -> int:
    family = method(key).family
    return [item.key for item in METHODS.values() if item.family == family].index(key)


def dash(key: str) -> str:
    """The dash of a method's lines: what tells it from its relatives."""
    return DASHES[_place(key) % len(DASHES)]


def marker(key: str) -> str:
    """The marker of a method's points: what tells it from its relatives."""
    return MARKERS[_place(key) % len(MARKERS)]


def faded(hex_colour: str, alpha: float) -> str:
    """The colour with an opacity in [0, 1], as CSS writes it."""
    red, green, blue = (int(hex_colour[index : index + 2], 16) for index in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


_AXIS = {
    "showgrid": True,
    "zeroline": False,
    "ticks": "",
    "automargin": True,
    "title": {"standoff": 4, "font": {"size": 11.5}},
}
#: Every axis of a figure, the second and third included.
LOOK = go.layout.Template(layout={"xaxis": _AXIS, "yaxis": _AXIS})


def wrapped(name: str, width: int = 12) -> str:
    """A name on several lines, each of at most `width` letters where its words allow: a mark below a narrow bar."""
    return "<br>".join(wrap(name, width, break_long_words=False, break_on_hyphens=False))


def figure(traces: list[Any], title: str = "", x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """A figure in the lab's look: small, dense, no background; `x` and `y` are the axes' titles."""
    plot = go.Figure(traces)
    plot.update_layout(
        template=LOOK,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 44, "r": 12, "t": 34 if title else 10, "b": 34},
        font={"size": 11.5},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right", "font": {"size": 11}},
        hoverlabel={"font": {"size": 11.5}},
        xaxis_title_text=x,
        yaxis_title_text=y,
        uirevision="keep",
    )
    if title:
        corner = {"x": 0.015, "xanchor": "left", "y": 0.97, "yanchor": "top"}
        corner |= {"xref": "container", "yref": "container"}
        plot.update_layout(title={"text": title, "font": {"size": 12.5}, **corner})
    plot.update_layout(**layout)
    return plot


assert set(FAMILY_COLOURS) == set(FAMILIES), "each family of methods needs its colour"
