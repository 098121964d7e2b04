"""Runs a comparison's members one after another, on top of the queue of runs.

The order is the comparison's own: one member at a time is handed to `Jobs`, so that the rest can still be moved. A
member that fails is a result; the next one starts. What was broken off goes on from its checkpoint.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from statistics import median

from lab import access
from lab.compare import budget
from lab.compare.comparison import Comparison
from lab.compare.grid import Member, foresee
from lab.compare.spec import SECONDS, STEPS, TOKENS, TUNED
from lab.errors import LabError
from lab.events import DONE, FAILED
from lab.knobs import build, values
from lab.plan import Plan, Training
from lab.runs import INTERRUPTED, Run
from lab.training.fingerprint import ChangedError
from lab.training.jobs import Jobs

log = logging.getLogger(__name__)

#: A member whose process ended this often is not tried again.
TRIES = 2

#: Steps of a trial that only measures speed; the first two are left out.
WARM, SPEED_STEPS = 2, 8

#: Called with what happens: ("member" | "trial" | "done", label, run id).
Told = Callable[[str, str, str], None]


class Runner:
    """Works off one comparison. `start` does it on a thread, `go` here; both end when nothing waits any more."""

    def __init__(self, comparison: Comparison, jobs: Jobs, told: Told = lambda *_: None) -> None:
        self.comparison, self.jobs, self.told = comparison, jobs, told
        self.current = ""  # the member at work
        self.doing = ""  # what is being done for it
        self.error: LabError | None = None
        self._run = ""
        self._going = threading.Event()
        self._going.set()
        self._stopped = threading.Event()
        self._turning = threading.Lock()  # a member that starts while the comparison is paused is paused with it
        self._thread: threading.Thread | None = None

    # -- from outside -----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin or go on, on a thread. Raises LabError if another process runs the comparison."""
        if self.alive:
            self.resume()
            return
        self.comparison.claim()
        self._stopped.clear()
        self._going.set()
        self._thread = access.thread(self._work, f"comparison {self.comparison.id}")

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def paused(self) -> bool:
        return self.alive and not self._going.is_set()

    def pause(self) -> None:
        """Hold after the step that is being made; memory and place are kept."""
        with self._turning:
            if self._run:
                self.jobs.pause(self._run)  # a shared lab refuses: nothing is paused then
            self._going.clear()

    def resume(self) -> None:
        with self._turning:
            self._going.set()
            if self._run:
                self.jobs.resume(self._run)

    def stop(self) -> None:
        """End after the step that is being made. What was learned is kept; `start` goes on from there."""
        self._stopped.set()
        self._going.set()
        if self._run:
            self.jobs.stop(self._run)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; False if `timeout` seconds pass before."""
        if self._thread:
            self._thread.join(timeout)
        return not self.alive

    def go(self) -> None:
        """Work off the comparison in this thread. Raises LabError if another process runs it."""
        self.comparison.claim()
        self._work()

    # -- the work ---------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._exclude()
            tried: set[str] = set()
            while not self._stopped.is_set():
                self._going.wait()
                key = next((key for key in self.comparison.waiting if key not in tried), None)
                if key is None or self._stopped.is_set() or self.jobs.closed:
                    break
                tried.add(key)
                self._member(key)
        except LabError as error:  # the comparison itself cannot go on: its folder is gone, the lab is closing
            self.error = error
        except Exception:
            log.exception("the comparison %s broke off", self.comparison.id)
            self.error = LabError("Something unexpected went wrong in the comparison.", "The log has the details.")
        finally:
            self.current = self.doing = self._run = ""
            self.comparison.release()

    def _exclude(self) -> None:
        """Note what cannot run, with its reason, before anything starts."""
        self.doing = "Checking what can run"
        waiting = [self.comparison.member(key) for key in self.comparison.waiting]
        for seen in foresee(waiting):
            if seen.reason:
                words = f"{seen.reason.message} {seen.reason.hint}".strip()
                self.comparison.note(seen.member.key, reason=words, excluded=True)

    def _member(self, key: str) -> None:
        member = self.comparison.member(key)
        self.current = key
        try:
            run = self.comparison.run(key)
            if run is None:
                plan = self._plan(member)
                if self._stopped.is_set():
                    return
                self.doing = "Training"
                run = self.jobs.submit(plan, name=member.label)
                self.comparison.note(key, run=run.id)
            else:
                if run.status == INTERRUPTED and self._gave_up(key):
                    return
                self.doing = "Training"
                run = self.jobs.continue_(run.id)
            self.told("member", member.label, run.id)
            self._wait(run)
            self.told("done", member.label, run.id)
        except ChangedError as error:
            self.comparison.note(key, reason=f"{error.message} Run this member again.")
            self.told("done", member.label, run.id if run else "")
        except LabError as error:
            if self.jobs.closed or self.comparison.get(key, "run"):
                raise  # no fault of the member's
            if self._stopped.is_set():
                return  # its trials were cut short; they are made again when the comparison goes on
            self.comparison.note(key, reason=f"{error.message} {error.hint}".strip())
            self.told("done", member.label, "")

    def _gave_up(self, key: str) -> bool:
        """Whether the member's process ended too often: most likely the system took its memory away."""
        count = int(self.comparison.get(key, "interruptions", 0)) + 1
        self.comparison.note(key, interruptions=count)
        if count < TRIES:
            return False
        words = "The process ended twice while it trained, most likely for want of memory."
        self.comparison.note(key, reason=f"{words} Take a smaller batch or a smaller model, then run it again.")
        return True

    def _wait(self, run: Run) -> None:
        with self._turning:
            self._run = run.id
            if not self._going.is_set():
                with suppress(LabError):  # where nothing that trains may be paused, the next member waits
                    self.jobs.pause(run.id)
        if self._stopped.is_set():
            self.jobs.stop(run.id)
        self.jobs.wait(run.id)
        self._run = ""

    # -- what the protocol leaves to be found out -------------------------------------------------

    def _plan(self, member: Member) -> Plan:
        """The member's plan with its rate tuned and its budget turned into steps."""
        protocol, plan = self.comparison.spec.protocol, member.plan
        if protocol.rate == TUNED:
            plan = _at(plan, learning_rate=self._rate(member))
        if protocol.budget == TOKENS:
            self.doing = "Counting tokens"
            plan = _at(plan, steps=budget.steps_for_tokens(plan, int(protocol.amount)))
        elif protocol.budget == SECONDS:
            plan = _at(plan, steps=max(1, round(protocol.amount / self._pace(member, plan))))
        elif protocol.budget == STEPS:
            plan = _at(plan, steps=int(protocol.amount))
        return plan

    def _rate(self, member: Member) -> float:
        """The rate with the lowest validation loss in short trials. All seeds of an arm share them."""
        protocol = self.comparison.spec.protocol
        found: dict[float, float] = {}
        for rate in protocol.numbers:
            self.doing = f"Trying the learning rate {rate:g}"
            plan = _at(member.plan, learning_rate=rate, steps=protocol.trial_steps, eval_every=0)
            run = self._trial(member, f"rate {rate:g}", plan)
            if self._stopped.is_set():
                break
            last = run.history().last
            if run.status == DONE and last is not None and last.loss == last.loss:
                found[rate] = last.loss
        if not found:
            raise LabError(f"No learning rate worked for {member.arm}.", "Try lower ones, or give it one.")
        return min(found, key=lambda rate: (found[rate], rate))

    def _pace(self, member: Member, plan: Plan) -> float:
        """Seconds of a step, from a short trial."""
        self.doing = "Measuring its speed"
        run = self._trial(member, "speed", _at(plan, steps=SPEED_STEPS, eval_every=0, eval_rows=1, reply_rows=1))
        seconds = [0.0, *(step.seconds for step in run.history().steps)]
        if len(seconds) <= WARM + 1:
            raise LabError(f"The speed of {member.arm} could not be measured.", "See the trial's run for why.")
        return median(after - before for before, after in zip(seconds[WARM:], seconds[WARM + 1 :]))

    def _trial(self, member: Member, name: str, plan: Plan) -> Run:
        """The trial's run; made if the comparison does not have it. Its adapter is of no use and not kept."""
        known = self.comparison.trial(member.arm, name)
        if known:
            try:
                run = self.jobs.runs.get(known)
                if run.status in (DONE, FAILED):
                    return run
            except LabError:
                pass  # deleted: try again
        run = self.jobs.submit(replace(plan, seed=self._trial_seed()), name=f"Trial ({name}): {member.arm}")
        self.told("trial", f"{member.arm}, {name}", run.id)
        self._wait(run)
        if run.status in (DONE, FAILED):
            self.comparison.trial(member.arm, name, run.id)
        shutil.rmtree(run.folder / "adapter", ignore_errors=True)
        return run

    def _trial_seed(self) -> int:
        """The same for all seeds of an arm, whichever of them runs first."""
        return self.comparison.spec.seeds[0]


def _at(plan: Plan, **training: object) -> Plan:
    """The plan with other training settings. Raises LabError for one out of bounds, such as 10⁹ steps."""
    return replace(plan, training=build(Training, values(plan.training) | training))
