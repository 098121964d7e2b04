"""What the tests of the exercises do on a page: open a section, press a button, read what it says."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as Timeout

LONG = 240_000


class Lesson:
    """One tab of exercises on a page that is open."""

    def __init__(self, page: Page, tab: str) -> None:
        self.page, self.tab = page, tab

    def open(self, number: str) -> None:
        """Unfold a section."""
        section = self.page.locator(f"#section-{number.replace('.', '-')}")
        button = section.locator("button.label-wrap").first
        if "open" not in (button.get_attribute("class") or ""):
            button.dispatch_event("click")  # charts above may still be growing: nothing here stands still

    def press(self, elem_id: str) -> str:
        """Press the button of a measurement and wait until it is over; the sentence that stands beside it."""
        before = self.words(f"{elem_id}-said")
        self.page.locator(f"#{elem_id}").click()
        with suppress(Timeout):  # what was trained before may be there at once, with the same sentence
            self.page.wait_for_function(
                "([id, before]) => !document.querySelector(`#${id}-stop`).disabled || "
                "(document.querySelector(`#${id}-said [data-testid=markdown]`)?.innerText || '').trim() !== before",
                arg=[elem_id, before],
                timeout=15_000,
            )
        expect(self.page.locator(f"#{elem_id}-stop")).to_be_disabled(timeout=LONG)
        return self.words(f"{elem_id}-said")

    def words(self, elem_id: str) -> str:
        """What a text says now, without Gradio's own clock."""
        found = self.page.locator(f"#{elem_id} [data-testid=markdown]")
        return found.first.inner_text().strip() if found.count() else ""

    def text(self, elem_id: str, has: str = "") -> str:
        """What a text says, once it says `has` (or anything)."""
        place = self.page.locator(f"#{elem_id} [data-testid=markdown]").first
        expect(place).to_contain_text(re.compile(has or r"\S"), timeout=LONG)
        return place.inner_text().strip()

    def numbers(self, elem_id: str) -> list[float]:
        """The numbers in a text, thousands' commas taken out."""
        return [float(item) for item in re.findall(r"-?\d+(?:\.\d+)?", self.text(elem_id, r"\d").replace(",", ""))]

    def slide(self, elem_id: str, value: float) -> None:
        """Write a number beside a slider, as a person may."""
        field = self.page.locator(f"#{elem_id} input[type=number]")
        field.fill(f"{value:g}")
        field.press("Enter")
        field.blur()

    def pick(self, elem_id: str, label: str) -> None:
        """Choose one of several by its label."""
        self.page.locator(f"#{elem_id} label").filter(has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")).click()

    def drawn(self, elem_id: str, at_least: int = 1) -> list[list[float]]:
        """The heights (or x values) of the traces of a figure, once it has that many traces."""
        self.page.wait_for_function(
            f"() => (document.querySelector('#{elem_id} .lab-figure')?.data || []).length >= {at_least}", timeout=LONG
        )
        return self.page.evaluate(
            f"() => document.querySelector('#{elem_id} .lab-figure').data.map("
            "trace => Lab.values(trace.y || trace.z).flat())"
        )

    def changed(self, elem_id: str, before: str) -> str:
        """A text, once it is another than before."""
        self.page.wait_for_function(
            "([id, before]) => (document.querySelector(`#${id} [data-testid=markdown]`)?.innerText || before).trim()"
            " !== before",
            arg=[elem_id, before],
            timeout=LONG,
        )
        return self.words(elem_id)
