"""Figures of the comparison: how fast it draws, filters and imports, and that its results do not depend on the order.

    python -m benchmarks.compare [--published FILE.csv] [--browser]

Draws 100 runs of 1,000 steps, filters them to one method, reads a table of published results beside them. With
`--browser` the same figure is drawn by plotly in Chromium as well (needs playwright; time on the clock there). Prints
medians of five; CPU time for what Python does.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.browsers import chromium
from lab.compare import published
from lab.compare.results import Curve, Outcome, arms, table
from lab.compare.verdict import verdict
from lab.events import DONE, Memory
from lab.methods import METHODS
from lab.plots.compare import overlay, pareto

RUNS, STEPS = 100, 1000


def run(number: int) -> Outcome:
    """One member with a thousand steps: its loss falls with a ripple of its own."""
    key = list(METHODS)[number % len(METHODS)]
    steps = range(1, STEPS + 1)
    loss = tuple(2 / math.sqrt(step) + 0.2 * math.sin(step * (number + 1) / 9) ** 2 for step in steps)
    curve = Curve(tuple(steps), tuple(350 * s for s in steps), tuple(0.1 * s for s in steps), loss)
    score = 0.5 + 0.4 * math.sin(number) ** 2
    memory = Memory(weights=10**8, adapter=10**5 * (number + 1), at_once=10**8 + 10**5 * (number + 1))
    return Outcome(
        str(number), f"{METHODS[key].title} {number // 15}", key, number % 3, DONE, run=str(number), score=score,
        loss=loss[-1], trainable=1000 * (number + 1), total=10**7, memory=memory.total, ledger=memory, seconds=100.0,
        bytes=4000 * (number + 1), steps=STEPS, tokens=350 * STEPS, rows=200, score_base=0.5, curve=curve,
    )  # fmt: skip


def timed(work: Callable[[], Any], times: int = 5) -> float:
    """Median CPU seconds of a call, after one that is not counted: other programs on the machine do not count."""
    work()
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return median(found)


def drawn_in_chromium(figure: Any, part: Any) -> tuple[float, float]:
    """Seconds that plotly takes in Chromium to draw a figure, and then to change it to another."""
    import plotly
    from playwright.sync_api import sync_playwright

    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    measure = """async ([data, layout, other]) => {
      const node = document.body.appendChild(document.createElement('div'));
      const timed = async (traces) => {
        const began = performance.now();
        await Plotly.react(node, traces, layout);
        await new Promise(requestAnimationFrame);
        return (performance.now() - began) / 1000;
      };
      return [await timed(data), await timed(other)];
    }"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=str(script))
        plain, other = json.loads(figure.to_json()), json.loads(part.to_json())
        took = [page.evaluate(measure, [plain["data"], plain["layout"], other["data"]]) for _ in range(3)]
        browser.close()
    return median(item[0] for item in took), median(item[1] for item in took)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--published", type=Path, metavar="FILE", help="a CSV table of published results")
    asked.add_argument("--browser", action="store_true", help="draw in Chromium, too")
    given = asked.parse_args()
    outcomes = [run(number) for number in range(RUNS)]
    one = [item for item in outcomes if item.method == "lora"]
    print(f"{RUNS} runs of {STEPS} steps")
    print(f"  overlay as plotly's JSON   {timed(lambda: overlay(outcomes).to_json()) * 1000:7.0f} ms")
    print(f"  the same, one method only  {timed(lambda: overlay(one).to_json()) * 1000:7.0f} ms")
    print(f"  Pareto picture             {timed(lambda: pareto(outcomes).to_json()) * 1000:7.0f} ms")
    print(f"  table and verdict          {timed(lambda: (table(arms(outcomes)), verdict(outcomes))) * 1000:7.0f} ms")
    if given.published:
        rows = published.read(given.published)
        text = given.published.read_text(encoding="utf-8")
        print(f"{len(rows)} published rows")
        print(f"  read                       {timed(lambda: published.parse(text)) * 1000:7.0f} ms")
        print(f"  drawn beside the own       {timed(lambda: pareto([*outcomes, *rows]).to_json()) * 1000:7.0f} ms")
    if given.browser:
        drawn, changed = drawn_in_chromium(overlay(outcomes), overlay(one))
        print(f"in Chromium: drawn in {drawn * 1000:.0f} ms, filtered in {changed * 1000:.0f} ms")


if __name__ == "__main__":
    main()
