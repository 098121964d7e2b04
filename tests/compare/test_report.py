import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import plotly.graph_objects as go
import pytest

from lab.compare.axes import Axis, tick
from lab.compare.comparison import Comparison
from lab.compare.files import save
from lab.compare.report import figure_csv, plain, results_csv
from lab.compare.runner import Runner
from lab.compare.svg import svg
from lab.errors import LabError
from lab.plots.compare import ledger, overlay, pareto
from lab.plots.gallery import document
from lab.training.jobs import Jobs
from tests.compare.test_runner import spec
from tests.plots.test_compare import SOME

NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(figure: go.Figure) -> ET.Element:
    return ET.fromstring(svg(figure, "A <label>"))


def test_values_stand_where_their_axis_says():
    layout = go.Figure(layout={"xaxis": {"range": [0, 10]}}).layout.xaxis
    axis = Axis(layout, [2, 8], 100, 300)
    assert axis.at(0) == 100
    assert axis.at(5) == 200
    assert [value for value, _ in axis.ticks] == [0, 2, 4, 6, 8, 10]
    log = Axis(go.Figure(layout={"xaxis": {"type": "log"}}).layout.xaxis, [10, 1000], 0, 100)
    assert log.at(100) == pytest.approx(50)
    assert log.at(0) is None
    names = Axis(go.Figure().layout.xaxis, ["a", "b"], 0, 100)
    assert (names.at("a"), names.at("b"), names.at("c")) == (25, 75, None)


@pytest.mark.parametrize(
    ("value", "style", "text"), [(0.25, ".0%", "25%"), (1500, "~s", "1.5k"), (2e6, ".3s", "2M"), (0.5, "", "0.5")]
)
def test_marks_are_written_as_plotly_writes_them(value, style, text):
    assert tick(value, style) == text


def test_a_drawing_holds_every_line_point_and_bar():
    lines = drawn(overlay(SOME))
    assert len([p for p in lines.iter(f"{NAMESPACE}path") if p.get("stroke-linejoin")]) == len(SOME)
    points = drawn(pareto(SOME, "trainable", "score"))
    marks = [
        p for p in points.iter(f"{NAMESPACE}path") if p.find(f"{NAMESPACE}title") is not None and p.get("transform")
    ]
    assert len(marks) == 3
    titles = [mark.find(f"{NAMESPACE}title").text for mark in marks]
    assert any("LoRA" in title and "80.0%" in title for title in titles)
    # More parameters stand further right, a higher score higher up.
    places = {t.split("\n")[0]: re.findall(r"[\d.]+", m.get("transform"))[:2] for t, m in zip(titles, marks)}
    assert float(places["LoRA"][0]) < float(places["Full"][0])
    assert float(places["Full"][1]) < float(places["LoRA"][1])
    bars = drawn(ledger(SOME))
    widths = [float(item.get("width")) for item in bars.iter(f"{NAMESPACE}rect")]
    assert len(widths) == 6
    assert widths[3] == pytest.approx(widths[0] * 10, rel=0.02)


def test_a_gap_breaks_the_line_and_a_label_cannot_break_out():
    figure = go.Figure(
        go.Scatter(x=[1, 2, 3, 4], y=[1, None, 2, 3], mode="lines", name="<b>", line={"color": "#123456"})
    )
    made = drawn(figure)
    path = next(item for item in made.iter(f"{NAMESPACE}path") if item.get("stroke") == "#123456")
    assert path.get("d").count("M") == 2
    assert made.get("aria-label") == "A <label>"


class Closed(HTMLParser):
    """Whether every element that is opened is closed, and what is fetched from elsewhere."""

    VOID = {"meta", "input", "br", "path", "rect", "link", "img"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_report_is_one_file_that_fetches_nothing(llama, replies, store, tmp_path):
    wanted = spec(llama, replies, name="A </script> <b>bold</b> name", methods=["lora", "ia3", "bitfit"], seeds=2)
    made = Comparison.create(tmp_path / "c", wanted, store)
    jobs = Jobs(store)
    Runner(made, jobs).go()
    jobs.close()
    page = document(made)
    parser = Closed()
    parser.feed(page)
    assert parser.open == []
    assert parser.fetched == []
    assert "<b>bold</b>" not in page
    assert "BitFit could not be run" in page
    assert "Replies side by side" in page
    assert page.count("<svg") >= 4
    assert str(tmp_path) not in re.sub(r"<pre id='plan'>.*?</pre>", "", page, flags=re.S)
    rows = results_csv(made.outcomes()).splitlines()
    assert len(rows) == 1 + 6


def test_a_picture_as_csv_has_all_its_points():
    lines = figure_csv(overlay(SOME)).splitlines()
    assert lines[0] == "trace,x,y,value"
    assert len(lines) == 1 + 4 * len(SOME)


def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path, monkeypatch):
    import errno
    from pathlib import Path

    file = tmp_path / "report.html"
    save(file, "old")

    def full(self, text, encoding):
        with self.open("w") as opened:
            opened.write(text[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(LabError, match="No space left"):
        save(file, "new")
    assert file.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_no_cell_of_a_table_is_a_formula() -> None:
    for text in ("=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1"):
        assert plain(text) == f"'{text}"
    for cell in ("LoRA r=8", "", 1.5, -1.5):
        assert plain(cell) == cell
