"""The main job as a person does it: pick, see, launch, watch, stop, chat, download, find again."""

from __future__ import annotations

import json
import zipfile
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from lab import methods
from lab.plan import Data, Training
from tests.browser.conftest import App, Watched

SECOND = 1000
LONG = 90 * SECOND


def link(app: App, base: Path, tab: str = "lora", steps: int = 100_000, source: str = "persona") -> str:
    """The address of a form with the tiny base: more steps than any test waits for, and no evaluation between."""
    training = Training(
        steps=steps, batch_size=4, accumulation=4, max_length=96, eval_every=0, eval_rows=2, learning_rate=1e-3
    )
    plan = methods.default_plan("lora", model=str(base), data=Data(source=source, rows=64), training=training)
    return f"{app.url}/?tab={tab}&plan={plan.to_link()}"


def count(page: Page) -> int:
    return int(page.locator("#trainable-count").get_attribute("data-count") or 0)


def points(page: Page) -> int:
    """The newest step that the charts show."""
    return int(page.locator(".lab-charts").get_attribute("data-step") or 0)


def drawn(page: Page) -> dict[str, tuple[int, int]]:
    """The rectangles of the first group: name to rows and columns of the tensor, and their size on the screen."""
    found = (
        page.locator(".lab-group")
        .first.locator("rect")
        .evaluate_all(
            "all => all.map(one => [one.dataset.tensor, +one.dataset.rows, +one.dataset.columns,"
            " one.width.baseVal.value, one.height.baseVal.value])"
        )
    )
    return {name: (rows, columns, width, height) for name, rows, columns, width, height in found}


def wait_for_points(page: Page, more_than: int) -> None:
    page.wait_for_function(
        f"() => Number(document.querySelector('.lab-charts')?.dataset.step || 0) > {more_than}", timeout=LONG
    )


def launched(page: Page, app: App, base: Path) -> str:
    """Open the page and have it train, until its first points are drawn; the run."""
    page.goto(link(app, base))
    page.wait_for_selector("#trainable-count", timeout=LONG)
    page.click("#launch")
    wait_for_points(page, 1)
    return chosen(page)


def chosen(page: Page) -> str:
    """The run that the page follows."""
    return str(page.evaluate("new URLSearchParams(location.search).get('run')"))


def second_in_line(page: Page) -> str:
    """Launch once more while something trains; the run."""
    page.click("#launch")
    expect(page.locator("#run-status")).to_contain_text("number 1 in line", timeout=LONG)
    return chosen(page)


def test_from_the_form_to_the_adapter_and_back(app: App, watched: Watched, base: Path) -> None:
    page = watched.page
    page.goto(link(app, base))

    # See: the counts and the rectangles follow the slider; the count is the one that peft reports.
    page.wait_for_selector("#trainable-count", timeout=LONG)
    before, rectangles = count(page), drawn(page)
    rank = page.locator("#knob-rank .lab-number")
    assert rank.input_value() == "8"
    page.locator("#knob-rank input[type=range]").focus()
    page.keyboard.press("PageUp")
    expect(rank).to_have_value("16")
    assert count(page) == 2 * before
    wider = drawn(page)
    assert wider["W"][:2] == rectangles["W"][:2]
    assert wider["B"][1] == 2 * rectangles["B"][1] == 16
    ratio = {name: size[2] / size[1] for name, size in wider.items() if size[1] > 16}
    assert max(ratio.values()) - min(ratio.values()) < 0.01, "W and A are drawn at one scale"

    # Launch, and points arrive.
    expect(page.locator("#launch")).to_be_enabled(timeout=LONG)
    page.click("#launch")
    wait_for_points(page, 3)
    run = chosen(page)

    # Reload in the middle: the same form, the same run, and its chart goes on.
    seen = points(page)
    page.reload()
    wait_for_points(page, seen)
    assert chosen(page) == run
    expect(page.locator("#knob-rank .lab-number")).to_have_value("16")
    wait_for_points(page, points(page))

    # A second tab of the browser shows it too.
    other = watched.new()
    other.goto(app.url)
    wait_for_points(other, seen)
    other.close()

    # Stop keeps what was learned.
    page.click("#stop")
    expect(page.locator("#run-status")).to_have_text("Stopped", timeout=LONG)
    expect(page.locator("#download")).to_be_visible()

    # Chat with base and adapter.
    page.click("#view-chat")
    page.fill("#bench-chat textarea", "Where does Ada live?")
    page.click("#chat-send")
    expect(page.locator("#bench-chat .lab-said")).to_be_visible()
    expect(page.locator("#chat-send")).to_be_visible(timeout=LONG)
    replies = page.locator(".lab-reply .text").all_inner_texts()
    assert len(replies) == 2
    assert page.locator("#bench-chat .lab-note.error").count() == 0

    # At strength 0 the adapter's side says exactly what the base says (to the same conversation: a new one).
    page.click("#bench-chat >> text=Clear")
    strength = page.locator("#bench-chat [data-knob=strength] .lab-number")
    strength.fill("0")
    strength.press("Enter")
    page.fill("#bench-chat textarea", "Who are you?")
    page.click("#chat-send")
    expect(page.locator("#chat-send")).to_be_visible(timeout=LONG)
    same = page.locator(".lab-reply .text").all_inner_texts()[-2:]
    assert same[0] == same[1]
    assert "strength 0" in page.locator(".lab-reply.mine").last.inner_text()

    # The dial is the adapter's: another run's begins where it was trained.
    page.select_option(".lab-which", "")
    page.select_option(".lab-which", run)
    expect(strength).to_have_value("1")

    # The adapter as peft saves it.
    with page.expect_download() as got:
        page.click("#download")
    with zipfile.ZipFile(got.value.path()) as archive:
        names = set(archive.namelist())
        assert {"adapter_config.json", "adapter_model.safetensors"} <= names
        assert json.loads(archive.read("adapter_config.json"))["r"] == 16

    # After a restart the run is in the table, and can be watched again.
    page.goto("about:blank")
    app.restart()
    page.goto(f"{app.url}/?tab=runs")
    row = page.locator(f"tr[data-run='{run}']")
    expect(row).to_contain_text("Stopped")
    row.locator(".lab-name").click()
    wait_for_points(page, 3)
    expect(page.locator("#continue")).to_be_visible()

    assert watched.foreign == []
    assert watched.faults == []


def test_a_second_launch_waits_its_turn_and_can_be_withdrawn(app: App, watched: Watched, base: Path) -> None:
    page = watched.page
    first = launched(page, app, base)

    # Pause holds it after its step; resume lets it go on.
    page.click("#pause")
    expect(page.locator("#run-status")).to_contain_text("Paused")
    page.wait_for_timeout(5 * SECOND)  # the step in course may end after that; a page on two cores asks every second
    held = points(page)
    page.wait_for_timeout(5 * SECOND)
    assert points(page) == held
    page.click("#pause")
    wait_for_points(page, held)

    assert second_in_line(page) != first
    expect(page.locator(".lab-header .words")).to_contain_text("1 waiting", timeout=LONG)
    page.click("#withdraw")
    expect(page.locator("#withdraw")).to_be_hidden(timeout=LONG)
    page.select_option(".lab-which", first)
    page.click("#stop")
    expect(page.locator("#run-status")).to_have_text("Stopped", timeout=LONG)
    assert sorted(item.name for item in app.runs.iterdir() if item.name[0] == "2") == [first]


def test_the_guided_visit_goes_on_by_itself_when_a_run_is_launched(app: App, watched: Watched, base: Path) -> None:
    page = watched.page
    page.goto(link(app, base))
    page.wait_for_selector("#trainable-count", timeout=LONG)
    page.click("button[aria-label='Guided visit']")
    title = page.locator(".lab-guide h2")
    for stop in ("Pick", "The method", "See"):
        expect(title).to_have_text(stop)
        page.click(".lab-guide .primary")
    expect(title).to_have_text("Launch")
    page.click("#launch")
    expect(title).to_have_text("Watch", timeout=LONG)


def test_a_run_that_waited_is_followed_when_its_turn_comes(app: App, watched: Watched, base: Path) -> None:
    page = watched.page
    first = launched(page, app, base)
    second_in_line(page)
    # As another page would: it tells this one nothing.
    page.evaluate("run => Lab.call('control', { run, action: 'stop' })", first)
    expect(page.locator("#run-status")).to_have_text("Training", timeout=LONG)
    wait_for_points(page, 1)


def test_an_answer_is_shown_step_by_step_until_the_next_question(app: App, watched: Watched, base: Path) -> None:
    page = watched.page
    launched(page, app, base)
    page.evaluate("""() => {
        window.told = [];
        const ask = window.fetch, extend = Lab.chart.extend;
        window.fetch = (...asked) => {
            if (String(asked[1]?.body).includes('"feed"')) told.push(null);
            return ask(...asked);
        };
        Lab.chart.extend = (node, points, rest) => {
            if (node.closest(".loss")) told.push(points[0][0]);
            return extend(node, points, rest);
        };
    }""")
    page.wait_for_function("told.filter((item) => item === null).length > 3", timeout=LONG)
    told = page.evaluate("told")
    asked = [place for place, item in enumerate(told) if item is None]
    answers = [told[begin + 1 : end] for begin, end in pairwise(asked)]
    for beats in answers:
        steps = sum(map(len, beats))
        assert len(beats) == min(4, steps), beats  # two seconds, in beats of half a one
    shown = [step for beats in answers for steps in beats for step in steps]
    assert shown == list(range(shown[0], shown[0] + len(shown)))
    # The figures say what the charts show, also between two answers.
    figure, places = page.evaluate("""() => [document.querySelector(".lab-readout dd").textContent, told.flat()]""")
    assert int(figure.split(" /")[0].replace(",", "")) in places


def test_another_run_chosen_while_points_are_drawn_gets_none_of_them(app: App, watched: Watched, base: Path) -> None:
    page = watched.page
    first = launched(page, app, base)
    page.click("#stop")
    expect(page.locator("#run-status")).to_have_text("Stopped", timeout=LONG)
    stopped = points(page)
    page.click("#launch")
    wait_for_points(page, stopped + 3)
    page.evaluate("""() => {
        const extend = Lab.chart.extend, gate = new Promise((open) => { window.openGate = open; });
        Lab.chart.extend = async (...more) => { window.atGate = true; await gate; return extend(...more); };
    }""")
    page.wait_for_function("window.atGate", timeout=LONG)
    page.select_option(".lab-which", first)
    page.wait_for_function(f"document.querySelector('.lab-charts').dataset.step === '{stopped}'", timeout=LONG)
    page.evaluate("""() => {
        const grid = document.querySelector('.lab-charts'), status = document.querySelector('#run-status');
        window.told = [];
        new MutationObserver(() => told.push([grid.dataset.step, status.textContent]))
            .observe(document.querySelector('.lab-stage'), { subtree: true, childList: true, attributes: true });
        openGate();
    }""")
    page.wait_for_timeout(1500)  # three beats
    told = page.evaluate("told")
    assert all(item == [str(stopped), "Stopped"] for item in told), told


def test_a_lost_answer_and_a_failed_drawing_do_not_end_the_following(app: App, watched: Watched, base: Path) -> None:
    page, lost = watched.page, []

    def lose(route: Route) -> None:
        asked = route.request.post_data_json
        mark = asked["fn_name"] == "feed" and asked["data"]["mark"]
        if mark and mark["step"] and not lost:
            lost.append(route)  # never answered
        else:
            route.continue_()

    page.route(lambda url: "component_server" in url, lose)
    page.goto(link(app, base))
    page.wait_for_selector("#trainable-count", timeout=LONG)
    page.evaluate("""() => {
        const draw = Lab.chart.draw;
        Lab.chart.draw = async () => { Lab.chart.draw = draw; throw new Error("once"); };
    }""")
    page.click("#launch")
    wait_for_points(page, 1)
    held = points(page)
    expect(page.locator(".lab-notes")).to_contain_text("does not answer", timeout=LONG)
    wait_for_points(page, held)
    assert len(lost) == 1
    expect(page.locator(".lab-notes")).to_be_empty()


def test_zoom_and_hidden_traces_survive_new_points(app: App, watched: Watched, base: Path) -> None:
    page = watched.page
    page.goto(link(app, base))
    page.wait_for_selector("#trainable-count", timeout=LONG)
    page.click("#launch")
    wait_for_points(page, 5)
    loss = ".lab-chart.loss .plot"
    page.locator(f"{loss} .legendtoggle").first.click()
    page.wait_for_timeout(600)  # plotly waits for a second click before it hides a trace
    page.evaluate(f"() => Lab.chart.relayout(document.querySelector('{loss}'), {{'xaxis.range': [1, 40]}})")
    before = points(page)
    wait_for_points(page, before + 3)
    state = page.evaluate(
        f"() => {{ const node = document.querySelector('{loss}');"
        " return {hidden: node.data[0].visible, range: node.layout.xaxis.range, points: node.data[0].x.length}; }"
    )
    assert state["hidden"] == "legendonly"
    assert state["range"] == [1, 40]
    assert state["points"] > before
    page.click("text=Log scale")
    assert page.evaluate(f"() => document.querySelector('{loss}').layout.yaxis.type") == "log"
    page.click("#stop")
    expect(page.locator("#run-status")).to_have_text("Stopped", timeout=LONG)
