import base64
import gzip
import json
import re
from html.parser import HTMLParser

import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from lab.compare.comparison import Comparison
from lab.compare.files import save
from lab.compare.report import figure_csv, figure_table, plain, plotly, results_csv
from lab.compare.runner import Runner
from lab.errors import LabError
from lab.plots.compare import ledger, overlay, pareto
from lab.plots.gallery import document
from lab.training.jobs import Jobs
from tests.compare.test_runner import spec
from tests.plots.test_compare import SOME


def test_a_figure_is_a_table_beside_its_chart():
    points = figure_table(pareto(SOME, "trainable", "score"))
    assert "<th scope='col'>Trained parameters</th>" in points
    assert "<td>LoRA</td>" in points
    bars = figure_table(ledger(SOME))
    assert bars.count("<tr>") == 1 + len(list(figure_csv(ledger(SOME)).splitlines())) - 1
    cells = go.Figure(go.Heatmap(x=["a"], y=["b"], z=[[0.5]]))
    assert "<td>a</td><td>b</td><td class='n'>0.5</td>" in figure_table(cells)


def test_of_long_lines_the_table_has_ends_and_extremes():
    ys = [5.0, 9.0, *[3.0] * 300, 1.0, 4.0]
    long = go.Figure(go.Scatter(x=list(range(len(ys))), y=ys, name="<b>"))
    rows = re.findall(
        r"<tr><td>&lt;b&gt;</td><td class='n'>([\d,]+)</td><td class='n'>(\d+)</td></tr>", figure_table(long)
    )
    assert rows == [("0", "5"), ("1", "9"), ("302", "1"), ("303", "4")]


def test_plotly_is_packed_into_the_file():
    assert gzip.decompress(base64.b64decode(plotly())).decode("utf-8") == get_plotlyjs()


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
    charts = [json.loads(text) for text in re.findall(r"<script type='application/json'>(.*?)</script>", page, re.S)]
    assert len(charts) >= 4
    assert all(chart["data"] for chart in charts)
    assert page.count("<summary>Values</summary>") == len(charts)
    assert len(page) < 5 * 10**6
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
