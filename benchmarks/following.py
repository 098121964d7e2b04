"""What an open page costs the training that it follows."""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks import browsers
from lab.plan import Plan
from lab.runs import Run, Runs

#: Steps of a turn that count, and those before them that do not: a browser that goes on catches up with its clocks.
WINDOW, BEFORE = 20, 6

#: Seconds that the page has been open when the run begins, as in front of a person who has picked something: what
#: opening a page leaves to be tidied up by the browser is no cost of following a run.
SETTLED = 30


class Followed(NamedTuple):
    """The time of training steps over that without the page, and what the browser takes of one processor, in ms/s."""

    ratio: float
    milliseconds: float


def follow(store: Runs, plan: Plan) -> Followed:
    """Train the plan in a lab whose page is open and follows it in turns: the browser runs, or all of it is stopped.

    Both in one run: whole runs drift by more than a page costs. Nobody drives the browser, since what listens to it
    for a test costs as much as the page.
    """
    from lab.ui.app import build, launch
    from lab.ui.bench import live
    from lab.ui.lab import Lab

    lab = Lab(store.folder)
    page = build(lab)
    address = launch(page, 7961)
    lab.warm_up().join()  # as app.py does
    ahead = lab.jobs.submit(plan)
    _until(ahead, 1)
    lab.jobs.pause(ahead.id)
    run = lab.jobs.submit(plan)  # waits for that one to end
    questions = 0
    answer = live.feed

    def counted(*asked: Any) -> dict[str, Any]:
        nonlocal questions
        questions += 1
        return answer(*asked)

    live.feed = counted
    try:
        with browsers.alone(f"{address}?tab=lora&run={run.id}") as browser:
            while not questions:
                time.sleep(0.1)
            time.sleep(SETTLED)
            lab.jobs.stop(ahead.id)
            _until(run, 1)
            questions = 0
            while questions < 3:  # its charts are drawn
                assert not run.history().finished, "the page did not follow the run"
                time.sleep(0.1)
            windows, asked, taken = [], [], []
            for turn, step in enumerate(
                range(run.history().step, plan.training.steps - WINDOW - BEFORE, WINDOW + BEFORE)
            ):
                browser.send(signal.SIGSTOP if turn % 2 else signal.SIGCONT)
                began = _until(run, step + BEFORE)
                before, used = questions, browser.used()
                windows.append(_until(run, step + BEFORE + WINDOW) - began)
                asked.append(questions - before)
                taken.append(browser.used() - used)
            browser.send(signal.SIGCONT)
            # A page that does not follow would cost nothing.
            assert sum(asked[::2]) >= len(asked[::2]) // 2, asked
            assert not sum(asked[1::2]), asked
    finally:
        live.feed = answer
        lab.close()
        page.close(verbose=False)
    return Followed(statistics.mean(in_turns(windows)), 1000 * sum(taken[::2]) / sum(windows[::2]))


def _until(run: Run, step: int) -> float:
    """The seconds of the run at a step, once it is made."""
    while len(run.history().steps) < step:
        time.sleep(0.02)
    return run.history().steps[step - 1].seconds


def in_turns(windows: Sequence[float]) -> list[float]:
    """Ratios of windows with (0, 2, …) to windows without (1, 3, …): each against the mean of its two neighbours."""
    found = []
    for place in range(1, len(windows) - 1):
        around = (windows[place - 1] + windows[place + 1]) / 2
        found.append(around / windows[place] if place % 2 else windows[place] / around)
    return found
