"""The examples that are kept: made with the controls as they stand at first, and shown by the present code."""

from __future__ import annotations

import gradio as gr
import plotly.graph_objects as go
import pytest

from benchmarks.exercises import BUTTONS, ITEMS, TIMED
from lab.ui import examples
from lab.ui.figure import Figure
from lab.ui.tabs import TABS
from tests.ui.exercise import Exercise


def test_every_button_has_its_example_and_no_example_has_lost_its_button() -> None:
    """What takes time itself is kept only from a machine that does nothing else."""
    kept = {item.stem for item in examples.FOLDER.glob("*.json")}
    assert BUTTONS - TIMED <= kept <= BUTTONS


def test_examples_are_small() -> None:
    sizes = [item.stat().st_size for item in examples.FOLDER.glob("*.json")]
    assert max(sizes) < 1_000_000
    assert sum(sizes) < 4_000_000


@pytest.mark.parametrize("tab", [tab for tab in TABS if any(tab.name == name for name, _ in ITEMS.values())],
                         ids=lambda tab: tab.name)  # fmt: skip
def test_the_settings_are_the_controls_own_and_the_parts_can_be_shown(tab, tmp_path) -> None:
    from lab.models.catalogue import DEFAULT

    page = Exercise(tab.build, tab.name, tmp_path / "runs", DEFAULT)
    for _, buttons in (item for item in ITEMS.values() if item[0] == tab.name):
        for button in buttons:
            kept = examples.load(button)
            if kept is None:
                continue
            assert kept.settings == {name: value for name, (_, value) in page.settings(button).items()}, button
            assert kept.parts, button
            column = page.by_name[f"{button}-example"]
            assert "**Example**" in column.children[0].value
            for item, part in zip(column.children[1:], kept.parts, strict=True):
                if isinstance(item, Figure):
                    go.Figure(part["figure"])  # plotly refuses what it does not know
                    assert item.postprocess(part) == part
                else:
                    assert isinstance(item, gr.Markdown)
                    assert part.strip()
    page.close()
