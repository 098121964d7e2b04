"""The queue: one training at a time in a process, pumped on a thread, watched through the run's folder.

Two trainings in one process would disturb each other's random numbers and memory; so they wait in line. A job
belongs to nobody's page: it goes on when the page that started it is closed. Owners take turns: next is the first
run of the owner who has waited longest since one of theirs began.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from lab import access
from lab.errors import LabError
from lab.events import FAILED, Event, Finished
from lab.plan import Plan
from lab.runs import Run, Runs
from lab.training import fingerprint

log = logging.getLogger(__name__)

#: How a generator of events is made: `lab.training.loop.train`, or what runs it elsewhere.
Trainer = Callable[[Plan, threading.Event, Path, bool], Iterator[Event]]


def local(plan: Plan, stop: threading.Event, folder: Path, resume: bool) -> Iterator[Event]:
    """Train in this process. torch is imported here, on the thread that trains."""
    from lab.training.loop import train

    yield from train(plan, stop, folder, resume)


@dataclass
class Job:
    run: Run
    resume: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    going: threading.Event = field(default_factory=threading.Event)
    #: That of whoever submitted it: ZeroGPU finds in it whose quota the training takes.
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def __post_init__(self) -> None:
        self.going.set()


class Jobs:
    """Runs wait here in order; a thread trains the first. `close` stops it and keeps what was learned.

    A run is stopped after `seconds`.
    """

    def __init__(self, runs: Runs, trainer: Trainer = local, seconds: float = float("inf")) -> None:
        self.runs = runs
        self._trainer, self._seconds = trainer, seconds
        self._turns: dict[str, int] = {}  # by owner, when one of their runs began last
        self._took: deque[float] = deque(maxlen=9)  # seconds of the runs that ended last
        self._line: list[Job] = []
        self._current: Job | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="training", daemon=True)
        self._thread.start()

    def submit(self, plan: Plan, owner: str = "", name: str = "") -> Run:
        """Make a run of the plan and put it in line. Raises LabError if its folder cannot be made."""
        run = self.runs.create(plan, owner, name)
        self._enter(Job(run))
        return run

    def continue_(self, run_id: str, accept_changes: bool = False) -> Run:
        """Put a broken-off or stopped run in line again: from its checkpoint if it has one, else from its start.

        Raises ChangedError if its data or its base changed since it began, unless that is accepted.
        """
        run = self.runs.get(run_id)
        self._enter(Job(run), accept_changes)
        return run

    def _enter(self, job: Job, accept_changes: bool = False) -> None:
        job.run.claim()
        job.resume = job.run.resumable
        if job.resume:
            try:
                fingerprint.confirm(job.run, accept_changes)
            except BaseException:
                job.run.release()
                raise
        with self._changed:
            if self._closed:
                job.run.release()
                raise LabError("The lab is closing.", "Start it again.")
            self._line.append(job)
            self._changed.notify_all()

    def _find(self, run_id: str) -> Job | None:
        waiting = self._line if self._current is None else [self._current, *self._line]
        return next((job for job in waiting if job.run.id == run_id), None)

    def place(self, run_id: str) -> int | None:
        """0 while it trains, 1, 2, … while it waits, None if it does neither."""
        with self._changed:
            job = self._find(run_id)
            if job is None:
                return None
            return 0 if job is self._current else self._order().index(job) + 1

    def waiting(self) -> list[str]:
        """The ids in line, the one that trains first."""
        with self._changed:
            return [job.run.id for job in ([self._current] if self._current else []) + self._order()]

    def count(self, owner: str) -> int:
        """How many runs of this owner train or wait."""
        with self._changed:
            return sum(job.run.owner == owner for job in [self._current, *self._line] if job)

    def expected(self, run_id: str) -> float | None:
        """Seconds until a waiting run begins; None where nothing is known of that.

        A run that has made steps tells itself what is left of it; another takes as long as those that ended last.
        """
        with self._changed:
            job, now = self._find(run_id), self._current
            if job is None or job is now:
                return None
            order = self._order()
            ahead = [*([now] if now else []), *order[: order.index(job)]]
            usual = median(self._took) if self._took else None
        waits = [usual if (left := _left(item)) is None else left for item in ahead]
        known = [wait for wait in waits if wait is not None]
        return sum(known) if len(known) == len(waits) else None

    def _order(self) -> list[Job]:
        """Those that wait in the order in which they will train, if nobody comes or leaves."""
        turns, line, found = dict(self._turns), list(self._line), []
        while line:
            job = min(line, key=lambda job: turns.get(job.run.owner, 0))  # the first of equals: who came first
            line.remove(job)
            found.append(job)
            turns[job.run.owner] = max(turns.values(), default=0) + 1
        return found

    def paused(self, run_id: str) -> bool:
        with self._changed:
            job = self._find(run_id)
            return job is not None and not job.going.is_set()

    def stopping(self, run_id: str) -> bool:
        """Whether the run trains and has been told to end."""
        with self._changed:
            job = self._find(run_id)
            return job is not None and job is self._current and job.stop.is_set()

    def stop(self, run_id: str) -> None:
        """End the run after its step and keep what was learned; one that waits is taken out of the line."""
        with self._changed:
            job = self._find(run_id)
            if job is not None and job is not self._current:
                self._line.remove(job)
                job.run.release()
                self._changed.notify_all()
            elif job is not None:
                job.stop.set()
                job.going.set()

    def withdraw(self, run_id: str) -> None:
        """Take a waiting run out of the line and remove it. Raises LabError if it trains already."""
        with self._changed:
            job = self._find(run_id)
            if job is None or job is self._current:
                raise LabError("This run does not wait any more.", "Stop it instead.")
            self._line.remove(job)
            job.run.release()
            self._changed.notify_all()
        self.runs.delete(run_id)

    def pause(self, run_id: str) -> None:
        """Hold the run after its step. It keeps its memory and its place."""
        with self._changed:
            job = self._find(run_id)
            if job is not None:
                job.going.clear()

    def resume(self, run_id: str) -> None:
        """Let a paused run go on."""
        with self._changed:
            job = self._find(run_id)
            if job is not None:
                job.going.set()

    def wait(self, run_id: str, timeout: float | None = None) -> bool:
        """Block until the run is neither training nor waiting; False if `timeout` seconds pass before."""
        with self._changed:
            return self._changed.wait_for(lambda: self._find(run_id) is None, timeout)

    @property
    def closed(self) -> bool:
        """Whether the queue takes no more runs."""
        return self._closed

    def close(self, timeout: float = 30.0) -> None:
        """Stop what trains, leave what waits as interrupted, and end the thread."""
        with self._changed:
            self._closed = True
            for job in self._line:
                job.run.release()
            self._line.clear()
            if self._current:
                self._current.stop.set()
                self._current.going.set()
            self._changed.notify_all()
        self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._line or self._closed)
                if self._closed:
                    return
                job = self._current = self._order()[0]
                self._line.remove(job)
                self._turns[job.run.owner] = max(self._turns.values(), default=0) + 1
            began = time.monotonic()
            try:
                job.context.run(self._pump, job)
            except Exception as problem:
                log.exception("the run %s broke off", job.run.id)
                self._fail(job.run, f"Something unexpected went wrong ({type(problem).__name__}).")
            finally:
                job.run.release()
                with self._changed:
                    self._took.append(time.monotonic() - began)
                    self._current = None
                    self._changed.notify_all()

    def _fail(self, run: Run, error: str) -> None:
        """Write the end of a run whose trainer broke; whatever became of the run, the queue goes on."""
        try:
            for _ in run.record([Finished(FAILED, error=error)]):
                pass
        except Exception:
            log.exception("the end of the run %s cannot be written", run.id)

    def _pump(self, job: Job) -> None:
        with access.acting(job.run.owner):
            self._train(job)

    def _train(self, job: Job) -> None:
        events = self._trainer(job.run.plan, job.stop, job.run.folder, job.resume)
        began = time.monotonic()
        for _ in job.run.record(events):
            job.going.wait()
            if time.monotonic() - began > self._seconds:
                job.stop.set()


def _left(job: Job) -> float | None:
    """Seconds of the steps that a run still has to make; None before its first, or where it starts anew."""
    try:
        history = job.run.history()
    except LabError:
        return None  # deleted or damaged meanwhile: it will fail at once, or take as long as others
    return None if history.finished and not job.resume else history.seconds_to_go
