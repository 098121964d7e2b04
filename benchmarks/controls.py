"""How soon an exercise's slider is answered: `python -m benchmarks.controls [--tabs why lora …]`.

In Chromium, on the embedded base: every section of a tab is unfolded, each slider is moved one step by the keyboard,
and the time on the clock until the first change of a picture, a table or a sentence in its section is taken; the
median of five steps. A slider that only sets up a button's work changes nothing and is told apart. Needs a quiet
machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.browsers import chromium
from lab.ui.app import build, launch
from lab.ui.lab import Lab
from lab.ui.tabs import EXERCISE, TABS

MOVES, LIMIT = 5, 3000

#: Moves the slider and resolves to the milliseconds until something else in its section changed; null if nothing did.
MOVE = """
async ([name, limit]) => {
  const slider = document.querySelector(`[data-timed="${name}"]`);
  const control = slider.closest(".block"), section = control.closest(".lab-section");
  const answer = new Promise((resolve) => {
    const began = performance.now();
    const seen = new MutationObserver((changes) => {
      const other = changes.some((c) => {
        const node = c.target.nodeType === 1 ? c.target : c.target.parentElement;
        return node && !control.contains(node) && node.closest(".lab-figure, .lab-words, .prose, table, svg, canvas");
      });
      if (other) { seen.disconnect(); requestAnimationFrame(() => resolve(performance.now() - began)); }
    });
    seen.observe(section, { subtree: true, childList: true, characterData: true, attributes: true });
    setTimeout(() => { seen.disconnect(); resolve(null); }, limit);
    const step = Number(slider.step) || 1, up = Number(slider.value) + step <= Number(slider.max);
    slider.value = String(Number(slider.value) + (up ? step : -step));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    slider.dispatchEvent(new Event("change", { bubbles: true }));
    slider.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
  });
  return await answer;
}
"""


def measured(page: Any) -> dict[str, float | None]:
    """Milliseconds by the slider's name; None where nothing on the page answers."""
    page.wait_for_selector("#trainable-count", timeout=60_000)
    for fold in page.locator(".lab-section > button.label-wrap:visible").all():
        if "open" not in (fold.get_attribute("class") or ""):
            fold.dispatch_event("click")
            page.wait_for_timeout(700)
    page.wait_for_timeout(3000)
    names = page.evaluate(
        "() => [...document.querySelectorAll('.lab-section input[type=range]')].filter((item) => item.offsetParent)"
        ".map((item) => (item.dataset.timed = item.getAttribute('aria-label').replace('range slider for ', '')"
        " + ', ' + item.closest('.lab-section').id.replace('section-', '').replace('-', '.')))"
    )
    found: dict[str, float | None] = {}
    for name in dict.fromkeys(names):
        taken = []
        for _ in range(MOVES):
            told = page.evaluate(MOVE, [name, LIMIT])
            if told is None:
                break
            taken.append(told)
            page.wait_for_timeout(400)
        found[name] = statistics.median(taken) if taken else None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.controls", description=__doc__.split("\n")[0])
    parser.add_argument("--tabs", nargs="*", default=[tab.name for tab in TABS if tab.kind == EXERCISE])
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder))
        app = build(lab)
        address = launch(app, 7964)
        try:
            with sync_playwright() as web:
                browser = web.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
                print("| tab | slider | ms |\n|---|---|---:|")
                every = []
                for tab in asked.tabs:
                    page = browser.new_page(viewport={"width": 1440, "height": 900})
                    page.goto(f"{address}?tab={tab}")
                    for name, told in measured(page).items():
                        every += [told] if told is not None else []
                        print(
                            f"| {tab} | {name} | {'sets up a button' if told is None else f'{told:.0f}'} |",
                            flush=True,
                        )
                    page.close()
                if every:
                    middle = statistics.median(every)
                    print(f"\n{len(every)} sliders; median {middle:.0f} ms, slowest {max(every):.0f} ms")
                browser.close()
        finally:
            lab.close()
            app.close(verbose=False)


if __name__ == "__main__":
    main()
