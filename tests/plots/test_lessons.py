"""The pictures of lessons 1, 2 and 5 show the numbers that they are given."""

from __future__ import annotations

import pytest

from lab.events import Memory
from lab.plots import cost, lora, quantization, spectrum


def test_memory_is_stacked_by_category_with_its_capacities():
    rows = [
        ("full", Memory(weights=4, gradients=4, optimizer=8, activations=2)),
        ("few", Memory(weights=4, adapter=1)),
    ]
    made = cost.memory_bars(rows, [("card", 10), ("too far to draw", 1000)])
    assert {trace.name: list(trace.x) for trace in made.data}["Optimizer"] == [8, 0]
    assert made.layout.barmode == "stack"
    assert [line.x0 for line in made.layout.shapes] == [10]


def test_the_map_colours_by_what_is_trained():
    nodes = [
        {"id": "m", "parent": "", "label": "m", "count": 100, "trained": 1},
        {"id": "m.a", "parent": "m", "label": "a", "count": 99, "trained": 0},
        {"id": "m.b", "parent": "m", "label": "b", "count": 1, "trained": 1},
    ]
    (trace,) = cost.treemap(nodes, "#0072b2").data
    root, frozen, trained = trace.marker.colors
    assert trained == "#0072b2"
    assert root not in (frozen, trained)
    assert list(trace.values) == [100, 99, 1]
    assert cost.mixed("#000000", "#ffffff", 0.5) == "#808080"


def test_storage_and_panels_keep_their_values():
    made = cost.storage([1, 10], [5, 50], [5, 6], "#0072b2", 10)
    assert [list(trace.y) for trace in made.data] == [[5, 50], [5, 6]]
    small = cost.panels(["a", "b"], ["x", "y"], [[1, None], [2, 3]], ["#000000", "#111111"], [".1f", ".1f"])
    assert [list(trace.y) for trace in small.data] == [[1], [2, 3]]
    assert [list(trace.x) for trace in small.data] == [["x"], ["x", "y"]]


def test_matrices_are_drawn_to_one_scale():
    w, b, a = lora.to_scale(64, 96, 8, "#0072b2").data
    sizes = [(max(t.x) - min(t.x), max(t.y) - min(t.y)) for t in (w, b, a)]
    assert [value for size in sizes for value in size] == pytest.approx([96, 64, 8, 64, 96, 8])


def test_the_break_even_is_where_the_lines_meet():
    made = lora.break_even(64, 64, 40, "#0072b2")
    assert "32.0" in made.layout.title.text
    ba, w, chosen = made.data
    assert dict(zip(ba.x, ba.y))[32] == w.y[0] == 64 * 64
    assert list(chosen.y) == [40 * 128]


def test_energy_heat_and_scores():
    made = spectrum.energy([("ΔW", [0.5, 1.0], "#0072b2", "solid")], 2, "")
    assert list(made.data[0].x) == [1, 2]
    heat = spectrum.heat([[1, None]], ["r"], ["a", "b"], "", ".0f").data[0]
    assert heat.z[0][1] is None
    assert list(heat.x) == ["a", "b"]
    points = spectrum.scores([("LoRA", "lora", 100, 0.9, "#0072b2")], 0.5, "accuracy")
    assert list(points.data[0].x) == [100]
    assert points.layout.shapes[0].y0 == 0.5
    assert spectrum.matrix([[0, -2], [1, 0]], "").data[0].zmax == 2


def test_levels_stand_where_they_are():
    made = quantization.histogram([-1, 0, 1], [10, 20], [-0.5, 0.5], [1, 2])
    assert list(made.data[0].x) == [-0.5, 0.5]
    lines = made.data[1]
    assert list(lines.x)[::3] == [-0.5, 0.5]
    assert max(y for y in lines.y if y is not None) == 20
    several = quantization.families([("NF4", [0.1, 0.2], "#009e73"), ("int4", [0.3], "#e69f00")], 0.3)
    assert [list(trace.x) for trace in several.data[1:]] == [[0.3], [0.1, 0.2]]


def test_curves_bars_and_paging():
    made = quantization.curves([("bf16", [1, 2], [3.0, 2.0])], "", "")
    assert made.data[0].line.color == quantization.STORED["bf16"][0]
    assert list(quantization.bars(["nf4"], [0.1], "", ".1%").data[0].y) == [0.1]
    both = quantization.compare_bytes(["fp32"], [4], [5]).data
    assert [list(trace.y) for trace in both] == [[4], [5]]
    paged = quantization.paging([128, 256], [50, 60], [0, 5], 55)
    assert paged.layout.shapes[0].y0 == 55
    assert list(paged.data[1].y) == [0, 5]
