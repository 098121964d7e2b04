"""What is shown of a run: its findings, its replies, its live charts, and its place in the list."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lab.events import DONE, STOPPED, Finished, to_line
from lab.plan import Data
from lab.runs import Runs
from lab.training.fingerprint import Fingerprint
from tests.browser.conftest import LONG, App, Watched, opened, plan


def test_what_the_method_found_is_a_table_by_layer(shared_app: App, watched: Watched, base: Path, run: str) -> None:
    page = opened(watched, shared_app, base, f"&run={run}")
    page.click("#view-watch")
    rows = page.locator("[data-found=ranks] tbody tr")
    expect(rows).to_have_count(2)
    assert [row.split() for row in rows.all_inner_texts()] == [["0", "3"], ["1", "1"]]


def test_a_link_to_a_run_shows_it_to_whoever_has_not_been_here(
    shared_app: App, watched: Watched, base: Path, run: str
) -> None:
    page = opened(watched, shared_app, base, f"&run={run}")
    expect(page.locator("#view-watch")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".lab-samples")).to_be_visible()
    page.click("#view-code")
    page = opened(watched, shared_app, base, f"&run={run}")
    expect(page.locator("#view-code")).to_have_attribute("aria-selected", "true")


def test_html_in_a_reply_is_text(shared_app: App, watched: Watched, base: Path, run: str) -> None:
    page = opened(watched, shared_app, base, f"&run={run}")
    page.click("#view-watch")
    expect(page.locator(".lab-samples .reply").first).to_contain_text("<img src=x")
    assert page.title() != "owned"
    assert page.locator(".lab-samples img").count() == 0


def test_a_chart_that_was_drawn_out_of_sight_has_no_band_above_it(
    shared_app: App, watched: Watched, base: Path, run: str
) -> None:
    """The room for the legend is that of the width in which the chart is seen."""
    opened(watched, shared_app, base).click("#view-see")
    page = opened(watched, shared_app, base, f"&run={run}")
    page.wait_for_function("document.querySelector('.lab-chart.loss .plot')?.layout")
    assert page.locator(".lab-chart.loss").is_hidden()
    page.click("#view-watch")
    page.wait_for_function("document.querySelector('.lab-chart.loss .plot')._fullLayout.margin.t === 8 + 19")


SKETCHED = """async () => {
  const node = document.createElement("div");
  const place = { position: "fixed", inset: "100px auto auto 100px", width: "500px", height: "200px", zIndex: 99 };
  Object.assign(node.style, place);
  document.body.append(node);
  const points = { x: [0, 0.2, 0.4, 0.6, 0.8, 1], y: [0, 4, 0, 4, 0, 4] };
  await Lab.chart.draw(node, { data: [{ ...points, mode: "lines", line: { color: "#f00", width: 2 } }],
    layout: { xaxis: { range: [0, 10] }, yaxis: {}, margin: { l: 40, r: 10, t: 10, b: 20, autoexpand: false } } });
  window.grown = node;
  const REST = 1e6;
  const look = () => {
    const pen = node.labSketch.getContext("2d"), { width, height } = node.labSketch;
    const pixels = pen.getImageData(0, 0, width, height).data;
    let right = -1, top = -1;
    for (let at = 3; at < pixels.length; at += 4) {
      if (!pixels[at]) continue;
      const place = (at - 3) / 4;
      right = Math.max(right, place % width);
      if (top < 0) top = Math.floor(place / width);
    }
    return { right, top, waits: Boolean(node.labWaiting), drawn: node.data[0].x.length };
  };
  const { xaxis, yaxis } = node._fullLayout;
  const at = (x, y) => [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
  await Lab.chart.extend(node, [[[2, 3], [1, 3]]], REST);
  const inside = { ...look(), at: at(3, 4) };
  await Lab.chart.extend(node, [[[4], [9]]], REST);
  const outside = look();
  await Lab.chart.flush(node);
  const flushed = look();
  await Lab.chart.extend(node, [[[5], [7]]], REST);
  return { inside, outside, flushed, again: look() };
}"""


PLACES = """async () => {
  const kinds = { fixed: {}, log: { type: "log" }, given: { range: [-2, 9] } }, found = {};
  for (const [kind, yaxis] of Object.entries(kinds)) {
    const node = document.createElement("div");
    const place = { position: "fixed", inset: "100px auto auto 100px", width: "500.4px", height: "200.6px" };
    Object.assign(node.style, place);
    document.body.append(node);
    const margin = { l: 40, r: 10, t: 27, b: 20, autoexpand: false };
    await Lab.chart.draw(node, { data: [{ x: [0, 1, 2], y: [1, 7, 3], mode: "lines" }],
      layout: { xaxis: { range: [0, 10] }, yaxis, margin } });
    const { xaxis: x, yaxis: y } = node._fullLayout;
    const area = Lab.plotArea(node, { width: node.clientWidth, height: node.clientHeight });
    found[kind] = [[0.5, 2], [2, 5], [9, 8]].map((point) => [
      [x._offset + x.d2p(point[0]), y._offset + y.d2p(point[1])],
      [area.left + area.x(point[0]), area.top + area.y(point[1])]]);
    Lab.chart.clear(node);
    found.empty = Lab.plotArea(node, { width: 500, height: 200 });
    node.remove();
  }
  found.fitted = Lab.plotArea({ layout: { margin: {}, xaxis: { range: [0, 1] }, yaxis: { range: [0, 1] } } }, {});
  return found;
}"""


def test_points_are_placed_where_plotly_places_them(shared_app: App, watched: Watched, base: Path) -> None:
    found = opened(watched, shared_app, base).evaluate(PLACES)
    assert (found.pop("empty"), found.pop("fitted")) == (None, None)
    for kind, points in found.items():
        for plotly, ours in points:
            assert ours == pytest.approx(plotly, abs=1), kind
    assert watched.faults == []


def test_what_a_chart_got_since_plotly_drew_it_is_sketched_where_plotly_will_draw_it(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    page.mouse.move(0, 0)
    found = page.evaluate(SKETCHED)
    right, top = found["inside"]["at"]
    assert abs(found["inside"]["right"] - right) <= 2
    assert abs(found["inside"]["top"] - top) <= 2
    assert found["inside"]["waits"]
    assert found["inside"]["drawn"] == 6
    assert found["outside"]["waits"], "a point outside waits for plotly's next drawing"
    assert found["flushed"] == {"right": -1, "top": -1, "waits": False, "drawn": 9}, (
        "plotly has it, the sketch is gone"
    )
    assert found["again"]["waits"]
    assert found["again"]["right"] > found["inside"]["right"]

    # Who points at the chart sees all of it by plotly, with its labels.
    page.mouse.move(300, 200)
    page.wait_for_function("() => !grown.labWaiting && grown.data[0].x.length === 10")
    assert watched.faults == []


def test_of_many_runs_the_newest_are_sent_and_more_when_asked(
    app: App, watched: Watched, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Runs(app.runs)
    first = store.create(plan(base), name="Number 0")
    for number in range(1, 450):
        folder = app.runs / f"{number:03d}"
        folder.mkdir()
        about = json.loads((first.folder / "run.json").read_text())
        about |= {"name": f"Number {number}", "created": about["created"] + number}
        (folder / "run.json").write_text(json.dumps(about))
    (app.runs / "007" / "run.json").write_text("{")
    page = watched.page
    page.goto(f"{app.url}/?tab=runs")
    names, more = page.locator(".lab-name"), page.locator("#runs-more")
    expect(page.locator("#runs-count")).to_have_text("450 of 450")
    expect(names).to_have_count(200)
    expect(more).to_have_text("Show 200 more of 250")
    more.click()
    expect(names).to_have_count(400)
    more.click()
    expect(names).to_have_count(450)
    expect(more).to_be_hidden()
    page.fill(".lab-runs input[type=search]", "damaged")
    expect(names).to_have_text(["007"])
    expect(page.locator("tr[data-run='007'] button:visible")).to_have_text(["007", "Delete"])
    page.fill(".lab-runs input[type=search]", "number 44")
    expect(page.locator("#runs-count")).to_have_text("14 of 450")
    page.fill(".lab-runs input[type=search]", "")
    page.click("th[data-column=name] button")
    expect(names.first).to_have_text("007")
    expect(names).to_have_count(200)

    page.goto(f"{app.url}/?tab=lora&plan={plan(base).to_link()}&run={first.id}")
    which = page.locator("select.lab-which")
    expect(which).to_have_value(first.id)
    expect(which.locator("option")).to_have_count(1 + 100 + 1 + 1)
    expect(which.locator("option").last).to_have_text("349 older ones are in the table of runs")
    assert watched.faults == []


def test_a_run_is_found_renamed_opened_as_a_form_and_deleted(app: App, watched: Watched, base: Path) -> None:
    runs = Runs(app.runs)
    for name in ("First", "Second"):
        made = runs.create(plan(base, seed=5), name=name)
        (made.folder / "events.jsonl").write_text(to_line(Finished(DONE, 0)), encoding="utf-8")
    page = watched.page
    page.goto(f"{app.url}/?tab=runs")
    names = page.locator(".lab-name")
    expect(names).to_have_count(2)
    page.click("th[data-column=name] button")
    expect(names).to_have_text(["First", "Second"])
    page.click("th[data-column=name] button")
    expect(names).to_have_text(["Second", "First"])
    page.fill(".lab-runs input[type=search]", "first")
    expect(names).to_have_text(["First"])

    page.click("button[aria-label='Rename: First']")
    page.fill("input[aria-label='New name']", "The first <b>one</b>")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["The first <b>one</b>"])

    page.click("button[aria-label^='Delete']")
    page.click("dialog >> text=Cancel")
    expect(names).to_have_count(1)
    page.click("button[aria-label^='Delete']")
    page.click("dialog .danger")
    expect(names).to_have_count(0)
    page.fill(".lab-runs input[type=search]", "")
    expect(names).to_have_text(["Second"])

    page.click("button[aria-label='Open as a form: Second']")
    page.wait_for_selector("#trainable-count", timeout=LONG)
    assert page.evaluate("Lab.plan().seed") == 5


def test_a_run_whose_data_changed_asks_before_it_goes_on(
    app: App, watched: Watched, base: Path, tmp_path: Path
) -> None:
    rows = [{"prompt": f"say {number}", "reply": f"{number}!"} for number in range(95)]
    file = tmp_path / "rows.jsonl"

    def write(count: int) -> None:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows[:count]), encoding="utf-8")

    write(80)
    run = Runs(app.runs).create(replace(plan(base), data=Data(str(file))), name="Changed")
    run.note(fingerprint=asdict(Fingerprint.of(run.plan)))
    (run.folder / "checkpoint").mkdir()  # of nothing: that it fails later shows that it was tried
    (run.folder / "events.jsonl").write_text(to_line(Finished(STOPPED, 2)), encoding="utf-8")
    write(95)
    page = watched.page
    page.goto(f"{app.url}/?tab=runs")
    resume = page.locator("button[aria-label='Continue: Changed']")
    resume.click()
    question = page.get_by_role("dialog", name="Continue anyway?")
    expect(question).to_contain_text("The data changed since this run began: 80 rows then, 95 now.")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_have_count(0)
    assert run.status == STOPPED

    page.click("button[title='Watch this run']")
    page.click("#continue")
    question.get_by_role("button", name="Continue").click()
    expect(page.locator("#run-status")).to_have_text("Failed", timeout=LONG)
    assert "checkpoint" in run.history().finished.error
    assert watched.faults == []
