"""The parts of Gradio's page that our style and scripts name are there (`gradio.css`, `js/compat`)."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from lab.paths import ASSETS
from tests.browser.conftest import App, Watched, opened

#: The selectors of a style sheet that match nothing, without states and what is drawn beside an element.
MISSING = """(text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  const rules = [...sheet.cssRules].flatMap((rule) => rule.selectorText.split(/,(?![^(]*\\))/));
  const plain = (rule) => rule.trim().replace(/::\\w+|:focus-visible/g, "").replace(/ $/, " *");
  return rules.map(plain).filter((rule) => !document.querySelector(rule));
}"""


def test_every_part_that_the_style_names_is_on_the_page(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    css = (ASSETS / "css" / "gradio.css").read_text(encoding="utf-8")
    page.evaluate("document.querySelector('.lab-section').toggleAttribute('data-done', true)")
    missing = page.evaluate(MISSING, css)
    assert sorted(missing) == [".toast-body"], "\n".join(missing)
    # A question that does not arrive ends in Gradio's own message.
    page.click("#tab-button-why")
    page.route("**/queue/join*", lambda route: route.abort())
    page.click("#cost-measure")
    expect(page.locator(".toast-body").first).to_be_visible()


def test_an_accordion_says_whether_it_is_open(shared_app: App, watched: Watched, base: Path) -> None:
    page = opened(watched, shared_app, base)
    states = page.evaluate(
        """async () => {
          const section = document.querySelector("#tab-lora .lab-section");
          const { button, isOpen, clicked } = Lab.accordion;
          let named = null;
          document.addEventListener("click", (event) => (named = clicked(event, ".lab-section")), { once: true });
          const states = [isOpen(section)];
          for (let times = 0; times < 2; times++) {
            button(section).click();
            await new Promise((done) => setTimeout(done, 500));
            states.push(isOpen(section));
          }
          return [...states, named === section];
        }"""
    )
    assert states == [True, False, True, True]


def test_who_must_wait_at_the_door_is_told(tmp_path: Path, watched: Watched) -> None:
    app = App(tmp_path / "runs", "--auth", "ann:right").start()
    try:
        page = watched.page
        page.goto(app.url)
        page.locator("input[type=password]").fill("wrong")
        page.get_by_label("username").fill("ann")
        sentence = page.locator("#lab-wait")
        for _ in range(20):
            if sentence.count():
                break
            with page.expect_response("**/login"):
                page.get_by_role("button", name="Login").click()
            page.wait_for_timeout(300)
        expect(sentence).to_contain_text("These were many attempts: wait")
        assert sentence.get_attribute("role") == "alert"
        page.get_by_role("button", name="Login").click()
        page.wait_for_timeout(1000)
        expect(page.locator("#lab-wait")).to_have_count(1)
    finally:
        app.stop()
