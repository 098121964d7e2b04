from __future__ import annotations

import pytest

from lab.insight import blocks
from lab.insight.activations import Norms
from lab.insight.latency import BASE, BOTTLENECK, MERGED, UNMERGED, Timing
from lab.insight.storage import Storage
from lab.methods.bottleneck.method import BottleneckSettings as Settings
from lab.plan import GENERATE
from lab.plots import adapters as plots
from tests import tiny


def norm(module: str, layer: int = 0) -> Norms:
    return Norms(module, layer, before=4.0, added=1.0, after=4.5, cosine=0.1, silent=0.5, inner=(0.1, -0.2))


@pytest.mark.parametrize(("placement", "trapezoids"), [("houlsby", 4), ("pfeiffer", 2), ("parallel", 2)])
def test_the_block_shows_each_adapter_as_two_trapezoids(placement, trapezoids):
    parts = blocks.block(tiny.shape("llama", GENERATE), Settings(placement=placement, reduction_factor=4), 0)
    drawn = plots.block(parts)
    assert sum(item.type == "path" for item in drawn.layout.shapes) == trapezoids
    assert len(drawn.data[0].x) == len(parts), "everything can be pointed at"
    assert any("8 × 32" in text for text in drawn.data[0].text)


def test_the_waist_is_the_bottleneck_s_share_of_the_width():
    def waist(factor: float) -> float:
        parts = blocks.block(tiny.shape("llama", GENERATE), Settings(reduction_factor=factor), 0)
        path = next(item.path for item in plots.block(parts).layout.shapes if item.type == "path")
        inner = [float(point.split(",")[0].split()[-1]) for point in path.split(" L ")[2:]]
        return inner[0] - inner[1].real

    assert waist(2) == pytest.approx(2 * waist(4)) == pytest.approx(plots.HALF * 2 / 2)


def test_norms_stand_beside_the_adapter_that_they_belong_to():
    parts = blocks.block(tiny.shape("llama", GENERATE), Settings(), 0)
    module = next(part.module for part in parts if part.kind == blocks.ADAPTER)
    notes = [item.text for item in plots.block(parts, [norm(module)]).layout.annotations]
    assert any("4 → 4.5" in text and "25%" in text for text in notes)
    assert not any("25%" in item.text for item in plots.block(parts, [norm("elsewhere")]).layout.annotations)
    assert [list(trace.y) for trace in plots.norms([norm(module)]).data] == [[4.0], [1.0], [4.5]]


def test_the_histogram_lies_under_the_curve_only_where_there_are_values():
    xs, ys = blocks.curve("relu")
    assert len(plots.bend(xs, ys, "relu").data) == 1
    assert list(plots.bend(xs, ys, "relu", [0.5, -1.0]).data[1].x) == [0.5, -1.0]


def test_the_chosen_number_of_tasks_is_on_both_curves():
    storage = Storage(1000, 10)
    copies, shared, chosen = plots.tasks(storage, 37).data
    assert list(chosen.y) == [37_000, 1_370]
    assert 37 in copies.x
    assert list(shared.y)[-1] == 2_000


def test_the_paper_s_range_stands_only_where_it_was_measured():
    def timing(batch: int, length: int) -> Timing:
        return Timing(batch, length, {BASE: [1.0], UNMERGED: [1.1], MERGED: [1.0], BOTTLENECK: [1.3]})

    drawn = plots.latency([timing(1, 128), timing(4, 16)])
    assert [list(trace.y) for trace in drawn.data[:3]] == [pytest.approx([v, v]) for v in (0.1, 0.0, 0.3)]
    paper = drawn.data[3]
    assert list(paper.x) == ["batch 1<br>128 tokens"]
    assert paper.y[0] + paper.error_y.array[0] == pytest.approx(0.303)
    assert paper.y[0] - paper.error_y.array[0] == pytest.approx(0.207)
    assert len(plots.latency([timing(4, 16)]).data) == 3
