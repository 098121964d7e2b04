"""`python -m benchmarks.many_runs`: how long lists of 10,000 runs take, on the page and on the command line.

Seconds are those of the wall and, in brackets, of the processor: a busy machine makes only the first ones longer.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.browsers import chromium
from lab import access, methods
from lab.events import DONE, Evaluated, Event, Finished, Memory, Saved, Stage, Started, Step, to_line
from lab.hosting.limits import Limits
from lab.runs import Runs
from lab.ui import run_table
from lab.ui.lab import Lab

ROOT = Path(__file__).parents[1]

#: Visitors among whom the runs of a shared lab are divided.
VISITORS = 100


def visitor(number: int) -> str:
    return f"{number:032x}"


def events() -> list[Event]:
    """The log of a run of 60 steps."""
    memory = Memory(54_000_000, 40_000, 40_000, 80_000, 90_000_000, 140_000_000, 900_000_000)
    steps = [Step(number, 3.0 / number, 1e-3, 1.0, 512, 0.1 * number, memory) for number in range(1, 61)]
    scores = [Evaluated(number, 1.0, 0.7, {"exact": 0.5}, 2.0) for number in (20, 40, 60)]
    start = [Stage("Loading the base"), Started(60, 13_570_944, 36_864, "generate", "persona", "cpu", 1600, 200)]
    return [*start, *steps, *scores, Saved(60, "adapter", 150_000), Finished(DONE, 60, seconds=7.0)]


def make(folder: Path, count: int) -> None:
    """So many finished runs, an hour old, as training leaves them."""
    plan, log = methods.default_plan("lora").to_dict(), "".join(map(to_line, events())).encode()
    now = time.time() - 3600 - count * 60
    for number in range(count):
        made = now + number * 60
        run = folder / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(made))}-{number:08x}"
        (run / "adapter").mkdir(parents=True)
        about = {"schema": 1, "id": run.name, "name": f"LoRA {number}", "created": made, "plan": plan}
        owner = {"owner": visitor(number % VISITORS)}
        (run / "run.json").write_text(json.dumps(about | owner), encoding="utf-8")
        (run / "events.jsonl").write_bytes(log)
        (run / "lock").touch()
        (run / "adapter" / "adapter_config.json").write_text("{}", encoding="utf-8")


def measured(work: Callable[[], Any], times: int = 1) -> str:
    """The fastest of so many times, in milliseconds."""
    found = []
    for _ in range(times):
        wall, used = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - wall, time.process_time() - used))
    wall, used = min(found)
    return f"{1000 * wall:,.0f} ms ({1000 * used:,.0f})"


def commanded(*words: str, times: int = 5) -> str:
    """The same of a command in a process of its own, from its start to its end."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    found = []
    for _ in range(times):
        wall, before = time.perf_counter(), used()
        subprocess.run([sys.executable, "-m", "lab", *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        found.append((time.perf_counter() - wall, used() - before))
    wall, spent = min(found)
    return f"{1000 * wall:,.0f} ms ({1000 * spent:,.0f})"


@contextmanager
def served(folder: Path, limits: Limits | None = None) -> Iterator[Lab]:
    lab = Lab(folder, limits)
    try:
        yield lab
    finally:
        lab.close()


def drawn(folder: Path) -> str:
    """Milliseconds from the tab's opening to its table, in Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import App

    app = App(folder).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page()
            page.goto(f"{app.url}/?tab=compare")
            page.wait_for_selector("#tab-button-runs")
            page.wait_for_timeout(3000)  # the page has settled
            began = time.perf_counter()
            page.click("#tab-button-runs")
            page.wait_for_selector("#tab-runs [data-run]")
            took = time.perf_counter() - began
            count = page.locator("[data-run]").count()
            browser.close()
        return f"{1000 * took:,.0f} ms for {count} rows"
    finally:
        app.stop()


def report(folder: Path, browser: bool) -> None:
    print("the first list of all, which reads every log:", measured(Runs(folder).rows))
    print("a list in a new process:", measured(lambda: Runs(folder).rows(), 5))
    store = Runs(folder)
    store.rows()
    print("a list again:", measured(store.rows, 5))
    with served(folder) as lab:
        run_table.runs(lab, {})
        print("the page's table:", measured(lambda: run_table.runs(lab, {}), 5))
        search: run_table.Shown = {"words": "lora 99", "sort": "name"}
        print("the page's table, searched and sorted:", measured(lambda: run_table.runs(lab, search), 5))
        sent = len(json.dumps(run_table.runs(lab, {})).encode())
        print(f"bytes sent: {sent:,}")
    with served(folder, replace(Limits(), runs=10**6, disk=10**15)) as lab, access.acting(visitor(7)):
        lab.runs.rows()
        print("a visitor's table:", measured(lambda: run_table.runs(lab, {}), 5))
        print("a visitor's quota, at each launch:", measured(lab.runs.room, 5))
    print("`runs` on the command line:", commanded("runs", "--runs", str(folder)))
    print("`runs --json` on the command line:", commanded("runs", "--json", "--runs", str(folder)))
    if browser:
        print("the table in Chromium:", drawn(folder))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_runs", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--browser", action="store_true", help="measure the drawing in Chromium too")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="many-runs-")) / "runs"
    try:
        make(folder, asked.runs)
        report(folder, asked.browser)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


if __name__ == "__main__":
    main()
