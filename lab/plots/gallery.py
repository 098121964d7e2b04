"""The pictures of a report, and the report itself."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lab.compare import report
from lab.compare.comparison import Comparison
from lab.compare.results import QUANTITIES, Outcome
from lab.plots.choices import heat, parallel, varied
from lab.plots.compare import ledger, overlay, pareto, said, scores

#: Points of a line in a report: it is read, not zoomed.
POINTS = 200


def pictures(outcomes: Sequence[Outcome]) -> list[tuple[str, str, go.Figure]]:
    """Each picture with its title and how to read it. What was not measured is left out."""
    figures: list[tuple[str, str, go.Figure | None]] = [
        ("Scores", "A point a seed, the mean larger; the dashed line is the untrained base.", scores(outcomes)),
        (
            "Score against trained parameters",
            "Up and left is better. Nothing beats the joined points in both.",
            pareto(outcomes, "trainable", "score"),
        ),
        (
            "Score against peak memory",
            "Bytes held at the peak of a step, counted exactly.",
            pareto(outcomes, "memory", "score"),
        ),
        (
            "Forgetting against score",
            "Bits per byte of general prose that were lost; 0 is the untrained base.",
            pareto(outcomes, "forgetting", "score", log_x=False),
        ),
        ("Everything at once", "A line an arm; up is better on every axis.", parallel(outcomes)),
        ("Peak memory by category", "The peak of each category; they do not all peak at once.", ledger(outcomes)),
        ("Training loss", "Smoothed; the loss of AdaLoRA holds a term of its own.", overlay(outcomes, points=POINTS)),
        ("Validation loss", "On rows that were held out.", overlay(outcomes, "held_out")),
    ]
    settings = [name for name in varied(outcomes) if "." not in name and name not in ("method", "model")]
    if len(settings) >= 2:
        figures.insert(
            4, (f"Score by {settings[0]} and {settings[1]}", "Means over seeds.", heat(outcomes, *settings[:2]))
        )
    return [(title, note, plot) for title, note, plot in figures if plot is not None and plot.data]


def document(comparison: Comparison) -> str:
    """The comparison as one HTML file."""
    drawn = [report.Picture(title, note, plot) for title, note, plot in pictures(comparison.outcomes())]
    return report.page(comparison, drawn, {name: (lambda value, name=name: said(name, value)) for name in QUANTITIES})
