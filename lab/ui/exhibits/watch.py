"""A button that measures, in whatever time it takes: started by a click, watched by a timer, stopped by a click.

Two kinds of work are watched: runs that train in the lab's queue, and measurements on a thread of their own. Neither
lives in an event of the page: closing the page stops neither, and no event waits for it.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import gradio as gr

from lab import access
from lab.errors import LabError
from lab.plan import Plan
from lab.runs import Row, Run
from lab.ui import examples
from lab.ui.guard import told
from lab.ui.lab import Lab
from lab.ui.listeners import listen

#: Seconds between two looks at work that goes on.
EVERY = 0.7

#: Measurements on threads that are remembered.
KEPT = 32


@dataclass(frozen=True)
class Seen:
    """What a look finds: a sentence, whether it is over, and the value so far (None while there is nothing)."""

    text: str
    over: bool
    value: Any = None


class Work(Protocol):
    """What a button can start. `arguments` are the values of the exhibit's controls; `ids` name what was started."""

    def start(self, *arguments: Any) -> list[str]: ...

    def look(self, ids: list[str]) -> Seen: ...

    def stop(self, ids: list[str]) -> None: ...

    def last(self) -> list[str]:
        """What was started before and may be shown at once."""


@dataclass
class Trials:
    """Plans that train in the queue, one after the other; the value is the runs by their labels.

    A plan that was trained before is not trained again. `title` begins the runs' names, by which they are found when
    the page is opened the next time.
    """

    lab: Lab
    title: str
    plans: Callable[..., dict[str, Plan]]

    def start(self, *arguments: Any) -> list[str]:
        runs = self.lab.runs.where(self.titled, status="done")
        done = {(run.name, str(run.plan.to_dict())): run.id for run in runs}
        found = []
        for label, plan in self.plans(*arguments).items():
            name = f"{self.title} · {label}"
            known = done.get((name, str(plan.to_dict())))
            found.append(known or self.lab.jobs.submit(plan, name=name).id)
        return found

    def runs(self, ids: list[str]) -> dict[str, Run]:
        """The runs that still exist, by their labels."""
        found = {}
        for key in ids:
            try:
                run = self.lab.runs.get(key)
                found[run.name.removeprefix(f"{self.title} · ")] = run
            except LabError:
                continue  # deleted meanwhile
        return found

    def look(self, ids: list[str]) -> Seen:
        runs = self.runs(ids)
        places = {label: self.lab.jobs.place(run.id) for label, run in runs.items()}
        open_ = [label for label, place in places.items() if place is not None]
        done = len(runs) - len(open_)
        now = next((label for label, place in places.items() if place == 0), None)
        if now is not None:
            history = runs[now].history()
            steps = history.started.steps if history.started else runs[now].plan.training.steps
            text = f"{done} of {len(runs)} trained. Now {now}: {history.stage or 'step'} {history.step} of {steps}."
        elif open_:
            ahead = min(place for place in places.values() if place is not None)
            text = f"{done} of {len(runs)} trained. {ahead} in line before the next one."
        else:
            ends = [run.history().finished for run in runs.values()]
            errors = [end.error for end in ends if end]
            text = next(filter(None, errors), "") or (f"Trained: {', '.join(runs)}." if runs else "")
        return Seen(text, not open_, runs or None)

    def stop(self, ids: list[str]) -> None:
        # The waiting ones first, so that none begins while the others are stopped.
        for run in reversed(list(self.runs(ids).values())):
            place = self.lab.jobs.place(run.id)
            try:
                if place:
                    self.lab.jobs.withdraw(run.id)
            except LabError:
                place = 0  # it began just now
            if place == 0:
                self.lab.jobs.stop(run.id)

    def titled(self, row: Row) -> bool:
        """Whether a run bears this title."""
        return bool(row["name"].startswith(f"{self.title} · "))

    def kept(self) -> list[Run]:
        """The runs of this title that train, or have saved an adapter, newest first."""
        return [run for run in self.lab.runs.where(self.titled) if run.busy or (run.folder / "adapter").is_dir()]

    def last(self) -> list[str]:
        """The newest runs of this title that share base, data and length, one for each label."""
        mine = self.kept()
        found: dict[str, str] = {}
        for run in mine:
            plan, first = run.plan, mine[0].plan
            same = (plan.model, plan.data.source, plan.training.steps) == (
                first.model, first.data.source, first.training.steps)  # fmt: skip
            if same:
                found.setdefault(run.name, run.id)
        return list(found.values())


@dataclass
class _Measured:
    items: list[Any] = field(default_factory=list)
    error: str = ""
    over: bool = False
    stop: threading.Event = field(default_factory=threading.Event)


class Measurement:
    """A generator that is pumped on a thread; the value is the list of what it has yielded.

    `work(*arguments, stop)` is asked to end by the event `stop`; `said(items)` is the sentence of the progress.
    """

    def __init__(self, work: Callable[..., Iterator[Any]], said: Callable[[list[Any]], str] | None = None) -> None:
        self.work = work
        self.said = said or (lambda items: "")
        self._known: OrderedDict[str, _Measured] = OrderedDict()

    def start(self, *arguments: Any) -> list[str]:
        key, state = uuid.uuid4().hex, _Measured()
        self._known[key] = state
        while len(self._known) > KEPT:
            self._known.popitem(last=False)[1].stop.set()
        access.thread(self._pump, "measurement", state, arguments)
        return [key]

    def _pump(self, state: _Measured, arguments: tuple[Any, ...]) -> None:
        try:
            with access.rules().measuring() as seconds:
                end = time.monotonic() + seconds
                for item in self.work(*arguments, state.stop):
                    if state.stop.is_set():
                        break
                    state.items.append(item)
                    if time.monotonic() > end:
                        raise LabError("The measurement took longer than a shared lab allows.", "Measure less.")
        except Exception as error:
            words = told(error)
            state.error = f"{words['message']} {words['hint']}"
        finally:
            state.over = True

    def look(self, ids: list[str]) -> Seen:
        state = self._known.get(ids[0]) if ids else None
        if state is None:
            return Seen("", True)
        over, items = state.over, list(state.items)
        if state.error:
            return Seen(state.error, True, items or None)
        if state.stop.is_set():
            return Seen("Stopped.", True, items or None)
        return Seen(self.said(items) if items or over else "Measuring …", over, items or None)

    def stop(self, ids: list[str]) -> None:
        for key in ids:
            if key in self._known:
                self._known[key].stop.set()

    def last(self) -> list[str]:
        return []


def button(
    lab: Lab,
    tab: str,
    label: str,
    work: Work,
    inputs: list[Any],
    outputs: list[Any],
    show: Callable[[Any], Any],
    elem_id: str,
) -> gr.Button:
    """Place the button with its stop button and its sentence; `show(value)` gives the outputs' values.

    What was measured before is shown when the tab is opened; until then, what `lab.ui.examples` keeps of this button.
    Returns the button that starts.
    """
    with gr.Row(elem_classes="lab-measure"):
        start = gr.Button(label, variant="primary", size="sm", elem_id=elem_id, scale=4, min_width=150)
        stop = gr.Button("Stop", size="sm", elem_id=f"{elem_id}-stop", interactive=False, scale=1, min_width=64)
    said = gr.Markdown("", elem_classes="lab-lesson-text lab-words", elem_id=f"{elem_id}-said")
    ids, timer = gr.State([]), gr.Timer(EVERY, active=False)
    example = examples.place(elem_id)
    changed = [said, stop, timer, *outputs]

    def seen(found: list[str]) -> list[Any]:
        look = work.look(found)
        shown = show(look.value) if look.value is not None else [gr.skip()] * len(outputs)
        shown = list(shown) if isinstance(shown, tuple | list) else [shown]
        return [look.text, gr.Button(interactive=not look.over), gr.Timer(active=not look.over), *shown]

    def begin(*arguments: Any) -> list[Any]:
        found = work.start(*arguments)
        return [found, *seen(found)]

    def end(found: list[str]) -> list[Any]:
        work.stop(found)
        return seen(found)

    def again() -> list[Any]:
        found = work.last()
        return [found, *seen(found)]

    listen(start.click, begin, inputs, [ids, *changed])
    listen(timer.tick, seen, [ids], changed)
    listen(stop.click, end, [ids], changed)
    if isinstance(work, Trials):
        lab.opened(tab, again, outputs=[ids, *changed])
    if example:
        column, parts = example
        lab.opened(tab, lambda: examples.values(elem_id), outputs=parts)
        # What one started, or finds again, takes the example's place.
        listen(ids.change, lambda found: gr.Column(visible=not found), [ids], [column])
    return start
