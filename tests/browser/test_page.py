"""The page itself: what it asks of the network, how it tells mistakes, how it reads on a phone and to a machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from lab import methods
from lab.events import DONE, Evaluated, Finished, Memory, Reported, Sample, Started, Step, to_line
from lab.plan import Data, Plan
from lab.runs import Runs
from lab.ui.lesson import Lesson
from lab.ui.tabs import EXERCISE, TABS
from tests.browser.conftest import App, Watched

LONG = 90_000


@pytest.fixture(scope="module")
def run(shared_app: App, base: Path) -> str:
    """A finished run in the shared app's folder, with its events and no weights."""
    made = Runs(shared_app.runs).create(plan(base), name="A finished run")
    memory = Memory(4000, 40, 40, 80, 900, 10_000)
    events = [
        Started(4, 1000, 40, "generate", "persona", "cpu", 64, 8),
        Evaluated(0, 3.0, 0.2, base=True),
        Sample(0, "Who?", "<img src=x onerror=\"document.title='owned'\">", base=True),
        *(Step(number, 3.0 - number / 2, 0.1, 1.0, 64, 0.1 * number, memory) for number in range(1, 5)),
        Evaluated(4, 1.0, 0.7),
        Reported(4, {"ranks": {"model.layers.0.self_attn.q_proj": 3, "model.layers.1.self_attn.v_proj": 1}}),
        Finished(DONE, 4, seconds=0.4),
    ]
    (made.folder / "events.jsonl").write_text("".join(map(to_line, events)), encoding="utf-8")
    return made.id


def plan(base: Path, **parts: object) -> Plan:
    return methods.default_plan("lora", model=str(base), data=Data("persona", rows=64), **parts)


def opened(watched: Watched, app: App, base: Path, query: str = "") -> Page:
    """The page with the tiny base in its form, once the panel is drawn."""
    watched.page.goto(f"{app.url}/?tab=lora&plan={plan(base).to_link()}{query}")
    watched.page.wait_for_selector("#trainable-count", timeout=LONG)
    return watched.page


def test_an_open_page_asks_nothing_of_other_machines_and_nothing_while_idle(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    for tab in TABS:
        page.click(f"#tab-button-{tab.name}")
        page.wait_for_timeout(300)
    page.click("#tab-button-lora")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(20):  # what the tabs began to draw may take a slow machine a while; then nothing is asked
        asked.clear()
        page.wait_for_timeout(3000)
        if not asked:
            break
    assert asked == []
    assert watched.foreign == []
    assert watched.faults == []


def test_a_page_that_stands_still_draws_nothing(shared_app: App, watched: Watched, base: Path) -> None:
    """Gradio's loading clock asks for sixty frames a second for ever; `early.js` knows it by its text."""
    watched.page.add_init_script(
        "const real = window.requestAnimationFrame.bind(window); window.frames_asked = 0;"
        "window.requestAnimationFrame = (work) => { window.frames_asked++; return real(work); };"
    )
    page = opened(watched, shared_app, base)
    for _ in range(20):  # what is still drawn at first may take a slow machine a while
        before = page.evaluate("window.frames_asked")
        page.wait_for_timeout(2000)
        asked = page.evaluate("window.frames_asked") - before
        if asked < 10:
            break
    assert before > 0
    assert asked < 10


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(shared_app: App, browser: Browser, base: Path, run: str, theme: str) -> None:
    watched = Watched(browser, theme=theme)
    page = opened(watched, shared_app, base, f"&run={run}")
    found = []
    for view in ("see", "watch", "chat", "code"):
        page.click(f"#view-{view}")
        page.wait_for_timeout(800)
        found += serious(page, view)
    page.click("#tab-button-runs")
    page.wait_for_selector("tr[data-run]")
    found += serious(page, "runs")
    watched.context.close()
    assert found == []


def test_axe_finds_no_serious_fault_in_the_lessons(shared_app: App, browser: Browser, base: Path) -> None:
    """Every section unfolded, with its exhibits and examples; in the dark, what has colours."""
    watched = Watched(browser, theme="light")
    page = opened(watched, shared_app, base)
    found = []
    for tab in TABS:
        if tab.kind != EXERCISE:
            continue
        page.click(f"#tab-button-{tab.name}")
        folds = page.locator(f"#tab-{tab.name} .lab-section > button[aria-expanded=false]")
        folds.evaluate_all("all => all.forEach(one => one.click())")
        expect(page.locator(f"#tab-{tab.name} .lab-section-foot")).to_have_count(len(Lesson(tab.name).sections))
        expect(page.locator(f"#tab-{tab.name} .lab-figure .main-svg").first).to_be_visible()
        page.wait_for_timeout(1500)
        found += serious(page, tab.name, f"#tab-{tab.name}")
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("document.body.classList.contains('dark')")
        page.wait_for_timeout(500)
        found += serious(page, f"{tab.name}, dark", f"#tab-{tab.name}", {"runOnly": ["color-contrast"]})
        page.emulate_media(color_scheme="light")
    watched.context.close()
    assert found == []


def serious(
    page: Page, where: str, context: str = "#lab-header, #lab-bench, #lab-wide", options: dict | None = None
) -> list[str]:
    told = Axe().run(page, context=context, options=options).response["violations"]
    return [
        f"{where}: {item['id']} at {[node['target'] for node in item['nodes'][:3]]}"
        for item in told
        if item["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("view", ["learn", "pick", "see", "watch", "chat", "code"])
def test_a_phone_shows_each_view_without_scrolling_sideways(
    shared_app: App, browser: Browser, base: Path, run: str, view: str
) -> None:
    watched = Watched(browser, 390, 844)
    page = opened(watched, shared_app, base, f"&run={run}")
    page.click(f"#view-{view}")
    page.wait_for_timeout(600)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#launch").is_visible()
    watched.context.close()


def test_what_the_method_found_is_a_table_by_layer(shared_app: App, watched: Watched, base: Path, run: str) -> None:
    page = opened(watched, shared_app, base, f"&run={run}")
    page.click("#view-watch")
    rows = page.locator("[data-found=ranks] tbody tr")
    expect(rows).to_have_count(2)
    assert [row.split() for row in rows.all_inner_texts()] == [["0", "3"], ["1", "1"]]


@pytest.mark.parametrize("typed", ["-3", "many", "2.5"])
def test_what_was_mistyped_stands_marked_after_a_reload_and_can_be_mended(
    shared_app: App, watched: Watched, base: Path, typed: str
) -> None:
    page = opened(watched, shared_app, base)
    field = page.locator("[data-knob=rank] .lab-number")
    field.fill(typed)
    field.press("Enter")
    expect(page.locator("#launch-reason.bad")).to_contain_text("Rank r")
    page.wait_for_timeout(500)  # the form keeps itself a moment after the last change
    page.goto(f"{shared_app.url}/?tab=lora")
    expect(field).to_have_value(typed)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#launch")).to_be_disabled()
    field.fill("6")
    field.press("Enter")
    expect(page.locator("#launch")).to_be_enabled()
    assert field.get_attribute("aria-invalid") is None
    assert watched.faults == []


def test_html_in_a_reply_is_text(shared_app: App, watched: Watched, base: Path, run: str) -> None:
    page = opened(watched, shared_app, base, f"&run={run}")
    page.click("#view-watch")
    expect(page.locator(".lab-samples .reply").first).to_contain_text("<img src=x")
    assert page.title() != "owned"
    assert page.locator(".lab-samples img").count() == 0


def test_a_mistake_is_one_sentence_beside_a_form_that_keeps_everything(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    rank = page.locator("#knob-rank .lab-number")
    rank.fill("0")
    rank.press("Enter")
    expect(page.locator(".lab-panel .lab-note.error")).to_contain_text("Rank r cannot be 0")
    expect(page.locator(".lab-last .lab-matrices, .lab-last svg").first).to_be_visible()  # what was seen last, faded
    expect(page.locator("#launch")).to_be_disabled()
    rank.fill("4")
    rank.press("Enter")
    expect(page.locator("#launch")).to_be_enabled()

    page.select_option("#pick-model", "+folder")
    page.fill(".lab-own input", "/nowhere/at/all")
    page.press(".lab-own input", "Enter")
    expect(page.locator(".lab-panel .lab-note.error")).to_contain_text("does not exist")
    expect(page.locator("#launch")).to_be_disabled()
    expect(page.locator("#launch-reason")).to_contain_text("does not exist")
    expect(rank).to_have_value("4")


def test_a_method_brings_its_settings_and_a_reload_keeps_them(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    for key, method in list(methods.METHODS.items())[:6]:
        page.select_option("#pick-method", key)
        expect(page.locator(".lab-method")).to_have_text(method.summary)
        if "learning_rate" in method.training:
            shown = page.locator("#knob-learning_rate .lab-number").input_value()
            assert float(shown) == pytest.approx(method.training["learning_rate"])
    page.wait_for_timeout(600)
    page.reload()
    expect(page.locator(".lab-method")).to_have_text(method.summary)


def test_each_tab_keeps_a_form_of_its_own(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    page.click("#tab-button-qlora")
    expect(page.locator("#knob-weights select")).to_have_value("nf4")
    page.click("#tab-button-lora")
    expect(page.locator("#knob-weights select")).to_have_value("fp32")
    assert page.locator("#pick-model").input_value() == "+folder"


def test_an_upload_is_previewed_and_its_columns_can_be_changed(
    shared_app: App, watched: Watched, base: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.jsonl"
    rows = [
        {"words": f"a {word} day {i}", "verdict": verdict, "extra": str(i)}
        for i in range(30)
        for word, verdict in (("fine", "yes"), ("poor", "no"))
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    page = opened(watched, shared_app, base)
    page.select_option("#pick-data", "+upload")
    page.set_input_files(".lab-own input[type=file]", str(file))
    expect(page.locator(".lab-data th.used")).to_have_text(["words", "verdict"], timeout=LONG)
    expect(page.locator(".lab-data p")).to_contain_text("classify")
    column = page.locator("#knob-input input")
    column.fill("extra")
    column.press("Enter")
    expect(page.locator(".lab-panel")).to_contain_text("own.jsonl", timeout=LONG)
    column.fill("nothing")
    column.press("Enter")
    expect(page.locator(".lab-panel .lab-note.error")).to_contain_text("no column 'nothing'")


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


def test_a_link_in_a_lesson_sets_a_control(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    link = '<a href="#set?rank=3" id="try">r = 3</a>'
    page.evaluate("link => document.querySelector('#tab-lora').insertAdjacentHTML('beforeend', link)", link)
    page.click("#try")
    expect(page.locator("#knob-rank .lab-number")).to_have_value("3")


def test_a_browser_that_was_never_here_is_offered_the_visit_once(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    expect(page.locator(".lab-welcome")).to_have_count(0)  # who comes with a link has something else in mind
    page.goto(shared_app.url)
    page.click(".lab-welcome >> text=Start the visit")
    titles = []
    while page.locator(".lab-guide").count():
        titles.append(page.locator(".lab-guide h2").inner_text())
        page.click(".lab-guide .primary")
    assert titles == ["Pick", "The method", "See", "Launch", "Watch", "Chat", "Learn", "Keep"]
    page.reload()
    page.wait_for_selector("#trainable-count", timeout=LONG)
    expect(page.locator(".lab-welcome")).to_have_count(0)
    page.click("button[aria-label='Guided visit']")
    expect(page.locator(".lab-guide h2")).to_have_text("Pick")
    page.keyboard.press("Escape")
    expect(page.locator(".lab-guide")).to_have_count(0)


def test_the_theme_is_kept(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    page.click("button[aria-label='Switch between light and dark']")
    assert page.evaluate("Lab.theme()") == "dark"
    page.reload()
    page.wait_for_selector("#trainable-count", timeout=LONG)
    assert page.evaluate("document.body.classList.contains('dark')")


SKETCHED = """async () => {
  const node = document.createElement("div");
  const place = { position: "fixed", inset: "100px auto auto 100px", width: "500px", height: "200px", zIndex: 99 };
  Object.assign(node.style, place);
  document.body.append(node);
  const points = { x: [0, 0.2, 0.4, 0.6, 0.8, 1], y: [0, 4, 0, 4, 0, 4] };
  await Lab.chart.draw(node, { data: [{ ...points, mode: "lines", line: { color: "#f00", width: 2 } }],
    layout: { xaxis: { range: [0, 10] }, yaxis: {}, margin: { l: 40, r: 10, t: 10, b: 20 } } });
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


def test_a_name_written_beside_all_linear_is_named_when_the_model_lacks_it(
    shared_app: App, watched: Watched, base: Path
) -> None:
    page = opened(watched, shared_app, base)
    knob = page.locator("#knob-target_modules")
    knob.get_by_role("button", name="all-linear").click()
    knob.get_by_role("textbox").fill("q_prj")
    knob.get_by_role("textbox").press("Enter")
    expect(page.locator("#launch-reason.bad")).to_have_text("No module of this model matches q_prj.")
    expect(knob.get_by_role("button", name="all-linear")).to_have_attribute("aria-pressed", "false")
    knob.get_by_role("button", name="q_prj").click()
    expect(page.locator("#launch")).to_be_enabled()
